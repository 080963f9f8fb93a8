"""Proving who one is: the password, then the code where a second factor is on. Every attempt counts, right or wrong.

Nothing here tells a wrong password from a login that does not exist, is disabled or is locked for now: neither the
answer nor the time it takes.
"""

import logging

from mapservice import passwords, second_factor
from mapservice.errors import Problem
from mapservice.sealed import Expired, seal, unseal
from postgis.actor import act_as, write_own_account
from postgis.engine import Database
from postgis.store import sessions, staff
from postgis.store.staff import Attempt

log = logging.getLogger("mapservice.sign_in")

CODE_SECONDS = 300
"""From the right password to the code: time to find the phone."""
_PURPOSE = "sign-in"


def check_password(database: Database, login: str, password: str) -> Attempt | None:
    """The attempt, when the password is right; else None. Raises Problem when too many are being checked at once."""
    with database.staff.begin() as connection:
        attempt = staff.reserve_attempt(connection, login)
    try:
        right = passwords.verify(attempt.password_hash if attempt else None, password)
    except passwords.TooBusy:
        if attempt is not None:
            _take_back(database, attempt)
        raise Problem("too_many_sign_ins") from None
    if attempt is None or not right:
        log.warning("sign-in refused")
        return None
    return attempt


def prove_again(database: Database, login: str, password: str) -> bool:
    """Whether somebody who is signed in knows the password too: before what a borrowed browser must not do."""
    attempt = check_password(database, login, password)
    if attempt is None:
        return False
    with write_own_account(database, attempt.staff_id) as connection:
        staff.attempt_succeeded(connection, attempt)
    return True


def begin(database: Database, attempt: Attempt, password: str) -> str:
    """Begin a session after a right password where no code is needed; returns the cookie's value."""
    renewed = hash_password(password) if passwords.is_outdated(attempt.password_hash) else None
    with write_own_account(database, attempt.staff_id) as connection:
        staff.attempt_succeeded(connection, attempt)
        if renewed is not None:
            staff.renew_hash(connection, attempt, renewed)
        return sessions.start(connection, attempt.staff_id)


def ask_for_code(database: Database, attempt: Attempt) -> str:
    """What the page that asks for the code sends back with it."""
    _take_back(database, attempt)
    return seal(database, _PURPOSE, login=attempt.login, mark=second_factor.account_mark(attempt))


def check_code(database: Database, pending: str, code: str) -> str | None:
    """Begin a session when the code is right, and return the cookie's value; else None. Raises Expired."""
    note = unseal(database, _PURPOSE, pending, seconds=CODE_SECONDS)
    with database.staff.begin() as connection:
        attempt = staff.reserve_attempt(connection, note["login"])
        if attempt is not None:
            if not second_factor.same_account(attempt, note["mark"]):
                raise Expired
            step = second_factor.matching_step(database, attempt, code)
            act_as(connection, attempt.staff_id)
            if step is not None and staff.use_totp_step(connection, attempt.staff_id, step):
                staff.attempt_succeeded(connection, attempt)
                return sessions.start(connection, attempt.staff_id)
    log.warning("sign-in refused")
    return None


def hash_password(password: str) -> str:
    """The password as it is kept. Raises Problem when too many are being checked at once."""
    try:
        return passwords.hash_password(password)
    except passwords.TooBusy:
        raise Problem("too_many_sign_ins") from None


def _take_back(database: Database, attempt: Attempt) -> None:
    with write_own_account(database, attempt.staff_id) as connection:
        staff.attempt_continues(connection, attempt)
