"""Takes a batch back: what it made is ended, what it changed is as it was before, but for what people changed since.

What was written is read from the history, `first_seq` to `last_seq`. A field goes back only where it still holds what
the batch wrote; a place or owner that the batch made ends only where nobody has changed it or anything under it since;
all else is kept and listed, until a person says that it is to be undone nevertheless (`undo_also`). What was made is
ended and not removed, and its codes are given to nobody else: the same file applied again makes places anew, since
nobody can know that a row read otherwise is the same shop. One person undoes what one person applied: what a second had
to agree to is a change of its own, and stays.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, text

from postgis.actor import Actor, prepare_as, take_turn
from postgis.engine import Database
from postgis.errors import Forbidden, InvalidValues
from postgis.store.imports_apply import Cancelled, Progress, begin
from postgis.store.imports_present import ENTITIES, PLACES
from postgis.store.imports_write import in_halves, large_joins, update_many
from postgis.store.record_types import RECORD_TYPES

CHUNK = 5_000
_TOGETHER = (
    ("geom", "position_method", "position_accuracy_m", "outside_accepted"),
    ("address", "house_number", "alley", "street_name"),
    ("sector_scheme", "sector_code", "sector_group"),
    ("operating_status", "suspended_until", "status_reason", "closed_on", "moved_to_id"),
)
"""Columns that say one thing together: half of it would be wrong."""
_NEVER = frozenset(
    {"id", "code", "version", "ward_id", "establishment_id", "residential_group_id", "ended_at", "end_reason"}
)


@dataclass(frozen=True, slots=True)
class Undone:
    """A batch that is undone. `kept`: {collection, code, fields (None: the record), why} of what stays as it is."""

    code: str
    kept: list[dict[str, Any]]
    first_seq: int | None
    last_seq: int | None


def undo(
    database: Database,
    actor: Actor,
    code: str,
    *,
    progress: Progress = lambda _step, _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Undone:
    """Undoes the batch that is in state `applied` with job `undo`; one that is undone already stays as it is.

    With job `undo` in state `undone`, what `undo_also` names of what was kept is undone nevertheless.

    Raises NotFound, NotNow, Cancelled (nothing is undone).
    """
    with prepare_as(database, actor, source="import") as connection:
        batch = begin(connection, code, ("applied", "undone"), "undo")
        if batch is None:
            return _undone(connection, code)
        reason = f"{batch.undo_reason or ''} [{code}]".strip()
        connection.execute(_REASON, {"reason": reason})
        take_turn(connection, patience_s=0)
        _Undo(connection, actor, batch, reason, progress, cancelled).run()
    with prepare_as(database, actor) as connection:
        return _undone(connection, code)


@dataclass(slots=True)
class _Undo:
    connection: Connection
    actor: Actor
    batch: Any
    reason: str
    progress: Progress
    cancelled: Callable[[], bool]
    kept: list[dict[str, Any]] = field(default_factory=list)
    also: list[str] = field(default_factory=list)
    done: int = 0
    total: int = 0

    def run(self) -> None:
        connection, batch = self.connection, self.batch
        before = connection.execute(_LAST_SEQ).scalar_one_or_none() or 0
        again = batch.state == "undone"
        self.also = [str(code) for code in batch.undo_also]
        if again:
            names = [(each, {each["code"], f"{each['collection']}:{each['code']}"}) for each in batch.undo_kept or ()]
            self.kept = [each for each, said in names if said.isdisjoint(self.also)]
            self.also = [code for code in self.also if any(code in said for _, said in names)]
        else:
            connection.execute(_WITHDRAW, {"code": batch.code})
        named = {"first": batch.first_seq, "last": batch.last_seq, "also": self.also}
        if batch.first_seq is not None:
            made: dict[str, list[Any]] = defaultdict(list)
            with large_joins(connection):
                for row in connection.execute(_MADE, named):
                    if row.anyway or not again:
                        made[row.collection].append(row)
                changed = [row for row in connection.execute(_CHANGED, named) if row.anyway or not again]
            self.total = sum(map(len, made.values()))
            self._put_back(changed)
            for collection in sorted(made, key=lambda each: (each == ENTITIES, each == PLACES)):
                self._end(collection, made[collection])
            self._data(again)
        connection.execute(
            _DONE,
            {"batch": batch.id, "before": before, "staff": self.actor.staff_id, "kept": json.dumps(self.kept)},
        )

    def _put_back(self, changed: Iterable[Any]) -> None:
        """What the batch changed of records that were there."""
        alike: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = defaultdict(list)
        for row in changed:
            self.total += 1
            if row.now["ended_at"] is not None:
                self._keep(row, "ended")
                continue
            back, kept = _columns_back(row.before, row.after, row.now, anyway=row.anyway)
            if kept:
                self._keep(row, "edited", [_wire(name) for name in kept])
            if back:
                names = tuple(sorted(back))
                alike[row.collection, names].append({**back, "code": row.record_code})
        for (collection, names), rows in alike.items():
            self._write(collection, rows, partial(_set_back, self.connection, collection, names))

    def _end(self, collection: str, rows: Sequence[Any]) -> None:
        """What the batch made. Places after their records and owners after their places: what is in use is kept."""
        ended: list[dict[str, Any]] = []
        in_use = set()
        if collection in (PLACES, ENTITIES):
            statement = _PLACES_IN_USE if collection == PLACES else _ENTITIES_IN_USE
            named = {"codes": [row.record_code for row in rows]}
            in_use = set(self.connection.execute(statement, named).scalars())
        for row in rows:
            if row.is_ended:
                self._keep(row, "ended")
            elif row.record_code in in_use:
                self._keep(row, "in_use")
            elif row.is_edited and not row.anyway:
                if collection in (PLACES, ENTITIES) or row.edited_itself:
                    self._keep(row, "edited")
            else:
                ended.append({"code": row.record_code})
        table = RECORD_TYPES[collection].table.name
        self._write(collection, ended, partial(self._end_some, table))

    def _end_some(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        ending = f"UPDATE register.{table} SET ended_at = clock_timestamp(), end_reason = :reason "
        named = {"reason": self.reason, "codes": [row["code"] for row in rows]}
        self.connection.execute(text(ending + "WHERE code = ANY (:codes)"), named)

    def _data(self, again: bool) -> None:
        """Personal values: as they were, or gone; of an owner who was made and is kept, as they are."""
        connection = self.connection
        whole = [each["code"] for each in self.kept if each["collection"] == ENTITIES and each["fields"] is None]
        given = {"batch": self.batch.id, "whole": whole, "also": self.also, "again": again}
        for row in connection.execute(_DATA_EDITED, given):
            self.kept.append({"collection": ENTITIES, "code": row.entity_code, "fields": [row.field], "why": "edited"})
        connection.execute(_DATA_BACK, given)
        connection.execute(_FORGET, {"code": self.batch.code, "whole": whole, "also": self.also})

    def _write(self, collection: str, rows: Sequence[Any], write: Callable[[Sequence[Any]], None]) -> None:
        for start in range(0, len(rows), CHUNK):
            if self.cancelled():
                raise Cancelled
            for done, refusal in in_halves(self.connection, rows[start : start + CHUNK], write):
                self.done += len(done)
                if refusal is not None:
                    why = {"collection": collection, "code": done[0]["code"], "fields": None, "why": _why(refusal)}
                    self.kept.append(why)
            self.progress("undoing", self.done, self.total)

    def _keep(self, row: Any, why: str, fields: list[str] | None = None) -> None:
        self.kept.append({"collection": row.collection, "code": row.record_code, "fields": fields, "why": why})


def _columns_back(
    before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any], *, anyway: bool
) -> tuple[dict[str, Any], list[str]]:
    """Columns with the values that they get back, and columns that somebody has changed since."""
    touched = [name for name in after if name not in _NEVER and after[name] != before.get(name)]
    back: dict[str, Any] = {}
    kept: list[str] = []
    for group in _groups(touched):
        edited = [name for name in group if now.get(name) != after[name]]
        if edited and not anyway:
            kept += edited
        else:
            back.update({name: before.get(name) for name in group if now.get(name) != before.get(name)})
    return back, kept


def _groups(touched: Sequence[str]) -> Iterator[list[str]]:
    alone = list(touched)
    for together in _TOGETHER:
        group = [name for name in touched if name in together]
        if group:
            yield group
            alone = [name for name in alone if name not in together]
    yield from ([name] for name in alone)


def _set_back(connection: Connection, collection: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    update_many(connection, RECORD_TYPES[collection].table, names, rows)


def _why(refusal: InvalidValues | Forbidden) -> str:
    told = isinstance(refusal, InvalidValues) and any(error.code == "told_to_public" for error in refusal.errors)
    return "told_to_public" if told else "refused"


def _wire(name: str) -> str:
    return "geometry" if name == "geom" else name.removesuffix("_id")


def _undone(connection: Connection, code: str) -> Undone:
    row = connection.execute(_RESULT, {"code": code}).one()
    return Undone(code, row.undo_kept or [], row.undo_first_seq, row.undo_last_seq)


_REASON = text("SELECT set_config('mapservice.reason', :reason, true)")
_LAST_SEQ = text("SELECT seq FROM register.change ORDER BY seq DESC LIMIT 1")
_WITHDRAW = text("SELECT register.withdraw_import_proposals(:code)")
_FORGET = text("SELECT register.forget_import_data(:code, CAST(:whole AS text[]), CAST(:also AS text[]))")
# What a person wants undone nevertheless: a place or owner by its code, a dated record by "collection:code".
_ANYWAY = "w.record_code = ANY (:also) AND w.collection IN ('establishments', 'legal_entities') OR \
w.collection || ':' || w.record_code = ANY (:also) OR w.establishment_code = ANY (:also)"
_LED_TO = """
    e.id IN (SELECT o.moved_to_id FROM register.establishment o WHERE o.moved_to_id IS NOT NULL) OR
    e.id IN (SELECT o.merged_into_id FROM register.establishment o WHERE o.merged_into_id IS NOT NULL)
"""
_WRITTEN = """
    written AS MATERIALIZED (
        SELECT * FROM register.change
         WHERE seq BETWEEN :first AND :last AND collection <> 'personal_data'
    ), later AS MATERIALIZED (
        SELECT collection, record_code, establishment_code, kind FROM register.change WHERE seq > :last
    )
"""
_MADE = text(f"""
    WITH {_WRITTEN}, edited_places AS MATERIALIZED (
        SELECT establishment_code FROM later WHERE establishment_code IS NOT NULL
        UNION
        -- Others lead to it: ended, it would lead them nowhere.
        SELECT e.code FROM register.establishment e WHERE {_LED_TO}
        UNION
        -- Somebody has worked on its owner, who was made with it.
        SELECT e.code FROM register.establishment e JOIN register.legal_entity l ON l.id = e.legal_entity_id
         WHERE l.code IN (SELECT split_part(record_code, ':', 1) FROM later
                           WHERE collection IN ('legal_entities', 'personal_data'))
    ), edited_records AS MATERIALIZED (
        SELECT collection, record_code, (array_agg(kind))[1] AS kind FROM later GROUP BY 1, 2
        UNION ALL
        -- A personal value that was written since is a change of its owner.
        SELECT DISTINCT 'legal_entities', split_part(record_code, ':', 1), 'update' FROM later
         WHERE collection = 'personal_data'
    ), made_places AS MATERIALIZED (
        SELECT record_code FROM written WHERE collection = 'establishments' AND kind = 'insert'
    ), ends AS MATERIALIZED (
        SELECT DISTINCT collection, record_code FROM later WHERE kind = 'end'
    )
    SELECT w.collection, w.record_code, max(r.record_code) IS NOT NULL AS edited_itself,
           max(r.record_code) IS NOT NULL OR max(p.establishment_code) IS NOT NULL AS is_edited,
           max(n.record_code) IS NOT NULL AS is_ended, bool_or({_ANYWAY}) AS anyway
      FROM written w
      LEFT JOIN edited_records r ON r.collection = w.collection AND r.record_code = w.record_code
      -- All that was made of a place is kept with it; records of a place that was there go for themselves.
      LEFT JOIN made_places m ON m.record_code = w.establishment_code
      LEFT JOIN edited_places p ON p.establishment_code = m.record_code
      LEFT JOIN ends n ON n.collection = w.collection AND n.record_code = w.record_code
     WHERE w.kind = 'insert'
     GROUP BY w.collection, w.record_code
""")
_CHANGED = text(f"""
    WITH {_WRITTEN}, bounds AS (
        SELECT collection, record_code, min(seq) AS first_seq, max(seq) AS last_seq FROM written
         GROUP BY 1, 2 HAVING bool_and(kind = 'update')
    )
    SELECT w.collection, w.record_code, w.before, z.after, {_ANYWAY} AS anyway,
           (SELECT c.after FROM register.change c
             WHERE c.collection = w.collection AND c.record_code = w.record_code ORDER BY c.seq DESC LIMIT 1) AS now
      FROM bounds b
      JOIN written w ON w.seq = b.first_seq
      JOIN written z ON z.seq = b.last_seq
     ORDER BY w.seq
""")
# As the register stands with all else put back: others may have come to lead to what the batch made.
_PLACES_IN_USE = text(f"""
    SELECT e.code FROM register.establishment e
     WHERE e.code = ANY (:codes) AND ({_LED_TO})
""")
_ENTITIES_IN_USE = text("""
    SELECT DISTINCT l.code FROM register.legal_entity l JOIN register.establishment e ON e.legal_entity_id = l.id
     WHERE l.code = ANY (:codes) AND e.ended_at IS NULL
""")
_STANDS = "d.lookup_hash = k.written_hash OR k.entity_code = ANY (:also)"
_DATA = """
      FROM register.import_kept_datum k
      JOIN register.legal_entity l ON l.code = k.entity_code
      JOIN register.personal_datum d ON d.legal_entity_id = l.id AND d.field = k.field
     WHERE k.batch_id = :batch AND k.entity_code <> ALL (:whole) AND (NOT :again OR k.entity_code = ANY (:also))
"""
_DATA_EDITED = text(f"SELECT k.entity_code, k.field {_DATA} AND NOT ({_STANDS})")
_DATA_BACK = text(f"""
    UPDATE register.personal_datum t
       SET ciphertext = s.ciphertext, lookup_hash = s.lookup_hash, mask = s.mask, updated_at = clock_timestamp()
      FROM (SELECT d.id, k.ciphertext, k.lookup_hash, k.mask {_DATA} AND k.ciphertext IS NOT NULL AND ({_STANDS})) s
     WHERE t.id = s.id
""")
_DONE = text("""
    UPDATE register.import_batch b
       SET state = 'undone', job = NULL, job_by = NULL, cancel_asked = false, error = NULL, version = version + 1,
           undone_by = coalesce(undone_by, :staff), undone_at = coalesce(undone_at, clock_timestamp()),
           undo_kept = CAST(:kept AS jsonb), undo_first_seq = coalesce(undo_first_seq, c.first_seq),
           undo_last_seq = coalesce(c.last_seq, undo_last_seq)
      FROM (SELECT min(seq) AS first_seq, max(seq) AS last_seq FROM register.change WHERE seq > :before) c
     WHERE b.id = :batch
""")
_RESULT = text("SELECT undo_kept, undo_first_seq, undo_last_seq FROM register.import_batch WHERE code = :code")
