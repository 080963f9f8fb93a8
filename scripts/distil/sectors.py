"""VSIC 2025 and the codes whose meaning changed between its editions."""

from pathlib import Path

from distil.files import read_csv, write_csv

# The source's mark where the VSIC 2018 meaning is not known: an empty cell is better than a guess.
_UNCHECKED = "to check"


def distil_sectors(data: Path, output: Path) -> None:
    """Write `vsic_2025` (levels 1-5) and `vsic_collisions`."""
    write_csv(
        output / "vsic_2025.csv",
        ["scheme", "code", "level", "parent_code", "section", "name"],
        (
            {
                "scheme": row["scheme"],
                "code": row["code"],
                "level": row["level"],
                "parent_code": row["parent_code"],
                "section": row["section"],
                "name": row["name_vi"],
            }
            for row in read_csv(data / "domain/vsic2025.csv")
        ),
    )
    write_csv(
        output / "vsic_collisions.csv",
        ["code", "meaning_vsic2007", "meaning_vsic2018", "meaning_vsic2025"],
        (
            {
                "code": row["code"],
                "meaning_vsic2007": None if row["meaning_VSIC2007"] == "(not used)" else row["meaning_VSIC2007"],
                "meaning_vsic2018": _meaning_2018(row),
                "meaning_vsic2025": row["meaning_VSIC2025"],
            }
            for row in read_csv(data / "domain/vsic_code_collisions.csv")
        ),
    )


def _meaning_2018(row: dict[str, str]) -> str | None:
    remembered = row["meaning_in_VSIC2018_from_memory"]
    if remembered.startswith("as in VSIC2007"):
        return row["meaning_VSIC2007"]
    if remembered.startswith("as in VSIC2025"):
        return row["meaning_VSIC2025"]
    return None if remembered == _UNCHECKED else remembered
