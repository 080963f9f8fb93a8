"""Coordinate reference systems of the old neighbour provinces' maps that PostGIS 3.3 does not list (newer ones do).

PostGIS looks a number up in its table and has PROJ work by the authority's code; what else stands there is for readers.
"""

from sqlalchemy import Connection, text

_MERIDIANS = {9209: "105.5", 9210: "105.75"}
"""EPSG code and central meridian of VN-2000 / TM-3: zones 105-30 and 105-45."""
_WKT = (
    'PROJCS["VN-2000 / TM-3 {meridian}",GEOGCS["VN-2000",DATUM["Vietnam_2000",SPHEROID["WGS 84",6378137,298.257223563],'
    "TOWGS84[{shift}]],"
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4756"]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",{meridian}],PARAMETER["scale_factor",0.9999],'
    'PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","{code}"]]'
)
_PROJ = (
    "+proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 "
    "+towgs84={shift} +units=m +no_defs"
)
# EPSG:6960 with its rotations turned round, as these two forms have them.
_SHIFT = "-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278"


def are_listed(connection: Connection) -> bool:
    """Whether the connected database knows them; PostGIS must be there."""
    query = text("SELECT count(*) FROM public.spatial_ref_sys WHERE srid = ANY(:codes)")
    return bool(connection.execute(query, {"codes": list(_MERIDIANS)}).scalar_one() == len(_MERIDIANS))


def add(connection: Connection) -> None:
    """Lists what is missing. Raises ProgrammingError where the connected user may not."""
    for code, meridian in _MERIDIANS.items():
        words = {"meridian": meridian, "shift": _SHIFT, "code": code}
        connection.execute(
            text(
                "INSERT INTO public.spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) "
                "VALUES (:code, 'EPSG', :code, :wkt, :proj) ON CONFLICT (srid) DO NOTHING"
            ),
            {"code": code, "wkt": _WKT.format(**words), "proj": _PROJ.format(**words)},
        )
