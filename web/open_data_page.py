"""/open-data: what can be taken away, under which licence and how old it is. The caller brings the datasets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from web.lookup import ward_title
from web.render import render

_KNOWN_LICENCES = {
    "https://creativecommons.org/licenses/by/4.0/": "CC BY 4.0",
    "https://creativecommons.org/licenses/by-sa/4.0/": "CC BY-SA 4.0",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0 1.0",
    "https://opendatacommons.org/licenses/odbl/1-0/": "ODbL 1.0",
}


@dataclass(frozen=True)
class Licence:
    """What one may do with data, and whom one must name."""

    name: str
    url: str | None
    attribution: str


@dataclass(frozen=True)
class Download:
    """A dataset in one format; `name` is the format's, `file` what it is saved as."""

    form: str
    name: str
    media_type: str
    url: str
    file: str


@dataclass(frozen=True)
class Offer:
    """A dataset in words of one language."""

    id: str
    collection: str
    title: str
    description: str
    licence: Licence
    updated_at: datetime | None
    downloads: Sequence[Download]


def licence_name(url: str) -> str:
    """What people call the licence at an address; the address itself where that is not known."""
    return _KNOWN_LICENCES.get(url, url)


def open_data_page(
    offers: Sequence[Offer],
    ward: Mapping[str, Any] | None,
    illustrative: bool,
    lookups: Sequence[tuple[date, int | None]],
    lookups_to: int,
    lang: str,
) -> str:
    """The page; `illustrative`: there are invented places among the data, which must be said. `lookups`: about how
    often look-up pages were viewed, by month; None: less than `lookups_to`, to which
    they are rounded.
    """
    return render(
        "open_data.html",
        lang,
        ward_title=ward_title(ward, lang),
        offers=offers,
        illustrative=illustrative,
        lookups=lookups,
        lookups_to=lookups_to,
    )
