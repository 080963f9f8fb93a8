"""Stickers of the demo: its market and model street as an office has them after some weeks. Invented places only."""

import random

from sqlalchemy import Connection

from layers.sticker_lists import Printed, of_pages
from layers.sticker_places import StickerChoice, sticker_places
from postgis.secrets import Secrets
from postgis.store import stickers
from postgis.store.stickers import RunOrder
from postgis.vocabulary import STICKER_LAYOUTS

_MOST = 60
"""Places of each site that get one."""
_ENDS = {5: "lost", 11: "withdrawn", 17: "spoilt"}
"""By place in the list: what became of a few."""


def add_stickers(connection: Connection, secrets: Secrets, ward_code: str, sites: list[str]) -> int:
    """A run for each model site, all printed and most installed; returns how many stickers there are.

    The serials are the same in every installation, the marks are not: each has its own key.
    """
    dice = random.Random(f"stickers of {ward_code}")
    ward_id, added = stickers.present_ward(connection, ward_code), 0
    for site in sites:
        places = sticker_places(connection, StickerChoice(ward=ward_code, model_site=site, limit=_MOST))
        codes = [place["code"] for place in places if place["illustrative"]]
        if not codes:
            continue
        layout, per_page = STICKER_LAYOUTS[0], 10
        order = RunOrder(ward_id, None, f"sample {site}", "model_site", {"model_site": site}, layout, per_page)
        run = stickers.make_run(connection, secrets, order, codes, only_missing=True, rng=dice)
        pages = -(-len(codes) // per_page)
        # The last page of the last run is still to be printed.
        taken = max(1, pages - (site == sites[-1]))
        stickers.take_pages(connection, run, taken, None)
        for one in of_pages(connection, run, 1, taken):
            _hang(connection, one)
        added += len(codes)
    return added


def _hang(connection: Connection, one: Printed) -> None:
    end = _ENDS.get(one.position)
    if end == "spoilt":
        stickers.move(connection, one.serial, "spoilt", 1, None)
        return
    if one.position % 9 == 0:
        return  # printed, not yet noted as installed
    stickers.move(connection, one.serial, "installed", 1, None)
    if one.position % 4 == 0:
        stickers.note(connection, one.serial, "seen", None)
    if end is not None:
        stickers.move(connection, one.serial, end, 2, None)
