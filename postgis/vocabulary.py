"""The code lists of the register: the words on the wire, in one place.

Each list is what a CHECK constraint allows, what `/schema` names and what `web/translations` must label; a
documentation test holds the three together. Unknown is a value of its own wherever a fact may be unknown.
"""

WARD_KINDS = ("ward", "commune", "special_zone", "township")
"""Townships (thị trấn) only among former units: there are none since 1 July 2025."""

SECTOR_GROUPS = (
    "food_service",
    "cafe_drinks",
    "grocery",
    "food_retail",
    "fashion",
    "pharmacy_cosmetics",
    "electronics",
    "household_goods",
    "books_sports_gifts",
    "vehicles",
    "fuel_gas",
    "lodging",
    "beauty_laundry",
    "repair",
    "education",
    "health",
    "entertainment",
    "travel",
    "finance",
    "production",
    "online_trade",
    "market",
    "other",
    "public_place",
)
"""In display order. `public_place` is no business (parks, benches, temples) and counts in no business figure."""

LEGAL_FORMS = (
    "household_business",
    "enterprise",
    "branch",
    "business_location",
    "cooperative",
    "unregistered_individual",
    "public_service_unit",
)

OPERATING_STATUSES = ("active", "suspended", "closed", "moved", "not_found", "unknown")

POSITION_METHODS = ("gps", "surveyed", "typed", "interpolated", "map", "osm", "generated")

SOURCES = ("osm", "demo", "field_survey", "import", "office", "owner", "citizen")

LICENCE_KINDS = (
    "business_registration",
    "tobacco_retail",
    "alcohol_retail",
    "karaoke",
    "security_order",
    "fire_safety",
    "pharmacy",
    "medical_practice",
    "lodging_grade",
    "fuel_gas",
    "not_required",
)
"""`not_required` records that someone checked and found that no licence is needed (street vendors and the like)."""

LICENCE_STATUSES = ("valid", "expiring", "expired", "not_required", "unknown")

FOOD_SAFETY_KINDS = ("certificate", "commitment", "equivalent", "not_required", "missing")

FOOD_SAFETY_STATUSES = ("certified", "committed", "equivalent", "not_required", "missing", "unknown")

INSPECTION_RESULTS = ("pass", "fail", "pending", "a", "b", "c")

CASHLESS_METHODS = (
    "vietqr",
    "vnpay_qr",
    "bank_transfer",
    "pos_card",
    "momo",
    "zalopay",
    "vnpay_wallet",
    "shopeepay",
    "mobile_money",
    "card_online",
)

PAYMENT_METHODS = (*CASHLESS_METHODS, "cash_only")

EVIDENCE_LEVELS = ("declared", "observed", "documented", "confirmed")
"""From weakest to strongest."""

YES_NO_UNKNOWN = ("yes", "no", "unknown")

DIGITAL_USES = (
    "e_invoice",
    "sales_software",
    "e_contract",
    "marketplace",
    "social_selling",
    "food_delivery",
    "website",
    "zalo_oa",
)

REGISTRY_STATUSES = (
    "active",
    "suspended",
    "not_at_address",
    "revoked",
    "dissolving",
    "bankruptcy",
    "ended",
    "unknown",
)
"""The registry's legal status (Decree 168/2025, art. 35); what the field team saw is the operating status."""

STAFF_ROLES = ("surveyor", "officer", "approver", "admin")

TOKEN_SCOPES = ("read", "write")

PERSONAL_FIELDS = (
    "owner_name",
    "owner_phone",
    "owner_email",
    "personal_id",
    "household_tax_code",
    "home_address",
    "birth_date",
)
"""Encrypted at rest, masked on screen, each reading logged; never public."""

CHANGE_KINDS = ("insert", "update", "end", "restore", "delete")

PROPOSAL_STATES = ("pending", "applied", "returned", "rejected", "withdrawn")

PROPOSER_KINDS = ("staff", "volunteer", "owner", "citizen", "import")

RISKS = ("low", "normal", "adverse")

OUTREACH_KINDS = ("visit", "training", "leaflet")

VISIT_OUTCOMES = ("surveyed", "refused", "nobody_there", "not_found")
"""What came of a visit of the survey."""

FRESHNESS_FACTS = ("payment", "licence", "address", "food_safety", "digital")
SHELF_LIFE_MONTHS = (1, 240)
"""The shortest and the longest time that a fact may be relied on after its check."""

REQUIRED_FIELDS = (
    "name",
    "address",
    "residential_group",
    "sector_code",
    "legal_entity",
    "legal_form",
    "operating_status",
    "licence",
    "food_safety",
    "payment",
    "digital",
)
"""What the ward wants to know of each place; of food safety only where food is served or sold (FOOD_GROUPS)."""

FOOD_GROUPS = ("food_service", "cafe_drinks", "food_retail")

MODEL_SITE_KINDS = ("market", "street")

IMPORT_STATES = ("reading", "planned", "applying", "applied", "undone", "failed")

IMPORT_JOBS = ("read", "apply", "undo")

IMPORT_STEPS = ("reading", "matching", "writing", "undoing")

IMPORT_VERDICTS = ("new", "changed", "same", "doubtful", "wrong", "skipped")
"""What a dry run finds of a row; the six add up to the rows read."""

IMPORT_DECISIONS = ("new", "update", "leave")
"""What a person decides about a row: a place of its own, the one that they name, or not at all."""

IMPORT_OUTCOMES = ("applied", "proposed", "left", "conflict", "refused", "same")
"""What applying did: `conflict`: somebody had changed the record since; `refused`: the register cannot hold it."""

STICKER_STATES = ("printed", "installed", "lost", "replaced", "withdrawn", "spoilt")
"""What became of a sticker; `printed`: it may hang already, nobody has noted it yet. The last four are for ever."""

STICKER_EVENTS = ("printed", "installed", "seen", "reported", "misused", "lost", "replaced", "withdrawn", "spoilt")
"""What happens to a sticker; `misused`: an officer found it copied or hung where it does not belong, as reported."""

STICKER_CHOICES = ("street", "model_site", "residential_group", "sector_group", "ward", "chosen", "replacement")
"""How the places of a print run were chosen."""

STICKER_LAYOUTS = ("a4_10", "a4_4", "roll_100x60", "roll_100x150")
"""Paper and size: ten or four to an A4 sheet, or one to a label of a roll, in millimetres."""

REPORT_KINDS = ("wrong_information", "hygiene", "fake_sticker", "wrong_payment_qr", "other", "personal_data")
"""What people report about a place; `personal_data`: a request about one's own data, with a deadline of its own."""

BRIEF_KINDS = ("monthly", "quarterly", "half_yearly", "yearly")
"""What the board's reports are of."""
REPORT_STATES = ("received", "in_progress", "answered", "closed", "rejected")

REPORT_OUTCOMES = (
    "corrected",
    "inspected",
    "sticker_replaced",
    "sticker_genuine",
    "payment_qr_removed",
    "payment_qr_right",
    "nothing_found",
    "passed_on",
    "request_met",
)
"""What came of a report that was answered."""

REPORT_EVENTS = ("received", "taken_up", "extended", "proposed", "answered", "rejected", "closed")

KNOWN = ("then", "now")
"""Of a past day: as the register knew it at its end, or as it is known by now, by the dates of what was checked."""

PHASE_NOTES = ("state", "blocker", "solved")
"""What is noted about a phase of the rollout; `solved` ends a blocker."""

PHASE_STATES = ("not_started", "on_track", "at_risk", "late", "paused")
"""How a phase goes, as those who answer for it say. There is no "done": that its criteria say."""

PROOF_FILES = ("pdf", "jpg")
"""What a document that proves a criterion is kept as."""

WORK_SCOPES = ("residential_group", "street", "model_site")
"""What a list of places to visit is drawn up for."""

WORK_STANDINGS = ("no", "refused", "not_surveyed")
"""Where a place stands with an indicator that it does not meet: it was checked and does not; its latest visit was
refused; nobody has asked."""

BASEMAP_LAYERS = ("land", "water", "park", "landuse", "building", "archipelago")

CODE_LISTS: dict[str, tuple[str, ...]] = {
    "ward_kind": WARD_KINDS,
    "sector_group": SECTOR_GROUPS,
    "legal_form": LEGAL_FORMS,
    "operating_status": OPERATING_STATUSES,
    "position_method": POSITION_METHODS,
    "source": SOURCES,
    "licence_kind": LICENCE_KINDS,
    "licence_status": LICENCE_STATUSES,
    "food_safety_kind": FOOD_SAFETY_KINDS,
    "food_safety_status": FOOD_SAFETY_STATUSES,
    "inspection_result": INSPECTION_RESULTS,
    "payment_method": PAYMENT_METHODS,
    "evidence_level": EVIDENCE_LEVELS,
    "yes_no_unknown": YES_NO_UNKNOWN,
    "digital_use": DIGITAL_USES,
    "model_site_kind": MODEL_SITE_KINDS,
    "basemap_layer": BASEMAP_LAYERS,
    "known": KNOWN,
    "registry_status": REGISTRY_STATUSES,
    "staff_role": STAFF_ROLES,
    "token_scope": TOKEN_SCOPES,
    "personal_field": PERSONAL_FIELDS,
    "change_kind": CHANGE_KINDS,
    "proposal_state": PROPOSAL_STATES,
    "proposer_kind": PROPOSER_KINDS,
    "risk": RISKS,
    "outreach_kind": OUTREACH_KINDS,
    "visit_outcome": VISIT_OUTCOMES,
    "freshness_fact": FRESHNESS_FACTS,
    "required_field": REQUIRED_FIELDS,
    "import_state": IMPORT_STATES,
    "import_job": IMPORT_JOBS,
    "import_step": IMPORT_STEPS,
    "import_verdict": IMPORT_VERDICTS,
    "import_decision": IMPORT_DECISIONS,
    "import_outcome": IMPORT_OUTCOMES,
    "sticker_state": STICKER_STATES,
    "sticker_event": STICKER_EVENTS,
    "sticker_choice": STICKER_CHOICES,
    "sticker_layout": STICKER_LAYOUTS,
    "report_kind": REPORT_KINDS,
    "report_state": REPORT_STATES,
    "report_outcome": REPORT_OUTCOMES,
    "report_event": REPORT_EVENTS,
    "phase_note": PHASE_NOTES,
    "phase_state": PHASE_STATES,
    "work_scope": WORK_SCOPES,
    "work_standing": WORK_STANDINGS,
}
"""Every list by the name that fields, translations and `/schema` use for it."""
