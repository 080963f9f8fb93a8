"""Writes to the register as the API makes them: rights, the version that the writer saw, what needs a second person."""

import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Connection

from layers import features
from layers.collections import COLLECTIONS, STAFF_COLLECTIONS, Collection
from mapservice.dependencies import Language, LinkBuilder, database
from mapservice.errors import Problem
from mapservice.feature_answers import feature_body, no_such_feature
from mapservice.links import Links
from mapservice.responses import entity_tag
from mapservice.rights import can
from mapservice.security import SignedIn
from mapservice.write_problems import FieldsRefused, NotWritable, StaleRecord
from postgis.actor import Actor, write_as
from postgis.errors import FieldError, Forbidden, InvalidValues, NotFound, Stale
from postgis.risk import risk_of
from postgis.store import records
from postgis.store.life_cycle import NotPossible
from postgis.store.proposals import Proposal, propose, snapshot
from postgis.store.record_types import RECORD_TYPES
from postgis.store.records import Record
from postgis.store.write_keys import KeyReused
from web import labels

_ETAG = re.compile(r'\s*(?:W/)?"([0-9]{1,9})-[0-9a-z-]*"\s*')
_KEY = re.compile(r"[\x21-\x7e]{8,200}")
"""Long enough that no two requests of a program have the same by chance."""


async def writable_collection(collectionId: str, request: Request) -> Collection:  # noqa: N803 - the standard's spelling
    """The collection that the address names, as staff see it. Raises Problem for one that cannot be written."""
    found = STAFF_COLLECTIONS.get(collectionId)
    if found is None:
        raise Problem("unknown_collection", value=collectionId, known=", ".join(STAFF_COLLECTIONS))
    if collectionId not in RECORD_TYPES:
        raise NotWritable(request.method)
    return found


WritableCollection = Annotated[Collection, Depends(writable_collection)]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who writes to which collection, and how the answer is to be worded."""

    request: Request
    actor: Actor
    collection: Collection
    lang: str
    links: Links

    @contextlib.contextmanager
    def transaction(
        self, reason: str | None, feature_id: str | None = None, versions: tuple[int, ...] | None = None
    ) -> Iterator[Connection]:
        """A transaction of the actor's; what the store refuses becomes a problem. Raises Problem.

        With the versions that the writer saw, one who is late already hears so without waiting for another writer; who
        is not must still ask `record` inside.
        """

        def refuse_late(connection: Connection) -> None:
            if feature_id is None or versions is None or "\x00" in feature_id:
                return
            now = records.version(connection, self.collection.id, feature_id)
            if now is not None and now not in versions:
                raise self.stale(connection, feature_id)

        with write_as(database(self.request), self.actor, reason=reason, before_waiting=refuse_late) as connection:
            try:
                yield connection
            except InvalidValues as invalid:
                raise FieldsRefused(self.collection.id, invalid.errors) from invalid
            except Stale:
                raise self.stale(connection, feature_id or "") from None
            except NotFound:
                raise self.not_found(connection, feature_id or "") from None
            except NotPossible as refusal:
                why = labels.text(f"writes.not_possible.{refusal.why}", self.lang)
                raise Problem("not_possible", why=why) from None
            except Forbidden:
                raise Problem("forbidden") from None
            except KeyReused:
                raise Problem("key_reused", pointer="Idempotency-Key") from None

    def may(self, verb: str) -> None:
        """Raises Problem when the actor may not do this: who may propose it is told so."""
        if not can(self.actor, verb, self.collection.id):
            proposes = self.actor.scope == "write" and can(self.actor, "propose", self.collection.id)
            raise Problem("propose_instead" if proposes else "forbidden")

    def record(self, connection: Connection, feature_id: str, versions: tuple[int, ...]) -> Record:
        """The record in a version that the writer saw, ended or not. Raises NotFound, Stale."""
        if "\x00" in feature_id:
            raise NotFound
        found = records.get(connection, self.collection.id, feature_id)
        if found.version not in versions:
            raise Stale(found)
        return found

    def living_record(self, connection: Connection, feature_id: str, versions: tuple[int, ...]) -> Record:
        """The same, of a record that counts. Raises Problem `record_ended` too."""
        found = self.record(connection, feature_id, versions)
        if found.ended:
            raise Problem("record_ended")
        return found

    def stale(self, connection: Connection, feature_id: str) -> Problem:
        """What the record is now, and its ETag as a GET would give it."""
        now = features.one(connection, self.collection, feature_id)
        if now is None:
            return no_such_feature(connection, self.collection, feature_id, self.lang)
        body = feature_body(self.collection, feature_id, now, self.lang, self.links)
        return StaleRecord(json.loads(now.text), entity_tag(body, now.version))

    def not_found(self, connection: Connection, feature_id: str) -> Problem:
        """There is none, or it is another ward's: known to exist, as everybody may read it."""
        public = COLLECTIONS.get(self.collection.id)
        if public is not None and "\x00" not in feature_id and features.one(connection, public, feature_id) is not None:
            return Problem("forbidden")
        return no_such_feature(connection, self.collection, feature_id, self.lang)


def desk(verb: str) -> Callable[..., Awaitable[Desk]]:
    """A dependency: the desk of somebody who may do this to the collection's records. Raises Problem."""

    async def found(
        request: Request, actor: SignedIn, collection: WritableCollection, lang: Language, links: LinkBuilder
    ) -> Desk:
        opened = Desk(request, actor, collection, lang, links)
        opened.may(verb)
        return opened

    return found


async def seen_versions(request: Request) -> tuple[int, ...]:
    """The versions that If-Match names. Raises Problem: without it somebody's change could be overwritten unseen.

    `*` names no version, so it is no answer to the question. Weak tags are taken too, as a proxy that compresses makes
    them: the version in them is as good. A tag that is not ours matches nothing.
    """
    header = request.headers.get("if-match")
    if header is None or header.strip() in ("", "*"):
        raise Problem("precondition_required", pointer="If-Match")
    tags = (_ETAG.fullmatch(tag) for tag in header.split(","))
    return tuple(int(tag[1]) for tag in tags if tag is not None)


SeenVersions = Annotated[tuple[int, ...], Depends(seen_versions)]


async def idempotency_key(request: Request) -> str | None:
    """The header Idempotency-Key, by which a program that sends a request again says that it is the same one."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise Problem("invalid_key", pointer="Idempotency-Key")
    return key


IdempotencyKey = Annotated[str | None, Depends(idempotency_key)]


def write_or_propose(
    connection: Connection,
    actor: Actor,
    before: Record | None,
    write: Callable[[], Record],
    wish: Mapping[str, Any],
    arguments: Mapping[str, str | None],
    collection: str,
    source: str = "office",
) -> Record | Proposal:
    """Does the write, unless it is adverse to somebody: then it is undone and proposed to a second person.

    It is tried first, so that what waits is known to be sound, and so that the record as stored decides, not as sent.
    """
    told = snapshot(before) if before else records.superseded(connection, collection, wish)
    attempt = connection.begin_nested()
    after = write()
    if risk_of(collection, told, snapshot(after), "staff") != "adverse":
        attempt.commit()
        return after
    attempt.rollback()
    return propose(
        connection,
        actor,
        collection=collection,
        record_code=before.code if before else None,
        patch=wish,
        reason=arguments["reason"] or _own_words(after),
        evidence=arguments["evidence"],
        legal_basis=arguments["legal_basis"],
        source=source,
        base_version=before.version if before else None,
    )


def _own_words(record: Record) -> str:
    """What the record says of itself, as the reason for proposing it where none was given."""
    return next((str(record.values[name]) for name in ("headline", "official_words") if record.values.get(name)), "")


def refused(errors: list[FieldError], connection: Connection, check: Callable[[], Any]) -> InvalidValues:
    """All that is wrong at once: `errors`, and what the store finds in the rest."""
    with contextlib.suppress(Forbidden, Stale):
        try:
            with connection.begin_nested():
                check()
        except InvalidValues as more:
            return InvalidValues([*errors, *more.errors])
    return InvalidValues(errors)
