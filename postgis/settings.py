"""What the store needs to know from its surroundings, read from MAPSERVICE_… environment variables."""

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    """Where the data is and how hard the database may be worked.

    Built once by the command line or `create_app` and passed down; nothing below reads the environment. An empty
    variable counts as unset.
    """

    model_config = SettingsConfigDict(env_prefix="MAPSERVICE_", env_ignore_empty=True, extra="ignore")

    data_dir: Path = Field(
        default=Path(".data"),
        description="Directory of the embedded PostGIS cluster and everything else the service keeps.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,  # it may hold a password
        description="URL of a PostGIS server to use instead of the embedded one, such as "
        "postgresql://user:password@host:5432/mapservice.",
    )
    replica_urls: str | None = Field(
        default=None,
        repr=False,
        description="URLs of read replicas of the database, with commas between them. What anybody may read is spread "
        "over them; a replica that lags more than half a second or does not answer is left out.",
    )
    pool_size: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Database connections per process and role. Few on purpose: three or four busy connections use "
        "two cores fully, so more only make every query slower.",
    )
    pool_timeout: float = Field(
        default=5.0,
        gt=0,
        description="Seconds a request waits for a free database connection before it is told to try again.",
    )
    statement_timeout_ms: int = Field(
        default=10_000,
        ge=0,
        description="Milliseconds after which a query of the public pages is cancelled; 0 means never.",
    )
    staff_statement_timeout_ms: int = Field(
        default=60_000,
        ge=0,
        description="Milliseconds after which a query of the staff screens is cancelled; 0 means never.",
    )

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        """Absolute from the start, so that a later change of the working directory can't move the data."""
        return value.expanduser().absolute()

    @property
    def replicas(self) -> tuple[str, ...]:
        """The replicas' URLs one by one."""
        return _listed(self.replica_urls)

    @field_validator("database_url", "replica_urls")
    @classmethod
    def _postgresql_only(cls, value: str | None, info: ValidationInfo) -> str | None:
        urls = _listed(value) if info.field_name == "replica_urls" else (value,) if value is not None else ()
        if not all(url.startswith(("postgres://", "postgresql://", "postgresql+psycopg2://")) for url in urls):
            raise ValueError("must start with postgresql://, such as postgresql://user:password@host:5432/mapservice")
        return value


def _listed(urls: str | None) -> tuple[str, ...]:
    return tuple(url.strip() for url in (urls or "").split(",") if url.strip())
