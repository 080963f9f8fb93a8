"""Files that were sent in: the batch, its rows, and what is remembered for the next file and for an undo."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from postgis.tables.base import identity, metadata, one_of
from postgis.vocabulary import (
    IMPORT_DECISIONS,
    IMPORT_JOBS,
    IMPORT_OUTCOMES,
    IMPORT_STATES,
    IMPORT_STEPS,
    IMPORT_VERDICTS,
    PERSONAL_FIELDS,
)


def _json(name: str, *, default: str | None = None, comment: str | None = None) -> Column[object]:
    server_default = None if default is None else text(f"'{default}'")
    return Column(name, JSONB, nullable=default is None, server_default=server_default, comment=comment)


def _moment(name: str, *, now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not now, server_default=text("now()") if now else None)


def _person(name: str, *, nullable: bool = True, comment: str | None = None) -> Column[int]:
    return Column(name, BigInteger, ForeignKey("account.staff.id"), nullable=nullable, comment=comment)


def _batch_reference(*, primary_key: bool = True) -> Column[int]:
    return Column("batch_id", BigInteger, ForeignKey("register.import_batch.id"), primary_key=primary_key)


import_batch = Table(
    "import_batch",
    metadata,
    identity(),
    Column("code", Text, nullable=False, unique=True),
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("file_size", BigInteger, nullable=False),
    Column("file_sha256", LargeBinary, nullable=False),
    Column("file_sealed", LargeBinary, comment="the file, encrypted; null: no longer kept"),
    Column("corrections_sealed", LargeBinary, comment="cells that a person has written anew, encrypted; null: none"),
    _json("choices", default="{}", comment="what a person has corrected and confirmed for this file"),
    Column("state", Text, nullable=False, server_default="reading"),
    Column("job", Text, comment="what the job process has to do; null: nothing"),
    _person("job_by", comment="who asked for the job: it is done in their name"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="how often the job was begun"),
    Column("cancel_asked", Boolean, nullable=False, server_default=text("false")),
    _json("error", comment="why reading or applying failed: {code, values}"),
    _json("summary", comment="what was understood of the file, without its rows"),
    _json("counts", default="{}", comment="how many rows were read and have each verdict"),
    Column("reason", Text, comment="why it was applied"),
    _person("created_by", nullable=False),
    _moment("created_at", now=True),
    _person("applied_by"),
    _moment("applied_at"),
    Column("undo_reason", Text),
    _json("undo_also", default="[]", comment="codes of records changed since that are undone nevertheless"),
    _person("undone_by"),
    _moment("undone_at"),
    Column("first_seq", BigInteger, comment="the first change that applying wrote; null: it wrote none"),
    Column("last_seq", BigInteger),
    Column("undo_first_seq", BigInteger),
    Column("undo_last_seq", BigInteger),
    _json("undo_kept", comment="what an undo left, since somebody has changed it: [{collection, code, fields, why}]"),
    _json("taken", default="[]", comment="who took the sender's rows back as a file: [{at, staff_id, login, rows}]"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    one_of("state", IMPORT_STATES),
    one_of("job", IMPORT_JOBS),
    CheckConstraint("btrim(file_name) <> ''", name="file_name"),
    CheckConstraint("(job IS NULL) = (job_by IS NULL)", name="job_by"),
    CheckConstraint("(first_seq IS NULL) = (last_seq IS NULL)", name="seq"),
    CheckConstraint(
        "state NOT IN ('applied', 'undone') OR (applied_by IS NOT NULL AND applied_at IS NOT NULL)", name="applied"
    ),
    CheckConstraint("state <> 'undone' OR (undone_by IS NOT NULL AND undone_at IS NOT NULL)", name="undone"),
    Index("ix_import_batch_ward_id_file_sha256", "ward_id", "file_sha256"),
    Index("ix_import_batch_job", "id", postgresql_where=text("job IS NOT NULL")),
    comment="A file that was sent in: read, planned, applied whole, and undone whole. Who and when stands here.",
)

import_row = Table(
    "import_row",
    metadata,
    _batch_reference(),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="over all sheets, in reading order"),
    Column("sheet", Text, nullable=False),
    Column("row", Integer, nullable=False, comment="as the program that made the file counts them"),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, comment="why the row was skipped"),
    Column("place_code", Text, comment="the likeliest establishment of the register"),
    Column("decision", Text, comment="what a person has decided"),
    Column("target_code", Text, comment="the establishment that a person has named"),
    _json("proposed", comment="by the property names of establishments; nothing personal"),
    _json("changes", default="[]", comment="[{field, before, after}]; what is personal is masked"),
    _json("wishes", comment="what is to be written: {new: [...], update: {code: [...]}}"),
    _json("matches", default="[]"),
    _json("problems", default="[]"),
    Column("sealed", LargeBinary, comment="the cells as they stood, and what is personal, encrypted"),
    Column("outcome", Text, comment="what applying did with the row"),
    _json("outcome_values", comment="e.g. the code of a made place, receipts of proposals, fields in conflict"),
    one_of("verdict", IMPORT_VERDICTS),
    one_of("decision", IMPORT_DECISIONS),
    one_of("outcome", IMPORT_OUTCOMES),
    CheckConstraint("(decision = 'update') = (target_code IS NOT NULL) OR decision IS NULL", name="target"),
    Index("ix_import_row_batch_id_verdict", "batch_id", "verdict"),
    comment="A row of a file: what was understood, what it wants, what a person decided, what became of it.",
)

import_shape = Table(
    "import_shape",
    metadata,
    Column("ward_id", BigInteger, ForeignKey("register.ward.id"), primary_key=True),
    Column("signature", Text, primary_key=True, comment="of the table's headers"),
    _json("correction", default="{}", comment="what a person has corrected: {column key: field or null}"),
    _person("saved_by", nullable=False),
    _moment("saved_at", now=True),
    comment="How the columns of a kind of file were corrected: the default for the next file of the same shape.",
)

import_progress = Table(
    "import_progress",
    metadata,
    _batch_reference(),
    Column("step", Text, nullable=False),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger, comment="null: not known yet"),
    _moment("at", now=True),
    one_of("step", IMPORT_STEPS),
    comment="How far the work on a batch has come: written beside its transaction, so that others can see it.",
)

import_kept_datum = Table(
    "import_kept_datum",
    metadata,
    _batch_reference(),
    Column("entity_code", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("ciphertext", LargeBinary, comment="before the batch; null: there was none"),
    Column("lookup_hash", LargeBinary),
    Column("mask", Text),
    Column(
        "written_hash", LargeBinary, nullable=False, comment="keyed hash of what the batch wrote: tells a later edit"
    ),
    one_of("field", PERSONAL_FIELDS),
    CheckConstraint(
        "(ciphertext IS NULL) = (lookup_hash IS NULL) AND (ciphertext IS NULL) = (mask IS NULL)", name="whole"
    ),
    comment="A personal value as it was before a batch: the history holds none, and an undo brings it back.",
)
