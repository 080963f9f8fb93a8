"""`mapservice staff …` and `mapservice token`: accounts from the command line, before anybody can sign in."""

import argparse
import getpass
import sys
import unicodedata

from mapservice import passwords
from mapservice.settings import HttpSettings
from postgis.actor import note_source
from postgis.engine import Database, open_database
from postgis.errors import InvalidValues
from postgis.migrate import schema_is_current, upgrade
from postgis.settings import DatabaseSettings
from postgis.store import staff, tokens
from postgis.store.staff import LOGIN_PATTERN, NAME_LENGTH
from postgis.vocabulary import STAFF_ROLES, TOKEN_SCOPES

_WEAK = {
    "too_short": f"The password needs at least {passwords.SHORTEST} characters.",
    "too_long": f"The password is longer than {passwords.LONGEST} characters.",
    "is_login": "The password must not be made from the login.",
    "too_common": "Many people use this password; it is easily guessed.",
}


class Refused(Exception):
    """The command cannot be done; the message says why."""


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `staff add`, `staff password` and `token`."""
    actions = commands.add_parser("staff", help="Accounts of staff.").add_subparsers(required=True, metavar="COMMAND")
    add = actions.add_parser("add", help="Add an account.")
    add.add_argument("login", metavar="NAME", help="what the person types to sign in: a-z, 0-9, dots, hyphens")
    add.add_argument("--role", required=True, choices=STAFF_ROLES)
    add.add_argument("--ward", metavar="CODE", help="the person's ward (default: MAPSERVICE_WARD)")
    add.add_argument("--display-name", metavar="TEXT", help="the person's name as colleagues see it (default: NAME)")
    add.set_defaults(run=add_staff)
    password = actions.add_parser("password", help="Set a forgotten password anew; ends the person's sessions.")
    password.add_argument("login", metavar="NAME")
    password.add_argument("--remove-totp", action="store_true", help="remove a lost second factor too")
    password.set_defaults(run=set_password)
    for parser in (add, password):
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input, not the terminal"
        )
    token = commands.add_parser("token", help="Print a new bearer token of an account.")
    token.add_argument("login", metavar="NAME", help="the account that the token acts as")
    token.add_argument("--days", type=_days, default=90, metavar="N", help="days it works (default 90, at most 365)")
    token.add_argument("--scope", choices=TOKEN_SCOPES, default="write", help="default: write")
    token.add_argument("--label", default="mapservice token", metavar="TEXT", help="what its owner sees it listed as")
    token.set_defaults(run=make_token)


def add_staff(options: argparse.Namespace, http: HttpSettings, store: DatabaseSettings) -> int:
    """Adds an account whose password is good for good. Raises Refused."""
    login = options.login
    if not LOGIN_PATTERN.fullmatch(login):
        raise Refused(
            f"{login!r} can't be a login: 2 to 40 small letters a-z, digits, dots, underscores and hyphens are needed."
        )
    name = unicodedata.normalize("NFC", " ".join((options.display_name or login).split()))
    if not 0 < len(name) <= NAME_LENGTH:
        raise Refused(f"The display name needs 1 to {NAME_LENGTH} characters.")
    kept = passwords.hash_password(_read_password(login, from_stdin=options.password_stdin))
    ward = options.ward or http.ward
    with open_database(store) as database:
        make_ready(database)
        try:
            with database.owner.begin() as connection:
                note_source(connection, reason="mapservice staff add")
                staff.add(
                    connection,
                    login=login,
                    display_name=name,
                    role=options.role,
                    ward_code=ward,
                    password_hash=kept,
                    must_change_password=False,
                )
        except InvalidValues as error:
            if error.errors[0].field == "ward":
                raise Refused(f"There is no ward {ward!r}.") from None
            raise Refused(f"There is an account {login!r} already.") from None
    print(f"{login} can sign in as {options.role} of ward {ward}.")
    return 0


def set_password(options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    """Sets a password anew: also for the only administrator, whom nobody else can help. Raises Refused."""
    kept = passwords.hash_password(_read_password(options.login, from_stdin=options.password_stdin))
    with open_database(store) as database:
        make_ready(database)
        with database.owner.begin() as connection:
            note_source(connection, reason="mapservice staff password")
            member = staff.find(connection, options.login)
            if member is None:
                raise Refused(f"There is no account {options.login!r}.")
            staff.set_password(connection, member.id, kept, must_change=False)
            if options.remove_totp:
                staff.set_totp(connection, member.id, None)
    print(f"The password of {options.login} is set; all sessions are ended.")
    return 0


def make_token(options: argparse.Namespace, _http: HttpSettings, store: DatabaseSettings) -> int:
    """Prints a token and nothing else on standard output, for `TOKEN=$(mapservice token NAME)`. Raises Refused."""
    label = " ".join(options.label.split())[:NAME_LENGTH] or "mapservice token"
    with open_database(store) as database:
        make_ready(database)
        with database.owner.begin() as connection:
            note_source(connection, reason="mapservice token")
            member = staff.find(connection, options.login)
            if member is None:
                raise Refused(f"There is no account {options.login!r}. `mapservice staff add` makes one.")
            if member.disabled_at is not None:
                raise Refused(f"The account {options.login!r} is disabled.")
            token = tokens.issue(connection, member.id, label, options.scope, options.days)
    print(token)
    return 0


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= tokens.MAX_DAYS):
        raise argparse.ArgumentTypeError(f"1 to {tokens.MAX_DAYS} days, not {text!r}")
    return int(text)


def make_ready(database: Database) -> None:
    """Tables, where the service has never run on this database."""
    with database.owner.connect() as connection:
        ready = staff.is_there(connection) and schema_is_current(connection)
    if not ready:
        upgrade(database)


def _read_password(login: str, *, from_stdin: bool) -> str:
    """The password: never from the command line, which everybody on the machine can read. Raises Refused."""
    if from_stdin:
        password = sys.stdin.readline(4096).rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise Refused("The two entries differ.")
    else:
        raise Refused("Give the password on standard input with --password-stdin, or run this on a terminal.")
    weak = passwords.weakness(password, login)
    if weak is not None:
        raise Refused(_WEAK[weak])
    return password
