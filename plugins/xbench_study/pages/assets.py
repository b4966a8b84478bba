"""Pictures as they are sent: the image alone, and nothing that a file knows besides."""

import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from starlette.exceptions import HTTPException
from starlette.responses import Response

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Chunks of a PNG that are its picture; times, texts and the like are not sent."""


MOST_SHOWN = 10_000


@dataclass(frozen=True)
class ShownPages:
    """The pictures of the page that each person has before them.

    A browser asks for them right after the page; nobody has to be looked up for them once more.
    """

    _pages: OrderedDict[str, tuple[int, Sequence[str]]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def note(self, token: str, position: int, keys: Sequence[str]) -> None:
        """A page was shown; those of long ago are forgotten."""
        with self._lock:
            self._pages[token] = position, keys
            self._pages.move_to_end(token)
            if len(self._pages) > MOST_SHOWN:
                self._pages.popitem(last=False)

    def forget(self, token: str) -> None:
        """This person may have gone on."""
        with self._lock:
            self._pages.pop(token, None)

    def keys(self, token: str, position: int) -> Sequence[str] | None:
        """Those of the page at a position, None where another one, or none, is known."""
        with self._lock:
            at, keys = self._pages.get(token, (position, None))
        return keys if at == position else None


def picture(path: Path) -> Response:
    """A picture without metadata and without the file's time; 404 for what is no PNG."""
    try:
        content = bare(path.read_bytes())
    except (OSError, ValueError) as error:
        raise HTTPException(404) from error
    return Response(content, media_type="image/png")


def bare(content: bytes) -> bytes:
    """A PNG without metadata, or `ValueError`."""
    if not content.startswith(SIGNATURE):
        raise ValueError("no PNG")
    return SIGNATURE + b"".join(chunk for name, chunk in _chunks(content) if name in KEPT)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place < len(content):
        if place + 12 > len(content):
            raise ValueError("a PNG that is cut off")
        length = struct.unpack_from(">I", content, place)[0]
        yield content[place + 4 : place + 8], content[place : place + 12 + length]
        place += 12 + length
