"""/healthz: alive; /readyz: database and migrations ready; /metrics: Prometheus."""

import os

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import JSONResponse, Response

from mapservice.dependencies import database
from postgis.migrate import schema_is_current

router = APIRouter(tags=["Service"])
NEVER_STORED = {"Cache-Control": "no-store"}


@router.get("/healthz", summary="Alive")
def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "alive"}, headers=NEVER_STORED)


@router.get("/readyz", summary="Ready", responses={503: {"description": "Not ready"}})
def readyz(request: Request) -> Response:
    """The database answers and has this version's tables."""
    try:
        with database(request).public.connect() as connection:
            current = schema_is_current(connection)
    except (DBAPIError, PoolTimeout):
        return JSONResponse({"status": "waiting", "database": "away"}, 503, NEVER_STORED)
    if not current:
        return JSONResponse({"status": "waiting", "database": "answers", "migrations": "pending"}, 503, NEVER_STORED)
    return JSONResponse({"status": "ready", "database": "answers", "migrations": "current"}, headers=NEVER_STORED)


@router.get("/metrics", summary="Prometheus figures", response_class=Response)
def metrics() -> Response:
    """Figures of all worker processes together."""
    registry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), headers={**NEVER_STORED, "Content-Type": CONTENT_TYPE_LATEST})
