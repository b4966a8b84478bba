"""Pages of a Parquet file, as their own headers describe them.

A footer says how large a column is once it is unpacked, and may lie; a reader believes the
header of each page. Headers are structs in Thrift's compact protocol.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

MOST_DEPTH = 4
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, 7, 8, 12
_INTEGERS = (4, 5, 6)
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
        reader = _Reader(data, place)
        try:
            header = reader.struct()
            page, packed = _page(header), int(header[3])
        except (IndexError, KeyError, TypeError) as error:
            raise ValueError("a page has no header that can be read") from error
        place = reader.place + packed
        if packed < 0 or place > len(data):
            raise ValueError("a page ends outside its column")
        yield page


def _page(header: dict[int, Any]) -> Page:
    kind, size = header[1], header[2]
    if kind not in _OWN or not isinstance(size, int) or size < 0:
        raise ValueError("a page is of no known kind or size")
    own, values, encoding = _OWN[kind]
    page = Page(kind == _DICTIONARY, size, header[own][values], header[own][encoding])
    if page.values < 0:
        raise ValueError("a page has fewer than no values")
    return page


class _Reader:
    """Reads structs from bytes; `IndexError` at their end."""

    def __init__(self, data: memoryview, place: int) -> None:
        self.data, self.place = data, place

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The fields of a struct by their numbers."""
        if depth > MOST_DEPTH:
            raise ValueError("the header of a page is nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._integer()
            fields[number] = self._value(byte & 15, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind not in (_BYTE, _DOUBLE, _BINARY):
            raise ValueError("the header of a page has a field of a kind that none has")
        length = {_BYTE: 1, _DOUBLE: 8}.get(kind) or self._varint()
        self.place += length
        return None

    def _byte(self) -> int:
        byte = self.data[self.place]
        self.place += 1
        return byte

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("the header of a page has a number without end")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
