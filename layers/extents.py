"""Where a collection lies."""

from sqlalchemy import Connection, func, select

from layers.collections import Collection


def extent_of(connection: Connection, collection: Collection) -> tuple[float, float, float, float] | None:
    """West, south, east, north of everything published of the collection, in degrees; None where there is no place in
    it. Asked of the index, by what lies next to each edge of the world: it costs the same however much there is."""
    if collection.geometry is None:
        return None
    view = collection.face("public").view if collection.access == "public" else collection.view
    edges = {
        func.public.st_xmin: "LINESTRING(-180 -90, -180 90)",
        func.public.st_ymin: "LINESTRING(-180 -90, 180 -90)",
        func.public.st_xmax: "LINESTRING(180 -90, 180 90)",
        func.public.st_ymax: "LINESTRING(-180 90, 180 90)",
    }
    found = connection.execute(
        select(
            *(
                select(side(view.c.geom))
                .order_by(view.c.geom.op("OPERATOR(public.<->)")(func.public.st_geomfromtext(line, 4326)))
                .limit(1)
                .scalar_subquery()
                for side, line in edges.items()
            )
        )
    ).one()
    return None if found[0] is None else (found[0], found[1], found[2], found[3])
