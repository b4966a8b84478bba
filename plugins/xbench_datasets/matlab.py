"""Structures in MATLAB 5 files, read as a stream: a field takes the memory of its result."""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Literal, NamedTuple, Self

import numpy as np

from xbench import DatasetError

Kind = Literal["text", "texts", "numbers", "nonzero"]
"""A text, a cell array of texts, a numeric array, or where a numeric array is not 0."""
Value = str | list[str] | np.ndarray
HEADER = 128
SOURCE, CHUNK = 1 << 14, 1 << 20
"""Bytes that are read, and unpacked, at once."""
COMPRESSED, MATRIX = 15, 14
CELL, STRUCT, TEXT, SPARSE = 1, 2, 4, 5
"""Classes of arrays; numeric ones have numbers from 6 on."""
DTYPES = {1: "i1", 2: "u1", 3: "<i2", 4: "<u2", 5: "<i4", 6: "<u4", 7: "<f4", 9: "<f8"}
DTYPES |= {12: "<i8", 13: "<u8"}
ENCODINGS = {1: "utf-8", 2: "utf-8", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
DAMAGE = (struct.error, zlib.error, EOFError, KeyError, IndexError, ValueError, OSError)


def read_struct(path: Path, variable: str, fields: Mapping[str, Kind]) -> dict[str, Value]:
    """Some fields of a variable that is one structure; `DatasetError` for any other file."""
    return _checked(path, variable, fields, single=True)[0]


def read_structs(path: Path, variable: str, fields: Mapping[str, Kind]) -> list[dict[str, Value]]:
    """Some fields of a variable that is an array of structures, one after another."""
    return _checked(path, variable, fields, single=False)


def _checked(
    path: Path, variable: str, fields: Mapping[str, Kind], *, single: bool
) -> list[dict[str, Value]]:
    try:
        with path.open("rb") as file:
            return _read(file, variable, fields, single=single)
    except DAMAGE as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error) or "it ends early"
        raise DatasetError(
            f"{path} should be a MATLAB 5 file with a structure {variable!r} that has"
            f" {', '.join(fields)}: {reason}"
        ) from error


class _Tag(NamedTuple):
    """The type and number of bytes of an element, and those bytes where they lie in the tag."""

    type: int
    size: int
    inline: bytes | None


class _Stream:
    """Bytes of an element, plain or compressed, from first to last."""

    def __init__(self, file: IO[bytes], size: int, *, compressed: bool) -> None:
        self._file, self._left = file, size
        self._zip = zlib.decompressobj() if compressed else None
        self._buffer, self._place = memoryview(b""), 0

    @classmethod
    def of_next(cls, file: IO[bytes]) -> Self | None:
        """The next element of a file, its tag included; None at the end."""
        head = file.read(8)
        if not head:
            return None
        kind, size = struct.unpack("<II", head)
        if kind == COMPRESSED:
            return cls(file, size, compressed=True)
        file.seek(-8, 1)
        return cls(file, size + 8, compressed=False)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes; `EOFError` if there are fewer."""
        return b"".join(self._parts(count))

    def skip(self, count: int) -> None:
        """Leave so many bytes out."""
        for _ in self._parts(count):
            pass

    def _parts(self, count: int) -> Iterator[memoryview]:
        while count:
            if self._place == len(self._buffer):
                self._buffer, self._place = memoryview(self._more()), 0
            part = self._buffer[self._place : self._place + count]
            self._place += len(part)
            count -= len(part)
            yield part

    def finish(self) -> None:
        """Go to the end in the file."""
        self._file.seek(self._left, 1)

    def _more(self) -> bytes:
        if self._zip is None:
            return self._raw()
        return self._zip.decompress(self._zip.unconsumed_tail or self._raw(), CHUNK)

    def _raw(self) -> bytes:
        part = self._file.read(min(SOURCE, self._left))
        if not part:
            raise EOFError
        self._left -= len(part)
        return part

    def tag(self) -> _Tag:
        """The next element's tag."""
        kind, size = struct.unpack("<II", self.read(8))
        if kind >> 16:
            return _Tag(kind & 0xFFFF, kind >> 16, struct.pack("<I", size))
        return _Tag(kind, size, None)

    def content(self, tag: _Tag) -> bytes:
        """The bytes of an element whose tag has been read."""
        if tag.inline is not None:
            return tag.inline[: tag.size]
        data = self.read(tag.size)
        self.skip(-tag.size % 8)
        return data

    def element(self) -> bytes:
        """The bytes of the next element."""
        return self.content(self.tag())


def _read(
    file: IO[bytes], variable: str, fields: Mapping[str, Kind], *, single: bool
) -> list[dict[str, Value]]:
    if file.read(HEADER)[-4:] != b"\x00\x01IM":
        raise ValueError("its header is another")
    while stream := _Stream.of_next(file):
        if stream.tag().type == MATRIX:
            kind, shape = _head(stream)
            if stream.element().decode() == variable and kind == STRUCT:
                count = int(np.prod(shape))
                if single and count != 1:
                    raise ValueError(f"there are {count} structures")
                names = _field_names(stream)
                return [_fields(stream, names, fields) for _ in range(count)]
        stream.finish()
    raise KeyError(variable)


def _fields(stream: _Stream, names: Iterable[str], fields: Mapping[str, Kind]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name in names:
        tag = stream.tag()
        if name in fields:
            values[name] = _value(stream, fields[name], name)
        else:
            stream.skip(tag.size)
    return {name: values[name] for name in fields}


def _field_names(stream: _Stream) -> list[str]:
    length = int.from_bytes(stream.element(), "little")
    names = stream.element()
    cut = (names[start : start + length] for start in range(0, len(names), length))
    return [name.partition(b"\0")[0].decode() for name in cut]


def _value(stream: _Stream, kind: Kind, name: str) -> Value:
    array_class, shape = _head(stream)
    stream.element()  # its name, empty in a field
    expected = {"text": TEXT, "texts": CELL}.get(kind)
    if array_class != expected and (expected or array_class <= SPARSE):
        raise ValueError(f"{name} is of another class")
    if kind == "text":
        return _characters(stream, shape)
    if kind == "texts":
        return [_text(stream) for _ in range(int(np.prod(shape)))]
    tag = stream.tag()
    if kind == "nonzero" and tag.inline is None:
        return _nonzero(stream, tag, shape)
    numbers = np.frombuffer(stream.content(tag), DTYPES[tag.type]).reshape(shape, order="F")
    return numbers != 0 if kind == "nonzero" else numbers


def _nonzero(stream: _Stream, tag: _Tag, shape: tuple[int, ...]) -> np.ndarray:
    """Column after column, so that the numbers never are in memory together."""
    dtype = np.dtype(DTYPES[tag.type])
    rows, columns = shape
    if tag.size != rows * columns * dtype.itemsize:
        raise ValueError(f"{tag.size} bytes for {rows} × {columns} numbers")
    nonzero = np.empty((columns, rows), bool)
    for column in range(columns):
        np.not_equal(np.frombuffer(stream.read(rows * dtype.itemsize), dtype), 0, nonzero[column])
    stream.skip(-tag.size % 8)
    return nonzero.T


def _text(stream: _Stream) -> str:
    """A row of characters; empty for an empty array of any class."""
    if stream.tag().size == 0:
        return ""
    _, shape = _head(stream)
    stream.element()
    return _characters(stream, shape)


def _characters(stream: _Stream, shape: tuple[int, ...]) -> str:
    tag = stream.tag()
    content = stream.content(tag)
    return content.decode(ENCODINGS[tag.type]) if int(np.prod(shape)) else ""


def _head(stream: _Stream) -> tuple[int, tuple[int, ...]]:
    """The class and shape of an array."""
    kind = stream.element()[0]
    return kind, tuple(np.frombuffer(stream.element(), "<i4").tolist())
