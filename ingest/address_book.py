"""What is known of a city for reading its addresses: streets, wards, markets. Plain data; who has it passes it in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingest.street_names import StreetNames
from postgis.folding import search_key


@dataclass(frozen=True)
class AddressBook:
    """What is known of a city, for reading its addresses. `wards`: name → code of the present unit it is or became."""

    streets: StreetNames
    wards: Mapping[str, str | None] = field(default_factory=dict)
    sites: Iterable[str] = ()
    _wards: dict[str, tuple[str, str | None]] = field(init=False, repr=False, compare=False)
    _sites: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Fold the names."""
        keys: dict[str, tuple[str, str | None]] = {}
        for name, code in self.wards.items():
            key = search_key(name)
            # One name that means two units is still a ward's name, but no code.
            keys[key] = (name, code if keys.get(key, (name, code))[1] == code else None)
        object.__setattr__(self, "_wards", keys)
        object.__setattr__(self, "_sites", {search_key(name): name for name in self.sites})

    def ward(self, written: str) -> tuple[str, str | None] | None:
        """The ward of that name, and its present code."""
        return self._wards.get(search_key(written))

    def site(self, written: str) -> str | None:
        """The known market or centre of that name."""
        return self._sites.get(search_key(written))


NOTHING_KNOWN = AddressBook(StreetNames(()))
