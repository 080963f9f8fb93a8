"""Who asks what of whom: the entrants of each workload, made of the running servers and the places they hold."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks import workload
from tests.benchmarks.contest import FRONTED, OURS, OURS_UNCACHED, Entrant
from tests.benchmarks.load import Measured, download_load, http_load, sql_load
from tests.benchmarks.peers import Peer
from tests.benchmarks.register_rows import SCHEMA

ITEMS = "/ogc/collections/establishments/items"
TILES = "/ogc/collections/establishments/tiles/WebMercatorQuad/{z}/{y}/{x}"
FIVE = "properties=name,sector_group,operating_status,accepts_cashless"
"""With the identifier, which is always there, the five attributes of the narrow tables."""
OUR_PATHS = {
    "tile": TILES,
    "page": f"{ITEMS}?limit=100&bbox={{bbox}}&{FIVE}",
    "page, all fields": f"{ITEMS}?limit=100&bbox={{bbox}}",
    "one": f"{ITEMS}/{{code}}?{FIVE}",
    "one, all fields": f"{ITEMS}/{{code}}",
    "whole": f"{ITEMS}?limit={{count}}&{FIVE}",
    "whole, as lines": f"{ITEMS}?f=geojsonseq&{FIVE}",
    "whole, all fields": f"{ITEMS}?limit={{count}}",
}
_FEATURE = re.compile(rb'"type": ?"Feature"')
_CONNECTIONS = {"HIT": 32}
_USUAL_CONNECTIONS = 16
_KEYS = {"W1": "tile", "W1P": "tile", "W2": "tile", "W3": "page", "W4": "one", "W5": "whole"}
_RAW = f"""\\set i random(0, {{last}})
SELECT ST_AsMVT(t, 'places', 4096, 'g', 'id') FROM (
  SELECT ST_AsMVTGeom(geom, ST_TileEnvelope(z, x, y), 4096, 64, true) g, id, name, sector, status, accepts_cashless
    FROM {SCHEMA}.places_3857, (SELECT z, x, y FROM {SCHEMA}.{{tiles}} WHERE i = :i) l
   WHERE geom && ST_TileEnvelope(z, x, y, margin => 64.0 / 4096)) t;
"""


@dataclass(frozen=True, slots=True)
class Field:
    """Everything that runs: ours by name, the others, nginx's folder, the database's process and how to reach it."""

    ours: Mapping[str, Peer]
    peers: Mapping[str, Peer]
    static: Path
    database: int
    pgbench: str
    address: Sequence[str]
    places: Sequence[tuple[int, str]]


def asked(wanted: str, places: Sequence[tuple[int, str]], template: str) -> list[str]:
    """The addresses of a workload for one server."""
    if wanted in ("W1", "W1P"):
        return [template.format(z=z, x=x, y=y) for z, x, y in tile_list(wanted)]
    if wanted == "W2":
        z, x, y = workload.HOT
        return [template.format(z=z, x=x, y=y)]
    if wanted == "W3":
        return [template.format(bbox=box) for box in workload.boxes()]
    if wanted == "W4":
        return [template.format(id=number, code=code) for number, code in workload.chosen(places)]
    return [template.format(count=len(places))]


def tile_list(wanted: str) -> list[workload.Tile]:
    """Tiles of W1 or W1P."""
    zooms = (14, 15, 16, 17) if wanted == "W1" else (workload.DETAIL_ZOOM, 16, 17)
    return workload.tiles(zooms=zooms)


def entrants(field: Field, wanted: Sequence[str]) -> list[Entrant]:
    """All entrants of the wanted workloads, in the order in which they take turns."""
    found: list[Entrant | None] = []
    for name in wanted:
        if name == "HIT":
            found += _hits(field)
            continue
        if name in ("W1", "W1P"):
            found += [_raw(field, name, clients) for clients in (1, 2, 4)]
        for peer in field.peers.values():
            if peer.paths:
                found.append(_entrant(field, name, peer, peer.paths[_KEYS[name]]))
        if name in ("W1", "W1P", "W3") and (tipg := field.peers.get("tipg 1w")):
            found.append(_entrant(field, name, tipg, tipg.paths[_KEYS[name]], "gzip"))
        found += _ours(field, name)
    return [entrant for entrant in found if entrant is not None]


def _ours(field: Field, wanted: str) -> list[Entrant | None]:
    key = _KEYS[wanted]
    found: list[Entrant | None] = []
    for peer in field.ours.values():
        if peer.name == FRONTED:
            continue  # what it measures is a hit
        found.append(_entrant(field, wanted, peer, OUR_PATHS[key]))
        if peer.name == OURS_UNCACHED and key == "whole":
            found.append(_entrant(field, wanted, peer, OUR_PATHS["whole, as lines"], suffix=", as lines"))
        elif peer.name == OURS_UNCACHED:
            found.append(_entrant(field, wanted, peer, OUR_PATHS[key], "br"))
        if peer.name == OURS_UNCACHED and key in ("page", "one", "whole"):
            found.append(_entrant(field, wanted, peer, OUR_PATHS[f"{key}, all fields"], suffix=", all fields"))
    return found


def _entrant(
    field: Field, wanted: str, peer: Peer, template: str, coding: str | None = None, suffix: str = ""
) -> Entrant | None:
    """None where the server does not know how to answer this."""
    paths = asked(wanted, field.places, template)
    name = f"{peer.name}{f', {coding}' if coding else ''}{suffix}"
    answer = httpx.get(f"{peer.base}{paths[0]}", timeout=120)
    if answer.status_code not in (200, 204):
        print(f"{wanted} {name}: left out, answers {answer.status_code} to {paths[0]}", file=sys.stderr)
        return None
    features = len(_FEATURE.findall(answer.content)) if wanted == "W5" else 1
    return _http(field, wanted, name, peer, paths, f"Accept-Encoding: {coding}" if coding else None, features)


def _http(
    field: Field, wanted: str, name: str, peer: Peer, paths: Sequence[str], header: str | None, features: int = 1
) -> Entrant:
    def run(seconds: int) -> Measured:
        if wanted == "W5":
            return download_load(peer.base, paths[0], seconds=seconds, server=peer.pid, database=field.database)
        return http_load(
            peer.base, paths, seconds=seconds, connections=_CONNECTIONS.get(wanted, _USUAL_CONNECTIONS), header=header,
            server=peer.pid, database=field.database,
        )  # fmt: skip

    return Entrant(wanted, name, run, features)


def _raw(field: Field, wanted: str, clients: int) -> Entrant:
    tiles = tile_list(wanted)
    script = _RAW.format(last=len(tiles) - 1, tiles=f"tiles_{wanted.lower()}")

    def run(seconds: int) -> Measured:
        return sql_load(field.pgbench, field.address, script, seconds=seconds, clients=clients, database=field.database)

    return Entrant(wanted, f"raw SQL, {clients} connection{'s' * (clients > 1)}", run)


def _hits(field: Field) -> list[Entrant]:
    """A cached tile of ours beside the same bytes on nginx's disk, as they are and as brotli, and 304 of both."""
    z, x, y = workload.MIDDLING
    path = TILES.format(z=z, x=x, y=y)
    ours, nginx = field.ours[OURS], field.peers["nginx static"]
    found, etags = [], {}
    for coding, folder in (("identity", "static"), ("br", "static-br")):
        answer = httpx.get(f"{ours.base}{path}", headers={"Accept-Encoding": coding})
        with httpx.stream("GET", f"{ours.base}{path}", headers={"Accept-Encoding": coding}) as raw:
            (field.static / f"{coding}.mvt").write_bytes(b"".join(raw.iter_raw()))
        etags[coding] = answer.headers["etag"]
        header, suffix = f"Accept-Encoding: {coding}", "" if coding == "identity" else f", {coding}"
        found.append(_http(field, "HIT", f"nginx static{suffix}", nginx, [f"/{folder}/{coding}.mvt"], header))
        found += [_http(field, "HIT", f"{peer.name}{suffix}", peer, [path], header) for peer in _cached(field)]
    known = httpx.get(f"{nginx.base}/static/identity.mvt").headers["etag"]
    unchanged = f"If-None-Match: {known}"
    found.append(_http(field, "HIT", "nginx static, 304", nginx, ["/static/identity.mvt"], unchanged))
    unchanged = f"If-None-Match: {etags['identity']}"
    found += [_http(field, "HIT", f"{peer.name}, 304", peer, [path], unchanged) for peer in _cached(field)]
    return found


def _cached(field: Field) -> list[Peer]:
    return [peer for peer in field.ours.values() if peer.name != OURS_UNCACHED]
