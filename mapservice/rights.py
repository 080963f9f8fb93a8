"""Who may do what: one table, asked by one function. The database's row-level security says the same a second time.

Rights belong to roles; staff of another ward, and tokens that have less scope than their owner, are cut down here.
"""

from collections.abc import Iterable, Mapping

from postgis.actor import Actor

VERBS = ("read", "create", "change", "end", "propose", "review", "reveal", "administer", "export")

PUBLISHED = frozenset(
    {
        "wards",
        "residential_groups",
        "establishments",
        "licences",
        "inspections",
        "warnings",
        "payment_acceptances",
        "model_sites",
        "payment_adoption",
        "streets",
        "basemap_areas",
    }
)
"""What everybody may read, as far as it is published."""

RECORDS = frozenset(
    {
        "establishments",
        "legal_entities",
        "licences",
        "food_safety_records",
        "inspections",
        "warnings",
        "payment_acceptances",
        "digital_uses",
        "outreach",
        "visits",
        "model_sites",
        "photos",
    }
)
"""What a register is made of, record by record."""

SUBJECTS = (
    PUBLISHED
    | RECORDS
    | {"register", "history", "proposals", "adverse_proposals", "personal_data", "accounts", "imports", "shelf_lives"}
    | {"board", "entered_figures", "work", "board_reports"}
    | {"stickers", "sticker_sightings", "reports", "owner_codes", "payment_accounts", "payment_checks"}
    | {"rollout"}
)
"""`register`: the staff screens and what is not published. `adverse_proposals`: those that can harm somebody, such as a
failed inspection; a second person decides on them. `shelf_lives`: how long the ward relies on a checked fact.
`stickers`: those at doors, and their print runs; `sticker_sightings`: seen on patrol. `reports`: what citizens report
about a place. `owner_codes`: by which owners come in. `payment_accounts`: what the payment QR of a place is compared
with, by a `payment_check`. `board`: figures that are not for everybody; `entered_figures`: those the register cannot
measure. `work`: lists of places to visit; whoever may create them hands them out. `board_reports`: what officers
write in the reports of a period, and the reports."""

Rights = Mapping[str, frozenset[str]]


def _grown(base: Rights, **more: Iterable[str]) -> Rights:
    return {verb: base.get(verb, frozenset()) | frozenset(more.get(verb, ())) for verb in {*base, *more}}


ANYBODY: Rights = {
    "read": PUBLISHED,
    "propose": frozenset({"establishments", "payment_acceptances"}),
    "create": frozenset({"reports", "payment_checks"}),
}
_SURVEYOR = _grown(
    ANYBODY,
    read=RECORDS | {"register", "history", "proposals", "stickers", "board", "entered_figures", "work"},
    propose=RECORDS,
    create={"sticker_sightings"},
)
_OFFICER = _grown(
    _SURVEYOR,
    read={"personal_data", "imports", "reports", "rollout", "board_reports"},
    create=RECORDS
    | {"imports", "stickers", "owner_codes", "payment_accounts", "rollout", "entered_figures", "work"}
    | {"board_reports"},
    change=RECORDS | {"imports", "stickers", "reports", "work"},
    end=RECORDS,
    review={"proposals"},
    reveal={"personal_data"},
    export=RECORDS | {"register"},
)
_APPROVER = _grown(_OFFICER, review={"adverse_proposals", "rollout"}, change={"shelf_lives"})
_ADMIN = _grown(_APPROVER, read={"accounts"}, administer={"accounts"})

RIGHTS: Mapping[str, Rights] = {
    "surveyor": _SURVEYOR,
    "officer": _OFFICER,
    "approver": _APPROVER,
    "admin": _ADMIN,
}
"""By role, in the staff's own ward: verb to subjects. Each role may do what the one before it may."""

READING = frozenset({"read", "export"})
"""All that a token with scope `read` is good for. A reveal is none of it: a person must answer for that."""


def can(actor: Actor | None, verb: str, subject: str, *, ward_code: str | None = None) -> bool:
    """Whether the actor (None: anybody at all) may do this to a record of that ward.

    Without `ward_code` the actor's own ward is meant; staff of another ward may do what anybody may. Raises ValueError
    for a verb or subject that does not exist: a slip must not read as a refusal, or worse.
    """
    if verb not in VERBS or subject not in SUBJECTS:
        raise ValueError(f"no such right: {verb} {subject}")
    if actor is not None and actor.scope != "write" and verb not in READING:
        return False
    own = actor is not None and ward_code in (None, actor.ward_code)
    rights = RIGHTS[actor.role] if actor is not None and own else ANYBODY
    return subject in rights.get(verb, frozenset())
