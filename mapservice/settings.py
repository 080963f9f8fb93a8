"""Settings of the web service. Read from the environment only in `create_app_from_environment` and the command line."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SampleName = Literal["demo", "places", "none"]


class HttpSettings(BaseSettings):
    """Where and how the service answers."""

    model_config = SettingsConfigDict(env_prefix="MAPSERVICE_", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 answers the whole network.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str | None = Field(
        None, description="Address that people reach the service at; printed in QR codes. Default: http://HOST:PORT."
    )
    workers: int = Field(1, ge=1, le=32, description="Number of worker processes.")
    import_memory_mb: int = Field(
        2048, ge=768, le=1_048_576, description="Megabytes of memory that the reading or applying of one file may take."
    )
    cache_mb: int = Field(
        16, ge=0, le=65_536, description="Megabytes of answers that each worker process keeps ready; 0: none."
    )
    sample: SampleName = Field("demo", description="What a new database starts with: demo, places or none.")
    import_megabytes: int = Field(64, ge=1, le=64, description="Size in MB of the largest file that may be imported.")
    open_data_licence: str = Field(
        "https://creativecommons.org/licenses/by/4.0/",
        pattern=r"^https?://[^\s\"<>]+$",
        description="Address of the licence under which the ward gives away its own open data.",
    )
    ward: str = Field("20257", pattern=r"^\d{5}$", description="Code of the ward that the service is for.")

    @field_validator("public_url")
    @classmethod
    def _plain_http_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @property
    def lookup_base(self) -> str:
        """What stands before /q/CODE in QR codes and on stickers."""
        return self.public_url or f"http://{self.host}:{self.port}"
