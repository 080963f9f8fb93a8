"""Imports over HTTP: files are sent, their rows told with what is personal masked, decided, applied and undone."""

from collections.abc import Iterator

import pytest

from postgis.engine import Database, create_database, drop_database
from tests.import_desk import PAGE, WORKBOOKS, Desk, open_desk


@pytest.fixture(scope="module")
def desk(server: Database, base_database: Database) -> Iterator[Desk]:
    base_database.dispose()
    own = create_database(server, "imports_http", template="base")
    yield open_desk(own)
    own.dispose()
    drop_database(server, "imports_http")


FILES = sorted(path.name for path in WORKBOOKS.iterdir() if path.suffix not in (".md", ".json"))
SIX = ("new", "changed", "same", "doubtful", "wrong", "skipped")


@pytest.mark.parametrize("name", FILES)
def test_every_file_of_the_corpus_is_told_or_refused_in_words(desk: Desk, name: str) -> None:
    batch = desk.read(name)
    assert batch["state"] in ("planned", "failed"), batch
    page = desk.signed_in().get(f"{PAGE}/{batch['id']}")
    assert page.status_code == 200
    if batch["state"] == "failed":
        assert batch["error"]["message"] and batch["error"]["message"] in page.text.replace("&#34;", '"')
        return
    assert sum(batch[verdict] for verdict in SIX) == batch["rows_read"]
    rows = desk.rows(batch["id"])
    for verdict in SIX[:5]:
        assert sum(row["verdict"] == verdict for row in rows) == batch[verdict]
    for verdict in SIX:
        answer = desk.signed_in().get(f"{PAGE}/{batch['id']}?verdict={verdict}")
        assert answer.status_code == 200, verdict
    assert desk.signed_in().get(f"{PAGE}/{batch['id']}?lang=en").status_code == 200
    for problem in batch["problems"]:
        assert problem["message"]
