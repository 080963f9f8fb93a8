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
        relations[element.get("Id") or ""] = target.removeprefix("/") if target.startswith("/") else folder + target
    return folder, relations
