"""Pictures as they are sent: the image alone, and nothing that a file knows besides."""

import struct
from collections.abc import Iterator
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""Chunks of a PNG that are its picture; times, texts and the like are not sent."""


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
