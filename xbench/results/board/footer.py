"""The footer of a Parquet file: parsed, checked, and written anew with nothing else in it.

The reader of the library ends the process over some footers that lie. So it never sees one from
outside: only what was checked here, in a footer of our own.
"""

from typing import Any, NamedTuple

from xbench.results.board.plain_text import text_fault
from xbench.results.board.thrift import Long, Reader, Struct, struct_bytes

MAGIC = b"PAR1"
MOST_FOOTER = 2**20
MOST_COLUMNS, MOST_GROUPS = 128, 64
LONGEST_NAME = 200
"""Characters of a string in a table, and of a column's name."""
TEXT = 6
_NUMBERS = {0: (), 1: (11, 12, 13, 15, 16, 17), 2: (14, 18), 4: (), 5: ()}
"""Physical types of truths and numbers, and the whole numbers that they may stand for."""
_CODECS = {0: "none", 1: "Snappy", 6: "Zstandard"}


class Chunk(NamedTuple):
    """Where a column of a row group lies, and what is said of it."""

    codec: int
    values: int
    unpacked: int
    packed: int
    pages: int
    """Offset of the first page of data."""
    dictionary: int
    """Offset of the page of the dictionary; 0 where there is none."""


class Column(NamedTuple):
    """A column of all row groups."""

    name: str
    kind: int
    repetition: int
    """0 where it has no nulls, else 1."""


class Group(NamedTuple):
    """Rows that lie together."""

    rows: int
    chunks: tuple[Chunk, ...]


class Footer(NamedTuple):
    """What a footer says, as far as a flat table needs it."""

    rows: int
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]


def footer_length(data: bytes) -> int:
    """How many bytes the footer of a file has; `ValueError` where it cannot be Parquet."""
    ends = {data[:4], data[-4:]}
    if b"PARE" in ends:
        raise ValueError("it is encrypted")
    if ends != {MAGIC} or len(data) < 12:
        raise ValueError("it is no Parquet")
    length = int.from_bytes(data[-8:-4], "little")
    if length > min(MOST_FOOTER, len(data) - 12):
        raise ValueError(f"its footer has {length} bytes; at most {MOST_FOOTER} are allowed")
    return length


def parsed_footer(data: bytes) -> Footer:
    """The footer of a file; `ValueError` where it is of no flat table of text and numbers."""
    fields = Reader(memoryview(data)[-8 - footer_length(data) : -8]).struct()
    if 8 in fields:
        raise ValueError("it is encrypted")
    columns = _columns(_structs(fields, 2))
    groups = _structs(fields, 4)
    at_most("row groups", len(groups), MOST_GROUPS)
    filled = tuple(group for of in groups if (group := _group(of, columns)).rows)
    return Footer(_count(fields, 3), columns, filled)


def at_most(what: str, count: int, most: int) -> None:
    """Raise `ValueError` where there are more than allowed, or fewer than none."""
    if not 0 <= count <= most:
        raise ValueError(f"it claims {count} {what}; at most {most} are allowed")


def _structs(fields: Struct, number: int) -> list[Struct]:
    values = fields.get(number)
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise ValueError("its footer lacks a part")
    return values


def _count(fields: Struct, number: int, *, otherwise: int | None = None) -> int:
    value = fields.get(number, otherwise)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError("its footer lacks a number")
    return value


def _columns(elements: list[Struct]) -> tuple[Column, ...]:
    at_most("columns", len(elements) - 1, MOST_COLUMNS)
    return tuple(map(_column, elements[1:]))


def _column(element: Struct) -> Column:
    name, repetition = element.get(4), _count(element, 3, otherwise=0)
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else ""
    fault = text_fault(text, LONGEST_NAME)
    if fault or not text:
        raise ValueError(f"the name of a column {fault or 'is empty'}")
    if element.get(5) or 1 not in element or repetition not in (0, 1):
        raise ValueError(f"column {text!r} is nested")
    kind, meaning = _count(element, 1), element.get(6)
    is_text = kind == TEXT and (meaning == 0 or element.get(10) == {1: {}})
    is_number = kind in _NUMBERS and meaning in (None, *_NUMBERS[kind])
    if not (is_text or is_number):
        raise ValueError(f"column {text!r} is of another type than text or number")
    return Column(text, kind, repetition)


def _group(fields: Struct, columns: tuple[Column, ...]) -> Group:
    chunks, rows = _structs(fields, 1), _count(fields, 3)
    if len(chunks) != len(columns):
        raise ValueError("a row group has other columns than the table")
    return Group(rows, tuple(map(_chunk, chunks, columns, [rows] * len(chunks))))


def _chunk(fields: Struct, column: Column, rows: int) -> Chunk:
    of: Any = fields.get(3)
    if 1 in fields or 8 in fields or not isinstance(of, dict):
        raise ValueError("a column is encrypted, or lies in another file")
    if of.get(1) != column.kind or of.get(3) != [column.name.encode()]:
        raise ValueError("a row group has other columns than the table")
    codec, values = _count(of, 4), _count(of, 5)
    if codec not in _CODECS:
        names = ", ".join(_CODECS.values())
        raise ValueError(f"it is compressed in way {codec}; allowed are {names}")
    if rows < 0 or values != rows:
        raise ValueError("a column has another number of values than it has rows")
    unpacked, packed, pages = (_count(of, number) for number in (6, 7, 9))
    chunk = Chunk(codec, values, unpacked, packed, pages, _count(of, 11, otherwise=0))
    if min(chunk) < 0:
        raise ValueError("a column has fewer than no bytes")
    return chunk


def rewritten(data: bytes, footer: Footer) -> bytes:
    """The file with a footer that says this and nothing else."""
    elements: list[Struct] = [{4: b"schema", 5: len(footer.columns)}]
    for column in footer.columns:
        text: Struct = {6: 0} if column.kind == TEXT else {}
        name = column.name.encode()
        elements.append({1: column.kind, 3: column.repetition, 4: name, **text})
    groups = [_group_fields(group, footer.columns) for group in footer.groups]
    end = struct_bytes({1: 2, 2: elements, 3: Long(footer.rows), 4: groups})
    body = data[: -8 - footer_length(data)]
    return b"".join([body, end, len(end).to_bytes(4, "little"), MAGIC])


def _group_fields(group: Group, columns: tuple[Column, ...]) -> Struct:
    pairs = zip(group.chunks, columns, strict=True)
    chunks = [{2: Long(0), 3: _chunk_fields(chunk, column)} for chunk, column in pairs]
    unpacked = sum(chunk.unpacked for chunk in group.chunks)
    return {1: chunks, 2: Long(unpacked), 3: Long(group.rows)}


def _chunk_fields(chunk: Chunk, column: Column) -> Struct:
    dictionary = {11: Long(chunk.dictionary)} if chunk.dictionary else {}
    return {
        1: column.kind,
        2: [0, 3, 8],
        3: [column.name.encode()],
        4: chunk.codec,
        5: Long(chunk.values),
        6: Long(chunk.unpacked),
        7: Long(chunk.packed),
        9: Long(chunk.pages),
        **dictionary,
    }
