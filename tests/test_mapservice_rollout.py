"""The rollout: each criterion measured live or proved by a signed document, nothing met by default, rights kept."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from mapservice.document_files import MAX_DOCUMENT_BYTES
from postgis.actor import Actor, write_as
from postgis.criteria import BASES, UNITS, criteria_of
from postgis.engine import Database, create_database, drop_database
from postgis.store.documents import FOLDER
from postgis.today import today
from tests.small_ward import WARD, SmallWard, add_staff, fill
from tests.staff_clients import OTHER_WARD, Browser, add_member, location
from tests.test_mapservice_photos import bomb
from web import labels

PAGE = "/board/rollout"
PROOFS = "/staff/rollout/proofs"
PDF = b"%PDF-1.7\n" + b"1 0 obj <<>> endobj\n" * 20 + b"%%EOF\n"
TYPED = {"criterion": "update_rules", "title": "Quy chế cập nhật", "number": "12/QC-UBND", "dated_on": "01/10/2026"}


@dataclass
class World:
    """A ward with five places, and browsers of who works there."""

    database: Database
    officer_actor: Actor
    ward: SmallWard
    nobody: Browser
    people: dict[str, Browser]

    def json(self, ward: str = WARD, **headers: str) -> dict[str, Any]:
        answer = self.nobody.get(f"/rollout?ward={ward}", accept="application/json", **headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def criterion(self, code: str) -> dict[str, Any]:
        return next(each for phase in self.json()["phases"] for each in phase["criteria"] if each["code"] == code)

    def attach(
        self, who: str = "officer", file: bytes = PDF, name: str = "quy-che.pdf", **typed: str
    ) -> httpx.Response:
        browser = self.people[who]
        form = {"csrf_token": browser.proof("/staff/establishments"), **TYPED, **typed}
        return browser.client.post(PROOFS, data=form, files={"file": (name, file)})

    def rows(self) -> list[Any]:
        with self.database.owner.connect() as connection:
            return list(
                connection.execute(text("SELECT * FROM register.criterion_proof WHERE number <> '1/QC' ORDER BY id"))
            )


@pytest.fixture
def world(server: Database, base_database: Database, request: pytest.FixtureRequest) -> Iterator[World]:
    base_database.dispose()
    name = f"rollout_{abs(hash(request.node.name)) % 10**8}"
    own = create_database(server, name, template="base")
    people: dict[str, Browser] = {}
    for role in ("surveyor", "officer", "approver"):
        add_member(own, role, role)
    add_member(own, "other", "officer", ward=OTHER_WARD)
    officer = add_staff(own, "worker", "officer")
    ward = fill(own, officer, 5)
    for login in ("surveyor", "officer", "approver", "other"):
        people[login] = Browser(own)
        people[login].sign_in(login)
    yield World(own, officer, ward, Browser(own), people)
    own.dispose()
    drop_database(server, name)


def test_every_output_of_the_plan_has_a_criterion_and_every_criterion_words(world: World) -> None:
    phases = world.json()["phases"]
    assert [each["code"] for each in phases] == ["phase_1", "phase_2", "upkeep"]
    for phase in phases:
        assert {each["output"] for each in phase["criteria"]} == set(phase["outputs"])
    codes = [each.code for each in criteria_of(WARD)]
    assert len(codes) == len(set(codes)) == sum(len(phase["criteria"]) for phase in phases)
    for each in criteria_of(WARD):
        assert each.basis in BASES and (each.measure is None or each.unit in UNITS)
        for lang in labels.LANGUAGES:
            assert labels.text(f"rollout.criteria.{each.code}.title", lang)
            assert labels.text(f"rollout.criteria.{each.code}.definition", lang)


def test_the_answer_has_the_words_of_the_contract(world: World) -> None:
    found = world.json()
    assert found["ward"] == WARD and found["as_of"] == today().isoformat()
    for phase in found["phases"]:
        assert {"code", "title", "starts", "due", "met", "criteria"} <= set(phase)
        for each in phase["criteria"]:
            assert {"code", "title", "measured", "needed", "met", "evidence"} <= set(each)
            assert each["evidence"] and isinstance(each["met"], bool)
    english = world.json(**{"accept-language": "en"})
    assert english["phases"][0]["criteria"][0]["title"] == "Establishments with name and address"


def test_what_is_measured_is_what_the_register_holds(world: World) -> None:
    assert world.criterion("names_and_addresses")["measured"] == 100
    assert world.criterion("names_and_addresses")["met"] is True
    # Five places, none in a group, none with a sector code, no accuracy stated: nothing of that is met by default.
    for code in ("residential_groups", "sectors_standardised", "positions"):
        found = world.criterion(code)
        assert (found["measured"], found["numerator"], found["denominator"], found["met"]) == (0, 0, 5, False), code
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.establishment SET position_accuracy_m = 10 WHERE code = :c"),
                           {"c": world.ward.places[0]})  # fmt: skip
        connection.execute(text("UPDATE register.establishment SET operating_status = 'closed' WHERE code = :c"),
                           {"c": world.ward.places[1]})  # fmt: skip
    # Closed places count no more; of four nothing is told.
    found = world.criterion("positions")
    assert (found["measured"], found["numerator"], found["denominator"], found["met"]) == (None, None, None, False)
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.establishment SET operating_status = 'active'"))
    assert world.criterion("positions")["measured"] == 20
    layers = world.criterion("first_layers")
    assert (layers["measured"], layers["needed"], layers["met"]) == (6, 6, True)


def test_updates_are_counted_by_days_of_people_and_not_of_the_sample(world: World) -> None:
    assert world.criterion("updates")["measured"] == 1
    with write_as(world.database, world.officer_actor, reason="thử") as connection:
        connection.execute(text("UPDATE register.establishment SET name = 'Quán Khác' WHERE code = :c"),
                           {"c": world.ward.places[0]})  # fmt: skip
    assert world.criterion("updates")["measured"] == 1
    with world.database.owner.begin() as connection:
        # As owner nobody acts: what the sample writes.
        connection.execute(text("UPDATE register.establishment SET name = 'Quán Mẫu' WHERE code = :c"),
                           {"c": world.ward.places[0]})  # fmt: skip
    assert world.criterion("updates")["measured"] == 1


def test_stickers_issued_and_installed(world: World) -> None:
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.sticker SET state = 'installed'"))
    issued, installed = world.criterion("qr_issued"), world.criterion("qr_installed")
    assert (issued["numerator"], installed["numerator"], issued["denominator"]) == (1, 1, 5)
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.sticker SET state = 'lost'"))
    assert (world.criterion("qr_issued")["numerator"], world.criterion("qr_installed")["numerator"]) == (0, 0)


def test_invented_places_are_said_to_be(world: World) -> None:
    with world.database.owner.begin() as connection:
        connection.execute(text("UPDATE register.establishment SET illustrative = true"))
    found = world.criterion("names_and_addresses")
    assert found["illustrative"] == 5 and "5 là dữ liệu minh họa" in found["evidence"]
    assert "5 cơ sở minh họa" in world.nobody.get(PAGE).text


def test_wards_without_phases_have_none_and_unknown_wards_are_unknown(world: World) -> None:
    for ward in ("00235", "00367", "10507", "10603", OTHER_WARD):
        assert world.json(ward)["phases"] == []
        assert "không có giai đoạn" in world.nobody.get(f"{PAGE}?ward={ward}").text
    for ward in ("99999", "../../etc", "20257\x00", "x" * 500):
        assert world.nobody.get("/rollout", accept="application/json").status_code == 200
        for path in ("/rollout", PAGE):
            assert world.nobody.client.get(path, params={"ward": ward}).status_code in (400, 404), ward
    assert world.nobody.get("/rollout?wards=20257").status_code == 400


def test_a_document_proves_only_once_a_leader_has_signed_and_until_it_is_withdrawn(world: World) -> None:
    assert world.criterion("update_rules")["met"] is False
    assert location(world.attach()).endswith("#proofs")
    number = world.rows()[0].id
    assert world.criterion("update_rules")["met"] is False, "an unsigned document proves nothing"
    assert "Chờ người có thẩm quyền" in world.people["officer"].get(PAGE).text

    assert world.people["officer"].send(PAGE, f"{PROOFS}/{number}/sign").status_code == 403
    location(world.people["approver"].send(PAGE, f"{PROOFS}/{number}/sign"))
    signed = world.rows()[0]
    assert (signed.signed_name, signed.signed_role) == ("Người thử approver", "approver") and signed.signed_at
    found = world.criterion("update_rules")
    assert found["met"] is True and found["measured"] is None and found["proved_by"] == "document"
    assert "12/QC-UBND" in found["evidence"] and found["documents"][0]["dated_on"] == "2026-10-01"
    assert "Người thử" not in world.nobody.get("/rollout", accept="application/json").text
    # Signed again, nothing changes.
    location(world.people["approver"].send(PAGE, f"{PROOFS}/{number}/sign"))
    assert world.rows()[0].signed_at == signed.signed_at

    assert world.people["officer"].send(PAGE, f"{PROOFS}/{number}/withdraw", reason="sai").status_code == 403
    assert world.people["approver"].send(PAGE, f"{PROOFS}/{number}/withdraw", reason=" ").status_code == 422
    location(world.people["approver"].send(PAGE, f"{PROOFS}/{number}/withdraw", reason="Ký nhầm bản nháp"))
    assert world.criterion("update_rules")["met"] is False
    row = world.rows()[0]
    assert row.withdrawn_reason == "Ký nhầm bản nháp" and row.signed_by, "withdrawn, never deleted"
    assert "Ký nhầm bản nháp" in world.people["officer"].get(PAGE).text
    assert world.people["approver"].send(PAGE, f"{PROOFS}/{number}/sign").status_code == 409


def test_a_document_does_not_take_the_place_of_a_measurement(world: World) -> None:
    location(world.attach(criterion="positions"))
    location(world.people["approver"].send(PAGE, f"{PROOFS}/{world.rows()[0].id}/sign"))
    found = world.criterion("positions")
    assert (found["measured"], found["met"], found["proved_by"]) == (0, False, "data")
    assert "không thay cho số đo" in found["evidence"] and "12/QC-UBND" in found["evidence"]


def test_sent_twice_it_is_one_document_and_one_note(world: World) -> None:
    location(world.attach())
    location(world.attach())
    assert len(world.rows()) == 1
    form = {"state": "on_track", "words": "Đang nhập danh sách chợ", "key": "k" * 20}
    for _ in range(2):
        location(world.people["officer"].send(PAGE, "/staff/rollout/notes/phase_1/state", **form))
    with world.database.owner.connect() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM register.phase_note WHERE kind = 'state'")).scalar_one() == 1
        )


def photo() -> bytes:
    output = io.BytesIO()
    Image.new("RGB", (900, 1200), "white").save(output, "PNG", pnginfo=None)
    return output.getvalue()


def test_files_come_back_as_downloads_to_officers_of_the_ward_alone(world: World) -> None:
    location(world.attach())
    location(world.attach(file=photo(), name="anh.png"))
    numbers = [row.id for row in world.rows()]
    answers = [world.people["officer"].get(f"{PROOFS}/{number}/document") for number in numbers]
    assert answers[0].content == PDF and answers[0].headers["content-type"] == "application/pdf"
    assert answers[1].headers["content-type"] == "image/jpeg" and answers[1].content[:2] == b"\xff\xd8"
    for answer in answers:
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
    address = f"{PROOFS}/{numbers[0]}/document"
    assert world.nobody.get(address).status_code in (303, 401)
    assert world.people["surveyor"].get(address).status_code == 403
    assert world.people["other"].get(address).status_code == 404
    assert world.people["officer"].get(f"{PROOFS}/999999/document").status_code == 404
    assert world.people["officer"].get(f"{PROOFS}/x/document").status_code == 404
    # Its file gone, the document says so.
    for left in (world.database.settings.data_dir / FOLDER).glob("*.pdf"):
        left.unlink()
    assert world.people["officer"].get(address).status_code == 404


@pytest.mark.parametrize(
    ("file", "status", "words"),
    [
        (b"", 422, "Hãy điền"),
        (b"%PDF-1.7 cut off", 422, "thiếu phần cuối"),
        (b"MZ\x90\x00" + b"\0" * 200, 422, "không phải PDF"),
        (b"<script>alert(1)</script>", 422, "không phải PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422, "không phải PDF"),
        (b"PK\x03\x04" + b"\0" * 200, 422, "không phải PDF"),
        (bomb(), 422, "quá nhiều điểm ảnh"),
        (b"%PDF-1.7\n" + b"0" * MAX_DOCUMENT_BYTES + b"%%EOF", 422, "lớn quá 10 MB"),
        (b"%PDF-1.7\n" + b"0" * (MAX_DOCUMENT_BYTES + 200_000) + b"%%EOF", 413, ""),
    ],
    ids=("none", "cut off", "program", "html", "svg", "zip", "bomb", "too large", "far too large"),
)
def test_hostile_files_are_refused_in_words(world: World, file: bytes, status: int, words: str) -> None:
    answer = world.attach(file=file, name="../../x.pdf\x00.exe")
    assert answer.status_code == status and words in answer.text
    assert not world.rows()


def test_what_is_typed_is_checked_and_given_back(world: World) -> None:
    ahead = today() + timedelta(days=2)
    wrong = [
        ({"title": ""}, "Tên văn bản"),
        ({"title": "x" * 301}, "dài quá 300"),
        ({"title": "a\u202eb"}, "ký tự không đọc được"),
        ({"number": "y" * 61}, "dài quá 60"),
        ({"dated_on": "31/02/2026"}, "31/02/2026"),
        ({"dated_on": f"{ahead:%d/%m/%Y}"}, "không thể ở sau hôm nay"),
        ({"criterion": "nothing"}, "Hãy chọn một tiêu chí"),
        ({"criterion": "../../etc/passwd"}, "Hãy chọn một tiêu chí"),
    ]
    for typed, words in wrong:
        answer = world.attach(**typed)
        assert answer.status_code == 422 and words in answer.text, typed
    assert 'value="12/QC-UBND"' in world.attach(title="").text, "what was right is still there"
    evil = "<script>alert(1)</script>"
    location(world.attach(title=evil))
    for page in (world.people["officer"].get(PAGE).text, world.attach(title="").text):
        assert evil not in page and "&lt;script&gt;" in page
    assert len(world.rows()) == 1


def test_notes_are_kept_in_order_and_blockers_are_solved_once(world: World) -> None:
    officer = world.people["officer"]
    notes = "/staff/rollout/notes"
    location(officer.send(PAGE, f"{notes}/phase_1/blocker", words="Thiếu danh sách chợ", key="a" * 20))
    with world.database.owner.connect() as connection:
        number = connection.execute(text("SELECT max(id) FROM register.phase_note")).scalar_one()
    assert "Thiếu danh sách chợ" in officer.get(PAGE).text
    assert "Thiếu danh sách chợ" not in world.nobody.get(PAGE).text
    assert "Thiếu danh sách chợ" not in world.people["surveyor"].get(PAGE).text
    assert "Thiếu danh sách chợ" not in world.people["other"].get(f"{PAGE}?ward={WARD}").text
    location(officer.send(PAGE, f"{notes}/{number}/solved", words="Ban quản lý chợ đã gửi", key="b" * 20))
    location(world.people["approver"].send(PAGE, f"{notes}/{number}/solved", words="Gửi rồi", key="c" * 20))
    page = officer.get(PAGE).text
    assert "Ban quản lý chợ đã gửi" in page and "Gửi rồi" not in page
    for path, form in (
        ("phase_9/state", {"state": "late", "words": "x"}),
        ("999999/solved", {"words": "x"}),
        ("x/solved", {"words": "x"}),
    ):
        assert officer.send(PAGE, f"{notes}/{path}", key="d" * 20, **form).status_code == 404, path
    assert officer.send(PAGE, f"{notes}/phase_1/done", words="x", key="d" * 20).status_code == 404
    assert officer.send(PAGE, f"{notes}/phase_1/state", words="x", state="done", key="d" * 20).status_code == 422
    assert officer.send(PAGE, f"{notes}/phase_1/state", words="", state="late", key="d" * 20).status_code == 422
    assert officer.send(PAGE, f"{notes}/phase_1/state", words="x" * 1001, state="late", key="d" * 20).status_code == 422
    assert officer.send(PAGE, f"{notes}/phase_1/state", words="x", state="late", key="").status_code == 400


def test_who_may_write(world: World) -> None:
    assert world.attach("surveyor").status_code == 403
    # An officer of a ward without phases has nothing to prove.
    assert world.attach("other").status_code == 422
    form = {"words": "x", "state": "late", "key": "d" * 20}
    assert (
        world.people["surveyor"].send("/staff/establishments", "/staff/rollout/notes/phase_1/state", **form).status_code
        == 403
    )
    assert (
        world.people["other"].send("/staff/establishments", "/staff/rollout/notes/phase_1/state", **form).status_code
        == 404
    )
    location(world.attach())
    number = world.rows()[0].id
    assert (
        world.people["other"].send("/staff/establishments", f"{PROOFS}/{number}/withdraw", reason="x").status_code
        == 404
    )
    stale = world.people["officer"].post(f"{PROOFS}/{number}/withdraw", {"csrf_token": "x", "reason": "x"})
    assert stale.status_code == 403
    assert world.nobody.post(f"{PROOFS}/{number}/sign", {}).status_code in (303, 401)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM register.criterion_proof",
        "TRUNCATE register.criterion_proof",
        "UPDATE register.criterion_proof SET title = 'khác'",
        "DELETE FROM register.phase_note",
        "UPDATE register.phase_note SET words = 'khác'",
    ],
)
def test_not_even_the_owner_rewrites_what_was_noted(world: World, statement: str) -> None:
    location(world.attach())
    location(world.people["officer"].send(PAGE, "/staff/rollout/notes/phase_1/blocker", words="x", key="a" * 20))
    with (
        pytest.raises(Exception, match=r"only ever added to|stays as it was"),
        world.database.owner.begin() as connection,
    ):
        connection.execute(text(statement))
