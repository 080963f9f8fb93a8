"""The application: assembly only."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, nullcontext
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from mapservice import errors, logs, staff_page
from mapservice.copying import Copying
from mapservice.forgetting import forgetting
from mapservice.lane import Lane
from mapservice.month_ends import keeping_month_ends
from mapservice.own_writes import OwnWrites
from mapservice.place_copies import PlaceCopies
from mapservice.protocol import KEPT_ANSWERS
from mapservice.routes.board import adoption, data_quality, indicators, model_sites, rollout, work, work_visits
from mapservice.routes.board import page as board
from mapservice.routes.board import reports as briefs
from mapservice.routes.ogc import collections, items, landing, life_cycle, styles, tiles, writes
from mapservice.routes.public import (
    about,
    corrections,
    lookup,
    map,
    open_data,
    owner,
    payment_check,
    proposals,
    reports,
    static,
)
from mapservice.routes.service import changes, health
from mapservice.routes.staff import (
    account,
    accounts,
    adding,
    change_log,
    duplicates,
    entered_figures,
    entities,
    exports,
    import_batches,
    lookups,
    merging,
    owner_codes,
    past,
    personal,
    photos,
    record,
    register,
    session,
    shelf_lives,
    steps,
    sticker_runs,
    stickers,
    worklists,
)
from mapservice.routes.staff import imports as import_pages
from mapservice.routes.staff import payment_check as payment_qr
from mapservice.routes.staff import proposals as review
from mapservice.routes.staff import reports as inbox
from mapservice.settings import HttpSettings
from mapservice.while_away import WhileAway
from postgis.engine import Database, prepared_database
from postgis.settings import DatabaseSettings

ROUTERS = (
    health.router,
    changes.router,
    indicators.router,
    board.router,
    briefs.router,
    static.router,
    map.router,
    about.router,
    open_data.router,
    lookup.router,
    reports.router,
    corrections.router,
    owner.router,
    payment_check.router,
    adoption.router,
    rollout.router,
    data_quality.router,
    landing.router,
    collections.router,
    items.router,
    writes.router,
    life_cycle.router,
    tiles.router,
    styles.router,
    proposals.router,
    review.router,
    personal.router,
    import_batches.router,
    import_pages.router,
    session.router,
    account.router,
    accounts.router,
    # The list's own addresses, then the record's: {code} would take them all.
    exports.router,
    adding.router,
    register.router,
    duplicates.router,
    worklists.router,
    lookups.router,
    inbox.router,
    change_log.router,
    shelf_lives.router,
    # Runs before {serial}, which would take their address.
    sticker_runs.router,
    stickers.router,
    owner_codes.router,
    payment_qr.router,
    photos.router,
    entities.router,
    steps.router,
    merging.router,
    entered_figures.router,
    past.router,
    record.router,
    work.router,
    model_sites.router,
    work_visits.router,
)


def create_app(settings: HttpSettings, database: Database, **options: Any) -> FastAPI:
    """The service on a database that is ready. The caller keeps the database open as long as the application runs."""
    app = FastAPI(
        title="Bản đồ số kinh doanh",
        summary="Business map of a ward: OGC API Features and Tiles, look-up pages.",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        **options,
    )
    app.state.settings, app.state.database = settings, database
    app.state.staff_error_page = staff_page.error_page
    app.state.instead_of_failure = WhileAway(settings, database.settings.data_dir).instead
    errors.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def create_service(
    settings: HttpSettings, database: Database, closing: AbstractContextManager[Any] | None = None
) -> ASGIApp:
    """The application with all that stands around it, as each worker process runs it; `closing` ends with it."""
    lane = Lane(database, settings)
    threads = (
        Copying(database, PlaceCopies(database.settings.data_dir)),
        forgetting(database),
        keeping_month_ends(database),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        with closing or nullcontext():
            async with lane.running():
                for thread in threads:
                    thread.start()
                try:
                    yield {KEPT_ANSWERS: lane.kept}
                finally:
                    for thread in threads:
                        thread.stop()

    app: ASGIApp = create_app(settings, database, lifespan=lifespan)
    if database.settings.replicas:
        app = OwnWrites(app, database)
    return lane.around(app)


def create_app_from_environment() -> ASGIApp:
    """What each worker process runs: settings from the environment, the cluster already up."""
    logs.configure()
    stack = ExitStack()
    database = stack.enter_context(prepared_database(DatabaseSettings()))
    return create_service(HttpSettings(), database, stack)
