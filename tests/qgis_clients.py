"""Run by the system's Python, which has QGIS: what its OAPIF and vector tile providers read of the service.

    QT_QPA_PLATFORM=offscreen /usr/bin/python3 tests/qgis_clients.py http://127.0.0.1:8000

Prints one JSON object. No part of the tests' own environment: QGIS comes from Debian with the system's Python.
"""

import json
import os
import sys

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeatureRequest,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

TILE = (13117, 7451, 14)
"""Column, row and zoom of a tile in the middle of the ward."""


def layer(url, collection, crs="", page_size=500, **more):
    """A layer of the OAPIF provider, asked for in pages."""
    source = f"url='{url}/ogc' typename='{collection}' pagingEnabled='true' pageSize='{page_size}' {crs}"
    source += "".join(f" {name}='{value}'" for name, value in more.items())
    return QgsVectorLayer(source, collection, "OAPIF")


def names(found):
    """The layer's fields."""
    return [field.name() for field in found.fields()]


def read(url):
    """Everything that the test wants to know."""
    told = {}
    for collection in ("wards", "establishments", "model_sites", "licences"):
        found = layer(url, collection)
        told[collection] = {
            "valid": found.isValid(),
            "error": found.error().message(),
            "count": sum(1 for _ in found.getFeatures()) if found.isValid() else -1,
            "crs": found.crs().authid(),
            "fields": names(found),
            "types": sorted({field.typeName() for field in found.fields()}),
        }
    places = layer(url, "establishments")
    box = QgsRectangle(108.20, 16.04, 108.215, 16.05)
    told["in_box"] = sum(1 for _ in places.getFeatures(QgsFeatureRequest().setFilterRect(box)))
    chosen = QgsFeatureRequest().setFilterExpression("\"sector_group\" = 'food_service'")
    told["food_service"] = sum(1 for _ in places.getFeatures(chosen))
    told["names"] = [each["name"] for each in layer(url, "wards").getFeatures("\"code\" = '20257'")]
    place = f"{url}/ogc/collections/establishments/tiles/WebMercatorQuad/%7Bz%7D/%7By%7D/%7Bx%7D"
    drawn = QgsVectorTileLayer(f"type=xyz&url={place}&zmin=0&zmax=16", "establishments")
    told["tiles"] = {"valid": drawn.isValid(), "crs": drawn.crs().authid(), "drawn": drawn_pixels(drawn)}
    return told


def drawn_pixels(tiles):
    """How many pixels of a map of the tile's square are not white."""
    side = 40075016.68557849 / 2 ** TILE[2]
    west, north = TILE[0] * side - 20037508.342789244, 20037508.342789244 - TILE[1] * side
    settings = QgsMapSettings()
    settings.setLayers([tiles])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    settings.setExtent(QgsRectangle(west, north - side, west + side, north))
    settings.setOutputSize(QSize(256, 256))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    white = QColor("white").rgb()
    return sum(image.pixel(x, y) != white for x in range(256) for y in range(256))


def main():
    """Starts QGIS without a screen, reads, prints."""
    application = QgsApplication([], False)
    application.initQgis()
    print(json.dumps(read(sys.argv[1])), flush=True)
    # Not exitQgis(): layers that Python still holds crash it (QGIS 3.22).
    os._exit(0)


if __name__ == "__main__":
    main()
