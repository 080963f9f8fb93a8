"""Fills a new database with its sample: real places, and on `demo` invented establishments beside them."""

import logging
import time
from datetime import date, timedelta

from sqlalchemy import Connection

from ingest import osm_places
from mapservice.settings import HttpSettings
from postgis.bulk import analyse
from postgis.engine import Database
from postgis.store import base_map, establishments, model_sites, past, residential_groups
from postgis.today import today

DEMO_PAST = timedelta(days=366)
"""How long before its loading the demo's history begins."""
log = logging.getLogger("mapservice.sample")


class SampleRefused(Exception):
    """The sample cannot be loaded; the message says why."""


def ensure_sample(database: Database, settings: HttpSettings) -> int:
    """Loads the configured sample into a register that has never held anything; returns the rows added.

    A register that an officer has emptied stays empty: nothing is physically removed from it, so it is not empty here.
    """
    with database.owner.begin() as connection:
        if settings.sample == "none" or not establishments.is_empty(connection):
            return 0
        return _load(connection, settings, today())


def load_sample(database: Database, settings: HttpSettings) -> int:
    """What `mapservice sample` does: loads the sample now. Raises SampleRefused when the register is not empty."""
    with database.owner.begin() as connection:
        if not establishments.is_empty(connection):
            raise SampleRefused("The register already holds establishments; the sample is only for a new database.")
        return _load(connection, settings, today())


def _load(connection: Connection, settings: HttpSettings, as_of: date) -> int:
    started = time.perf_counter()
    added = 0
    if settings.sample == "demo":
        added += _load_demo(connection, settings.ward, as_of)
    added += establishments.add_many(connection, osm_places.read_places())
    analyse(connection)
    log.info("sample loaded", extra={"rows": added, "seconds": round(time.perf_counter() - started, 1)})
    return added


def _load_demo(connection: Connection, ward_code: str, as_of: date) -> int:
    from ingest import demo  # shapely takes a while to load, and only a new database needs it

    outline = base_map.ward_outline(connection, ward_code)
    if outline is None:
        raise SampleRefused(f"There is no base data for ward {ward_code}; set MAPSERVICE_SAMPLE=none.")
    invented = demo.generate(outline, base_map.street_lines(connection, ward_code), ward_code=ward_code, as_of=as_of)
    residential_groups.add_many(connection, invented.residential_groups)
    since = as_of - DEMO_PAST
    with past.noted_on(connection, since):
        model_sites.add_many(connection, invented.model_sites)
    return past.add_with_past(connection, invented.establishments, since, as_of)
