"""Which part of an xlsx or xlsb archive holds what."""

from xml.etree import ElementTree

from ingest.refusal import Refusal
from ingest.workbook_archive import Archive


def sheet_relations(archive: Archive, ending: str) -> tuple[str, dict[str, str]]:
    """The workbook's folder in the archive, and the parts it names, by the name it gives them."""
    folder = "xl/"
    if f"xl/workbook.{ending}" not in archive.parts:
        found = [name for name in archive.parts if name.endswith(f"workbook.{ending}")]
        if not found:
            raise Refusal("damaged")
        folder = found[0].removesuffix(f"workbook.{ending}")
    root = ElementTree.fromstring(archive.read(f"{folder}_rels/workbook.{ending}.rels"))
    relations = {}
    for element in root:
        target = element.get("Target") or ""
        relations[element.get("Id") or ""] = _part_name(folder, target)
    return folder, relations


def _part_name(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return target if target.startswith(folder) else folder + target


def worksheet_part(archive: Archive, relations: dict[str, str], relation: str) -> str | None:
    """The part that a sheet's relation names, if it is a worksheet's and there."""
    part = relations.get(relation, "")
    return part if part in archive.parts and "worksheets/" in part else None
