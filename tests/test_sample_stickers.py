"""The stickers of the demo: at invented places only, in every state, and good for the page they open."""

from sqlalchemy import text

from layers.sticker_lists import of_pages
from layers.stickers import judge
from mapservice.settings import HttpSettings
from mapservice.sticker_printing import address_with_mark
from postgis.engine import Database
from postgis.secrets import open_secrets


def test_the_demo_has_stickers_at_invented_places_and_nowhere_else(demo_database: Database) -> None:
    secrets = open_secrets(demo_database.settings.data_dir)
    with demo_database.owner.connect() as owner:
        real = text(
            "SELECT count(*) FROM register.sticker s JOIN register.establishment e ON e.id = s.establishment_id "
            "WHERE NOT e.illustrative"
        )
        assert owner.execute(real).scalar_one() == 0
        states = dict(owner.execute(text("SELECT state, count(*) FROM register.sticker GROUP BY 1")).all())
        assert set(states) >= {"printed", "installed", "lost", "withdrawn", "spoilt"}
        assert states["installed"] > 40
        unfinished = text("SELECT count(*) FROM register.sticker_run WHERE pages_taken < pages")
        assert owner.execute(unfinished).scalar_one() == 1
        run = owner.execute(text("SELECT min(id) FROM register.sticker_run")).scalar_one()
        printed = of_pages(owner, run, 1, 2)
    with demo_database.public.connect() as public:
        for one in printed:
            token = address_with_mark(HttpSettings(), secrets, one).partition("?t=")[2]
            found = judge(public, secrets, one.code, token)
            assert (found.verdict, found.serial, found.state) == ("genuine", one.serial, one.state)
