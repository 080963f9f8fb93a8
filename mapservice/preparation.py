"""Makes the database ready for serving, as a process that ends: `python -m mapservice.preparation [PATIENCE]`.

What migrations, base data and the sample load would otherwise stay in the memory of the web server.
"""

import sys

from mapservice import logs
from mapservice.beside import AWAY, NOBODY, leave_with_parent
from mapservice.sample import SampleRefused, ensure_sample
from mapservice.settings import HttpSettings
from mapservice.signing import ensure_key
from postgis.engine import PATIENCE_S, open_database
from postgis.migrate import upgrade
from postgis.settings import DatabaseSettings
from postgis.store import staff
from postgis.unavailable import StoreAwayError, StoreUnavailableError

REFUSED = 1
"""Exit code: the reason stands on standard error."""


def main() -> int:
    """Roles, tables, base data and sample, each where missing; says what it does."""
    leave_with_parent(REFUSED)
    logs.configure()
    http, store = HttpSettings(), DatabaseSettings()
    try:
        with open_database(store, _say, patience=float(sys.argv[1]) if sys.argv[1:] else PATIENCE_S) as database:
            _say("Preparing tables and base data ...")
            upgrade(database)
            ensure_key(database)
            if rows := ensure_sample(database, http):
                _say(f"The sample '{http.sample}' is loaded: {rows} places.")
            with database.owner.connect() as connection:
                return 0 if staff.anybody(connection) else NOBODY
    except (StoreUnavailableError, SampleRefused) as error:
        print(f"mapservice: {error}", file=sys.stderr)
        return AWAY if isinstance(error, StoreAwayError) else REFUSED


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
