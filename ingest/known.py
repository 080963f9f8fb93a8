"""What the register must tell of its places so that rows can be compared with them: plain data, whoever reads it."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ingest.identity import RegisterNumbers


class KnownPlace(RegisterNumbers, Protocol):
    """A place of the register, as its reader gives it."""

    @property
    def values(self) -> Mapping[str, Any]:
        """What is known of it, by the register's wire names; `site` is its model site's name, `model_site` the code,
        `residential_group` the group's number."""

    @property
    def entity_values(self) -> Mapping[str, Any]:
        """The same of its legal entity; empty where it has none."""

    @property
    def records(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        """By collection, its live records that may count, the latest last, each with its `code`."""

    @property
    def lon(self) -> float:
        """Longitude."""

    @property
    def lat(self) -> float:
        """Latitude."""

    @property
    def accuracy_m(self) -> float | None:
        """How far off the point may be; None where that is not known."""


class KnownRegister(Protocol):
    """All that a plan needs of a register. Each part is read once, from its beginning."""

    @property
    def places(self) -> Iterable[KnownPlace]:
        """The live places."""

    @property
    def sites(self) -> Mapping[str, str]:
        """Model sites: name → code."""
