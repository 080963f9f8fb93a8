"""Every setting, collection, route and code list is documented and labelled, in both languages."""

from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from layers.collections import COLLECTIONS
from layers.styles import STYLES
from mapservice.app import ROUTERS
from mapservice.cli import _parser
from mapservice.errors import PROBLEMS
from mapservice.routes.ogc.landing import CONFORMANCE
from mapservice.settings import HttpSettings
from postgis.settings import DatabaseSettings
from postgis.vocabulary import CODE_LISTS
from tests import standards
from web import labels

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LANGUAGES = labels.LANGUAGES


@pytest.mark.parametrize("settings", [HttpSettings, DatabaseSettings])
def test_every_setting_is_in_the_readme_and_described(settings: type) -> None:
    for name, field in settings.model_fields.items():  # type: ignore[attr-defined]
        assert field.description, name
        assert f"MAPSERVICE_{name.upper()}" in README, name


def test_every_collection_and_field_has_titles() -> None:
    for collection in COLLECTIONS.values():
        assert f"`{collection.id}`" in README
        for lang in LANGUAGES:
            assert labels.collection_title(collection.id, lang)
            assert labels.collection_description(collection.id, lang)
            for field in collection.fields:
                assert labels.field_title(collection.id, field.name, lang), field.name


def test_every_code_has_words() -> None:
    for name, codes in CODE_LISTS.items():
        for lang in LANGUAGES:
            assert set(labels.code_list(name, lang)) >= set(codes), (name, lang)
    used = {field.code_list for collection in COLLECTIONS.values() for field in collection.fields if field.code_list}
    assert used <= set(CODE_LISTS)


def test_every_problem_has_words() -> None:
    for code in PROBLEMS:
        for lang in LANGUAGES:
            assert labels.text(f"problems.{code}.title", lang)
            assert f"problems.{code}.detail" in set(labels.keys(lang))


def test_both_languages_say_the_same_things() -> None:
    vietnamese, english = ({key.removesuffix(".one") for key in labels.keys(lang)} for lang in LANGUAGES)
    assert vietnamese == english


def _routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def test_the_table_of_standards_is_what_the_tests_say() -> None:
    """And every class that the service declares is in it."""
    assert standards.written_table() == standards.table()
    tested = {found.uri for found in standards.CLASSES}
    assert tested == set(CONFORMANCE)
    assert all(found.tests for found in standards.CLASSES)


def test_every_route_says_what_it_is_for() -> None:
    routes = _routes()
    assert len(routes) > 20
    for route in routes:
        assert route.summary, route.path
        assert route.endpoint.__doc__, route.path


def test_every_address_is_in_the_readme() -> None:
    """Of the staff screens the pages; what their forms post to is theirs."""
    for route in _routes():
        if route.path.startswith("/staff") and "GET" not in route.methods:
            continue
        assert f"`{route.path.replace(':path', '')}`" in README, route.path


def test_every_command_and_style_is_in_the_readme() -> None:
    actions = next(action for action in _parser()._actions if action.choices)
    for name in actions.choices or ():
        assert f"mapservice {name}" in README, name
    for style in STYLES:
        assert f"`{style}`" in README, style
    for package in ("mapservice", "layers", "ingest", "web", "postgis"):
        assert f"`{package}/`" in README
