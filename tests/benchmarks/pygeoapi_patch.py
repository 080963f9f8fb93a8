# mypy: ignore-errors
"""pygeoapi with one change, for its best case: run by gunicorn in pygeoapi's own environment, never imported by us.

Its tile provider gives ST_Transform the name of the coordinate system as text, which PostGIS answers a thousand times
slower than the number; here it gives the number.
"""

import pygeoapi.provider.mvt_postgresql as provider

_crs_of = provider.get_crs_from_uri


class _Numbered:
    def __init__(self, crs):
        self._crs = crs

    def to_string(self):
        return self._crs.to_epsg()


provider.get_crs_from_uri = lambda uri: _Numbered(_crs_of(uri))

from pygeoapi.flask_app import APP  # noqa: E402, F401 - what gunicorn is told to serve; it must see the change above
