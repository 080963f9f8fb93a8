"""`mapservice verify-record` and `mapservice rotate-keys`: signed records, offline and on."""

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mapservice import signing
from mapservice.settings import HttpSettings
from postgis.engine import open_database
from postgis.settings import DatabaseSettings


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands to `mapservice`."""
    summary = "Prove without any network that a signed record (/q/CODE.jws) is what the register said."
    verify = commands.add_parser("verify-record", help=summary, description=summary)
    verify.add_argument("file", metavar="FILE", help="the signed record; - reads standard input")
    verify.add_argument("--keys", required=True, metavar="JWKS", type=Path, help="copy of /.well-known/jwks.json")
    verify.set_defaults(run=_verify)
    summary = "Sign records with a new key from now on; the old one stays published."
    commands.add_parser("rotate-keys", help=summary, description=summary).set_defaults(run=_rotate)


def _verify(options: argparse.Namespace, _http: HttpSettings, _store: DatabaseSettings) -> int:
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
        keys = json.loads(options.keys.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise signing.NotGenuine(f"a file cannot be read: {error}") from None
    record = signing.verify(text, keys if isinstance(keys, dict) else {}, time.time())
    sys.stdout.write("\n".join(_told(record)) + "\n")
    return 0


def _told(record: dict[str, Any]) -> list[str]:
    """What a verified record says, in lines. Whatever it holds, it cannot reach the terminal's controls."""
    issued = datetime.fromtimestamp(record["iat"], UTC)
    warned = "A WARNING WAS IN FORCE" if record.get("live_warning") else "no warning was in force"
    lines = [
        "Genuine.",
        f"{record.get('code')}: {record.get('name') or '(no name)'}, {record.get('address') or '(no address)'}",
        f"As signed by {record.get('iss')} at {issued:%Y-%m-%d %H:%M:%S} UTC: {warned}, "
        f"operating status {record.get('operating_status')}, food safety {record.get('food_safety_status')}.",
        f"{(time.time() - record['iat']) / 86400:.1f} days old: what is newer, only the page says.",
    ]
    return ["".join(sign if sign.isprintable() else "\ufffd" for sign in line) for line in lines]


def _rotate(_options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    with open_database(store) as database:
        key, retired = signing.rotate_key(database)
    sys.stdout.write(f"records are signed with {key.kid} from now on\n")
    for kid in retired:
        sys.stdout.write(f"retired: {kid}\n")
    return 0
