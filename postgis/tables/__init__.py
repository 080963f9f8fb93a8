"""The register's tables, one noun a file. `metadata` knows them all; migrations make them."""

from postgis.tables.base import metadata
from postgis.tables.board_report import board_report
from postgis.tables.change import change
from postgis.tables.data_source import data_source, reference_release
from postgis.tables.distinct_pair import distinct_pair
from postgis.tables.establishment import establishment, establishment_fact, lookup_code
from postgis.tables.establishment_state import adoption_cell, establishment_state
from postgis.tables.food_safety import food_safety_record
from postgis.tables.h3_cell import h3_cell
from postgis.tables.import_batch import import_batch, import_kept_datum, import_progress, import_row, import_shape
from postgis.tables.indicator import entered_figure, indicator, month_end_count, phase, target
from postgis.tables.inspection import inspection, warning
from postgis.tables.legal_entity import legal_entity, personal_datum
from postgis.tables.licence import licence
from postgis.tables.lookup_day import lookup_day, lookup_month
from postgis.tables.model_site import model_site
from postgis.tables.owner import owner_code, owner_request, owner_session
from postgis.tables.payment import digital_use, payment_acceptance
from postgis.tables.payment_account import payment_account, payment_check_count
from postgis.tables.photo import outreach, photo
from postgis.tables.place import basemap_area, street
from postgis.tables.proposal import proposal
from postgis.tables.published_mark import published_mark
from postgis.tables.report import citizen_report, report_event
from postgis.tables.rollout import criterion_proof, phase_note
from postgis.tables.search_word import search_word
from postgis.tables.sector import sector_class, sector_code_collision, sector_group, sector_group_class
from postgis.tables.shelf_life import shelf_life, ward_shelf_life
from postgis.tables.signing_key import signing_key
from postgis.tables.staff import reveal, saved_view, session, staff, token, write_key
from postgis.tables.sticker import sticker, sticker_event, sticker_key, sticker_print, sticker_run
from postgis.tables.tile_cell import tile_cell, tile_cell_group
from postgis.tables.visit import visit
from postgis.tables.ward import residential_group, ward, ward_succession
from postgis.tables.work import work_item, work_list

__all__ = [
    "adoption_cell",
    "basemap_area",
    "board_report",
    "change",
    "citizen_report",
    "criterion_proof",
    "data_source",
    "digital_use",
    "distinct_pair",
    "entered_figure",
    "establishment",
    "establishment_fact",
    "establishment_state",
    "food_safety_record",
    "h3_cell",
    "import_batch",
    "import_kept_datum",
    "import_progress",
    "import_row",
    "import_shape",
    "indicator",
    "inspection",
    "legal_entity",
    "licence",
    "lookup_code",
    "lookup_day",
    "lookup_month",
    "metadata",
    "model_site",
    "month_end_count",
    "outreach",
    "owner_code",
    "owner_request",
    "owner_session",
    "payment_acceptance",
    "payment_account",
    "payment_check_count",
    "personal_datum",
    "phase",
    "phase_note",
    "photo",
    "proposal",
    "published_mark",
    "reference_release",
    "report_event",
    "residential_group",
    "reveal",
    "saved_view",
    "search_word",
    "sector_class",
    "sector_code_collision",
    "sector_group",
    "sector_group_class",
    "session",
    "shelf_life",
    "signing_key",
    "staff",
    "sticker",
    "sticker_event",
    "sticker_key",
    "sticker_print",
    "sticker_run",
    "street",
    "target",
    "tile_cell",
    "tile_cell_group",
    "token",
    "visit",
    "ward",
    "ward_shelf_life",
    "ward_succession",
    "warning",
    "work_item",
    "work_list",
    "write_key",
]
