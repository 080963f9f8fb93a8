"""`mapservice verify-changes`: proves that the register is what its history says, or names the first place."""

import argparse
import sys

from mapservice.settings import HttpSettings
from postgis.engine import open_database
from postgis.settings import DatabaseSettings
from postgis.store import changes


class NotWhole(Exception):
    """History and register do not agree; the message names the first place."""


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to `mapservice`."""
    summary = "Prove that no change was altered, removed or made past the history."
    parser = commands.add_parser("verify-changes", help=summary, description=summary)
    parser.set_defaults(run=_verify)


def _verify(_options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    # Only looking: whoever verifies must change nothing.
    with open_database(store, prepare=False) as database, database.owner.connect() as connection:
        found = changes.verify(connection)
    if found.broken_seq is not None:
        raise NotWhole(f"change {found.broken_seq} is not as it was written: {found.broken_why}")
    if found.altered:
        first = found.altered[0]
        told = f"change {first.last_seq} tells of it last" if first.last_seq else "no change tells of it"
        others = f"; {len(found.altered) - 1:,} more" if len(found.altered) > 1 else ""
        raise NotWhole(f"{first.collection} {first.record_code}: {first.why} ({told}){others}")
    sys.stdout.write(f"{found.changes:,} changes, an unbroken chain\n")
    sys.stdout.write(f"{found.records:,} records, each as its last change says\n")
    sys.stdout.write(f"head {found.head_hash}\n")
    return 0
