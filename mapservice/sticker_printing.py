"""From the stickers of a print run to the PDF: with marks in their addresses, as their places are called today."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from urllib.parse import urlsplit

from sqlalchemy import Connection

from layers.sticker_lists import Printed
from layers.sticker_places import Row, StickerChoice, sticker_places
from mapservice.settings import HttpSettings
from postgis import sticker_marks
from postgis.secrets import Secrets
from postgis.store.stickers import OPEN_STATES
from web.sticker_layouts import LAYOUTS, Pages, Sticker, sticker


def address_with_mark(settings: HttpSettings, secrets: Secrets, one: Printed) -> str:
    """What the QR code of a sticker carries."""
    mark = sticker_marks.mark(secrets.sticker_key(one.key_version)[0], one.code, one.serial)
    return f"{settings.lookup_base}/q/{one.code}?t={one.serial}{mark}"


def typed_address(settings: HttpSettings) -> str:
    """What stands on a sticker for those who type: the address without its scheme."""
    base = urlsplit(settings.lookup_base)
    return f"{base.netloc}{base.path}/q"


def run_pdf(
    published: Connection,
    settings: HttpSettings,
    secrets: Secrets,
    printed: Sequence[Printed],
    layout: str,
    pages: Pages,
    lang: str = "vi",
    progress: Callable[[int], None] = lambda _done: None,
    *,
    gone: AbstractSet[str] = frozenset(),
) -> bytes:
    """The stickers of some pages, as their places are called today: a new sticker with an old name helps nobody.

    What is withdrawn or spoilt meanwhile, whose place has ended, or whose serial is among `gone`, is left out. Raises
    MissingAssetError.
    """
    # What draws PDFs is large: only who prints loads it.
    from web.sticker_sheets import sticker_sheet

    printed = [one if one.serial not in gone else replace(one, state="withdrawn") for one in printed]
    wanted = [one.code for one in printed if one.state in OPEN_STATES]
    # A list of no codes would choose every place there is.
    places = sticker_places(published, StickerChoice(codes=wanted)) if wanted else []
    by_code = {place["code"]: place for place in places}

    def drawn(one: Printed) -> Sticker | None:
        place: Row | None = by_code.get(one.code) if one.state in OPEN_STATES else None
        if place is None:
            return None
        return sticker(place, address_with_mark(settings, secrets, one), lang, one.serial)

    return sticker_sheet(
        [drawn(one) for one in printed],
        typed_address(settings),
        lang,
        layout=LAYOUTS[layout],
        pages=pages,
        progress=progress,
    )
