"""The ETag of an answer that is sent while it is made: from the state of the data, since there are no bytes yet."""

import hashlib
from functools import cache
from pathlib import Path

from layers.features import Matched
from layers.standing import state_read

_SOURCES = ("layers", "mapservice", "web")


def export_tag(matched: Matched, form: str, lang: str, address: str) -> str | None:
    """What its ETag says, without quotes and encoding; to be asked in the transaction of one snapshot that reads the
    features for anybody. None for a search, in which equals may change places.

    `address` is where the answer refers to itself, with everything that was asked.
    """
    query = matched.query
    if query.q is not None:
        return None
    # Told on a page where there is more than is counted.
    estimate = matched.estimate if form == "json" and query.cursor is None else None
    parts = (state_read(matched.connection), matched.collection.id, form, lang, address, estimate, _release())
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


@cache
def _release() -> str:
    """Names what makes the answers: another release may write the same data otherwise."""
    root, found = Path(__file__).parents[1], hashlib.blake2b(digest_size=12)
    for folder in _SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".py", ".toml"):
                found.update(path.read_bytes())
    return found.hexdigest()
