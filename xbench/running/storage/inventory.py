"""What lies in a store, what of it is damaged, and what can go."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from xbench.running.storage import segments
from xbench.running.storage.store import Store
from xbench.running.storage.store_files import kind_of

SEALED = ("artefacts", "rows", "records", "scores", *segments.FOLDERS)
"""The folders whose files hold a seal."""
DAMAGED = "damaged"
"""Why most files go."""
DAY = 86_400.0
"""Seconds after which a temporary file belongs to nobody."""
_SUFFIXES = (".parquet", ".safetensors", ".json")
_TEMPORARY = re.compile(r"(tmp/|\.probe-)[0-9a-f]{32}")


class Holding(NamedTuple):
    """The files of one kind."""

    kind: str
    files: int
    size: int
    """Bytes."""


class Garbage(NamedTuple):
    """A file that can go."""

    path: str
    size: int
    reason: str


def holdings(store: Store) -> list[Holding]:
    """How much there is of each kind."""
    sizes: dict[str, list[int]] = {}
    for path, entry in store.files.listed().items():
        sizes.setdefault(_kind(path), []).append(entry.size)
    return [Holding(kind, len(of), sum(of)) for kind, of in sorted(sizes.items())]


def damaged(store: Store) -> Iterator[str]:
    """The paths of files without a right seal; reads everything."""
    for path in store.files.listed():
        if _is_sealed(path) and store.files.read(path) is None and path in store.files.damaged:
            yield path


def garbage(store: Store, now: float, *, kept: bool = False) -> Iterator[Garbage]:
    """What kills and damage left behind, and where `kept`, all kept explanations too.

    A record without a right seal is none as long as it can be read: it may be all that is left
    of a result.
    """
    listed, broken = store.files.listed(), set(damaged(store))
    for path, entry in listed.items():
        age = now - entry.modified if entry.modified else 0.0
        reason = _reason(path, age, kept=kept, is_damaged=path in broken)
        if reason and not (reason == DAMAGED and _is_readable_record(store, path)):
            yield Garbage(path, entry.size, reason)


def _reason(path: str, age: float, *, kept: bool, is_damaged: bool) -> str:
    """Why a file can go; "" where it cannot."""
    if _TEMPORARY.fullmatch(path):
        return "temporary" if age > DAY else ""
    if path.endswith(".sha256") and _folder(path) in SEALED:
        return "checksum of a version before"
    if kept and _folder(path) in segments.FOLDERS:
        return "kept explanation"
    return DAMAGED if is_damaged else ""


def _is_readable_record(store: Store, path: str) -> bool:
    if _folder(path) != "records":
        return False
    try:
        with store.files.open(path) as file:
            return isinstance(json.load(file), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _is_sealed(path: str) -> bool:
    return _folder(path) in SEALED and path.endswith(_SUFFIXES)


def _kind(path: str) -> str:
    if _TEMPORARY.fullmatch(path):
        return "temporary"
    return kind_of(path) if _is_sealed(path) else "other"


def _folder(path: str) -> str:
    return path.partition("/")[0]
