"""Two clients change one record a thousand times at once: nothing acknowledged is lost, nothing is written twice."""

import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import text

from postgis.actor import note_source
from tests.live_register import LiveRegister, command, etag_of, live_register, patch

EDITS = 1_000
CLIENTS = 2
MOST_SECONDS = 180
"""A bound for a machine that does other things too; on an idle one it takes a fifth of this."""


@pytest.fixture(scope="module")
def register() -> Iterator[LiveRegister]:
    with live_register(places=2) as found:
        yield found


@dataclass
class Editor:
    """A client that wants its edits in, whatever the other does."""

    name: str
    token: str
    acknowledged: list[str] = field(default_factory=list)
    retries: int = 0
    wrong: list[str] = field(default_factory=list)

    def run(self, url: str, code: str, edits: int) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            etag = etag_of(client, code, self.token)
            for number in range(edits):
                value = f"{self.name} {number}"
                while True:
                    answer = patch(client, code, etag, self.token, {"properties": {"offering": value}})
                    if answer.status_code == 200:
                        self.acknowledged.append(value)
                        etag = answer.headers["etag"]
                        break
                    if answer.status_code != 412:
                        self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                        return
                    self.retries += 1
                    etag = answer.headers["etag"]  # the refusal says what the record is now


def test_every_acknowledged_change_is_in_the_history_once_and_the_chain_holds(register: LiveRegister) -> None:
    code = register.ward.places[0]
    editors = [Editor(name, token) for name, token in zip(("một", "hai"), register.tokens, strict=True)]
    threads = [
        threading.Thread(target=editor.run, args=(register.url, code, EDITS // CLIENTS), daemon=True)
        for editor in editors
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=max(MOST_SECONDS - (time.monotonic() - began), 0))
    seconds = time.monotonic() - began
    assert not any(thread.is_alive() for thread in threads), f"not done after {MOST_SECONDS} s"
    assert [editor.wrong for editor in editors] == [[], []]
    retries = sum(editor.retries for editor in editors)
    print(f"\n{EDITS} acknowledged in {seconds:.1f} s: {EDITS / seconds:.0f}/s, {retries} retries after 412")

    with register.database.owner.connect() as connection:
        changes = connection.execute(
            text("SELECT seq, actor_name, before, after FROM register.change WHERE collection = 'establishments' "
                 "AND record_code = :code ORDER BY seq"), {"code": code},
        ).all()[1:]  # fmt: skip
        broken = connection.execute(text("SELECT broken_seq, broken_why FROM register.verify_changes()")).one()
        sequence = connection.execute(text("SELECT count(*), min(seq), max(seq) FROM register.change")).one()
    written = [change.after["offering"] for change in changes]
    assert sorted(written) == sorted(value for editor in editors for value in editor.acknowledged)
    assert len(written) == len(set(written)) == EDITS
    for editor in editors:
        own = [value for value in written if value.startswith(editor.name)]
        assert own == editor.acknowledged, "in the order in which they were acknowledged"
    for earlier, later in itertools.pairwise(changes):
        assert later.before == earlier.after, f"change {later.seq} does not follow the one before it"
        assert later.after["version"] == earlier.after["version"] + 1
    assert (broken.broken_seq, broken.broken_why) == (None, None)
    assert (sequence.min, sequence.max) == (1, sequence.count), "the history has no gap"
    assert {change.actor_name for change in changes} == {"mot", "hai"}


def test_who_is_late_hears_so_without_waiting_for_other_writers(register: LiveRegister) -> None:
    code, token = register.ward.places[0], register.tokens[0]
    answers: list[int] = []
    with httpx.Client(base_url=register.url, timeout=30) as client:
        late = etag_of(client, code, token)
        etag = patch(client, code, late, token, {"properties": {"offering": "first"}}).headers["etag"]

        def in_time() -> None:
            answers.append(patch(client, code, etag, token, {"properties": {"offering": "in time"}}).status_code)

        waiting = threading.Thread(target=in_time, daemon=True)
        with register.database.owner.begin() as importing:
            note_source(importing, reason="a long import")
            waiting.start()
            answer = patch(client, code, late, token, {"properties": {"offering": "late"}})
            assert answer.status_code == 412 and answer.headers["etag"] == etag
            waiting.join(timeout=1)
            assert answers == [], "who is not late waits for the import"
        waiting.join(timeout=30)
    assert answers == [200]


def test_the_command_line_finds_the_history_unbroken(register: LiveRegister) -> None:
    assert command(register.data_dir, "verify-changes")


def test_different_records_are_edited_side_by_side_without_conflict(register: LiveRegister) -> None:
    editors = [Editor(name, token) for name, token in zip(("ba", "bốn"), register.tokens, strict=True)]
    threads = [
        threading.Thread(target=editor.run, args=(register.url, code, 25), daemon=True)
        for editor, code in zip(editors, register.ward.places, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [(len(editor.acknowledged), editor.retries, editor.wrong) for editor in editors] == [(25, 0, [])] * 2
