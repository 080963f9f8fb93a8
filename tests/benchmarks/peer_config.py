"""Configuration files of the other servers, each as it answers fastest with the same five attributes."""

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.register_rows import SCHEMA
from tests.benchmarks.workload import BOX, metres

_PYGEOAPI = """\
server:
  bind: {{host: 127.0.0.1, port: {port}}}
  url: http://127.0.0.1:{port}
  mimetype: application/json; charset=UTF-8
  encoding: utf-8
  language: en-US
  pretty_print: false
  limits: {{default_items: 10, max_items: 50000, on_exceed: throttle}}
  map: {{url: 'https://tile.example/{{z}}/{{x}}/{{y}}.png', attribution: none}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: {{en: Places}}, description: {{en: Places}}, keywords: {{en: [places]}},
    keywords_type: theme, terms_of_service: none, url: http://example.org}}
  license: {{name: none, url: http://example.org}}
  provider: {{name: none, url: http://example.org}}
  contact: {{name: none, position: none, address: none, city: none, stateorprovince: none, postalcode: none,
    country: none, phone: none, fax: none, email: nobody@example.org, url: http://example.org, hours: none,
    instructions: none, role: none}}
resources:
  places:
    type: collection
    title: places
    description: places
    keywords: [places]
    extents: {{spatial: {{bbox: {box}, crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'}}}}
    providers:
      - type: feature
        name: PostgreSQL
        data: &data {{host: {sockets}, port: {database_port}, dbname: {database}, user: {user}, password: none,
          search_path: [{schema}, public]}}
        id_field: id
        table: places_4326
        geom_field: geom
      - type: tile
        name: MVT-postgresql
        data: *data
        id_field: id
        table: places_3857
        geom_field: geom
        storage_crs: http://www.opengis.net/def/crs/EPSG/0/3857
        options: {{zoom: {{min: 0, max: 22}}}}
        format: {{name: pbf, mimetype: application/vnd.mapbox-vector-tile}}
"""

_MAPSERVER_MAP = """\
MAP
  NAME "places"
  EXTENT {extent}
  PROJECTION "init=epsg:3857" END
  WEB METADATA
    "oga_title" "places" "oga_description" "places" "oga_enable_request" "OGCAPI" "ows_enable_request" "*"
    "oga_onlineresource" "http://127.0.0.1:{port}/ogc" "oga_max_limit" "50000"
    "wfs_title" "places" "wfs_onlineresource" "http://127.0.0.1:{port}/wfs"
    "wfs_srs" "EPSG:4326 EPSG:3857" "wfs_getfeature_formatlist" "geojson"
  END END
  OUTPUTFORMAT NAME "mvt" DRIVER MVT MIMETYPE "application/x-protobuf" EXTENSION "pbf"
    FORMATOPTION "EXTENT=4096" FORMATOPTION "EDGE_BUFFER=4" END
  OUTPUTFORMAT NAME "geojson" DRIVER "OGR/GEOJSON" MIMETYPE "application/geo+json"
    FORMATOPTION "STORAGE=stream" FORMATOPTION "FORM=SIMPLE" END
  LAYER
    NAME "places" TYPE POINT STATUS ON
    CONNECTIONTYPE POSTGIS CONNECTION "host={sockets} port={database_port} dbname={database} user={user}"
    DATA "geom FROM {schema}.places_3857 USING UNIQUE id USING SRID=3857"
    PROCESSING "CLOSE_CONNECTION=DEFER"
    PROJECTION "init=epsg:3857" END
    METADATA
      "oga_title" "places" "oga_featureid" "id" "gml_featureid" "id" "wfs_title" "places" "gml_include_items" "all"
      "oga_include_items" "all" "wfs_getfeature_formatlist" "geojson" "oga_enable_request" "OGCAPI"
      "wfs_enable_request" "*" "gml_types" "auto"
    END
    TEMPLATE "none"
    CLASS STYLE SIZE 4 COLOR 255 0 0 END END
  END
END
"""

_MAPSERVER_CONF = """\
CONFIG
  ENV
    MS_MAP_PATTERN "."
    OGCAPI_HTML_TEMPLATE_DIRECTORY "/usr/share/mapserver/ogcapi/templates/html-bootstrap4/"
  END
  MAPS PLACES "{folder}/places.map" END
END
"""

_NGINX = """\
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
daemon off;
{as_root}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  open_file_cache max=2000 inactive=60s;
  default_type application/vnd.mapbox-vector-tile;
  client_body_temp_path {folder}/nginx-tmp;
  proxy_temp_path {folder}/nginx-tmp;
  fastcgi_temp_path {folder}/nginx-tmp;
  server {{
    listen 127.0.0.1:{port};
    location /static/ {{ alias {folder}/static/; etag on; add_header Cache-Control no-cache; }}
    location /static-br/ {{
      alias {folder}/static/; etag on; add_header Cache-Control no-cache; add_header Content-Encoding br;
    }}
    location ~ ^/ms/(?<z>[0-9]+)/(?<x>[0-9]+)/(?<y>[0-9]+) {{
      fastcgi_pass unix:{folder}/mapserver.sock;
      {cgi}
      fastcgi_param QUERY_STRING "map=PLACES&mode=tile&tilemode=gmap&tile=$x+$y+$z&layers=places&map.imagetype=mvt";
    }}
    location /wfs {{
      fastcgi_pass unix:{folder}/mapserver.sock;
      {cgi}
      fastcgi_param QUERY_STRING "map=PLACES&$args";
    }}
    location /ogc/ {{
      fastcgi_pass unix:{folder}/mapserver.sock;
      {cgi}
      fastcgi_param SCRIPT_NAME /ogc;
      fastcgi_param QUERY_STRING $args;
      fastcgi_param PATH_INFO /PLACES/ogcapi$uri;
      rewrite ^/ogc(/.*)$ $1 break;
    }}
  }}
}}
"""
_CGI = """fastcgi_param REQUEST_METHOD GET; fastcgi_param SERVER_NAME localhost; fastcgi_param SERVER_PORT {port};
      fastcgi_param SERVER_PROTOCOL HTTP/1.1;"""


@dataclass(frozen=True, slots=True)
class Store:
    """The PostGIS server that all read: its Unix socket's folder, port, database, and the role the others log in as."""

    sockets: str
    port: int
    database: str
    user: str


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each of the other servers listens."""

    tipg: int
    tipg_two: int
    pygeoapi: int
    nginx: int


def write(folder: Path, store: Store, ports: Ports, *, as_root: bool) -> None:
    """Writes all of them into `folder`."""
    for name in ("static", "nginx-tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shared = {
        "sockets": store.sockets, "database_port": store.port, "database": store.database, "user": store.user,
        "schema": SCHEMA, "extent": _extent(), "folder": folder, "box": list(BOX),
    }  # fmt: skip
    files = {
        "pygeoapi.yml": _PYGEOAPI.format(port=ports.pygeoapi, **shared),
        "places.map": _MAPSERVER_MAP.format(port=ports.nginx, **shared),
        "mapserver.conf": _MAPSERVER_CONF.format(**shared),
        "nginx.conf": _NGINX.format(
            port=ports.nginx, as_root="user root;" if as_root else "", cgi=_CGI.format(port=ports.nginx), **shared
        ),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def _extent() -> str:
    """The places and a margin in EPSG:3857: of what lies outside, MapServer finds nothing by identifier."""
    (west, south), (east, north) = metres(BOX[0], BOX[1]), metres(BOX[2], BOX[3])
    return f"{west - 5000:.0f} {south - 5000:.0f} {east + 5000:.0f} {north + 5000:.0f}"
