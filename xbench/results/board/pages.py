"""Pages of a Parquet file, as their own headers describe them.

A footer says how large a column is once it is unpacked, and may lie; a reader believes the
header of each page.
"""

from collections.abc import Iterator
from typing import NamedTuple

from xbench.results.board.thrift import Reader, Struct

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_OWN = {_DATA: (5, 1, 2), _DICTIONARY: (7, 1, 2), _DATA_2: (8, 1, 4)}
"""Of each kind of page the field of its own header, and in it those of values and encoding."""


class Page(NamedTuple):
    """What a page says of itself."""

    is_dictionary: bool
    size: int
    """In bytes, unpacked."""
    values: int
    encoding: int


def pages(data: memoryview) -> Iterator[Page]:
    """The pages of one column of a row group, whose bytes these are; `ValueError` if they are not.

    They fill the bytes exactly.
    """
    place = 0
    while place < len(data):
        reader = Reader(data, place)
        page, packed = _page(reader.struct())
        place = reader.place + packed
        if place > len(data):
            raise ValueError("a page ends outside its column")
        yield page


def _page(header: Struct) -> tuple[Page, int]:
    """What a header says, and how many bytes follow it."""
    kind = _count(header, 1)
    if kind not in _OWN:
        raise ValueError("a page is of no known kind")
    own, values, encoding = _OWN[kind]
    of_kind = header.get(own)
    fields = of_kind if isinstance(of_kind, dict) else {}
    size, packed = _count(header, 2), _count(header, 3)
    page = Page(kind == _DICTIONARY, size, _count(fields, values), _count(fields, encoding))
    return page, packed


def _count(fields: Struct, number: int) -> int:
    value = fields.get(number)
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("a page does not say what it is")
    return value
