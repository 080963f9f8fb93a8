"""Whether the register is what its history says, and what a record was before a change."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class AlteredRecord:
    """A record that is not what the history last said of it."""

    collection: str
    record_code: str
    last_seq: int | None
    """The last change that the history has of it; None: it has none."""
    why: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found; nothing is wrong when `broken_seq` is None and `altered` is empty."""

    changes: int
    records: int
    head_hash: str
    """Of the last change, hexadecimal: written down elsewhere, it proves later that no history was cut off."""
    broken_seq: int | None
    broken_why: str | None
    altered: tuple[AlteredRecord, ...]

    @property
    def whole(self) -> bool:
        """Whether history and register agree."""
        return self.broken_seq is None and not self.altered


def verify(connection: Connection) -> Verification:
    """Recomputes the chain and compares every record with its last change. As owner: it must see all wards."""
    chain = connection.execute(text("SELECT checked, head_hash, broken_seq, broken_why FROM register.verify_changes()"))
    checked, head, broken_seq, broken_why = chain.one()
    altered = connection.execute(
        text("SELECT collection, record_code, last_seq, why FROM register.altered_records() ORDER BY 3, 1, 2")
    )
    records = connection.execute(text("SELECT count(DISTINCT (collection, record_code)) FROM register.change"))
    return Verification(
        changes=checked,
        records=records.scalar_one(),
        head_hash=bytes(head).hex() if head is not None else "",
        broken_seq=broken_seq,
        broken_why=broken_why,
        altered=tuple(AlteredRecord(*row) for row in altered),
    )


def state_before_merge(connection: Connection, code: str) -> dict[str, Any] | None:
    """The recorded columns of an establishment before it was last merged into another; None: it never was."""
    found: dict[str, Any] | None = connection.execute(
        text(
            "SELECT before FROM register.change WHERE collection = 'establishments' AND record_code = :code "
            "AND before ->> 'merged_into_id' IS NULL AND after ->> 'merged_into_id' IS NOT NULL "
            "ORDER BY seq DESC LIMIT 1"
        ),
        {"code": code},
    ).scalar_one_or_none()
    return found
