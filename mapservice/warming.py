"""The tiles that a ward's map will be asked for: made when a process starts, so that nobody waits for the first."""

from urllib.parse import quote, urlencode

from layers.collections import ESTABLISHMENTS
from layers.styles import style
from layers.surroundings import ward_box
from layers.touched import tiles_of
from mapservice.settings import HttpSettings
from postgis.engine import Database
from web.map_page import BUSINESS_GROUPS, OPEN_STATUSES

DEEPEST = 18


def pyramid(database: Database, settings: HttpSettings) -> list[bytes]:
    """Addresses of the tiles over the ward, from the whole world down: those of the map, and all places unfiltered."""
    with database.public.connect() as connection:
        box = ward_box(connection, settings.ward)
    drawn = style("map", "", settings.ward)
    if box is None or drawn is None:
        return []
    templates = []
    for name, source in drawn["sources"].items():
        for template in source.get("tiles", ()):
            first, last = source.get("minzoom", 0), source.get("maxzoom", DEEPEST)
            if name == ESTABLISHMENTS.id:
                templates.append((template, 0, DEEPEST))
                template = f"{template}?{_at_first()}"
            templates.append((template, first, last))
    found = []
    for reach in tiles_of("", box):
        if reach.z > DEEPEST:
            break
        wanted = [template for template, first, last in templates if first <= reach.z <= last]
        for x in range(reach.first_x, reach.last_x + 1):
            for y in range(reach.first_y, reach.last_y + 1):
                place = {"{z}": str(reach.z), "{x}": str(x), "{y}": str(y)}
                found += [_filled(template, place) for template in wanted]
    return [address.encode() for address in found]


def _filled(template: str, place: dict[str, str]) -> str:
    for name, number in place.items():
        template = template.replace(name, number)
    return template


def _at_first() -> str:
    """What the map asks of the places while nothing is chosen (web/static/js/state.js)."""
    chosen = {"operating_status": ",".join(OPEN_STATUSES), "sector_group": ",".join(BUSINESS_GROUPS)}
    return urlencode(chosen, safe=",", quote_via=quote)
