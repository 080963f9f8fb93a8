"""For machines: OGC API Features, Tiles and Styles under /ogc."""
