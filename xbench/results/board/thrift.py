"""Structs in Thrift's compact protocol, read from strangers and written again."""

from collections.abc import Mapping, Sequence
from typing import Any

MOST_DEPTH = 8
_TRUE, _FALSE, _BYTE, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = (
    *(1, 2, 3, 5, 6, 7, 8, 9, 10),
    12,
)
_INTEGERS = (4, _I32, _I64)

Struct = dict[int, Any]
"""The fields of a struct by their numbers: whole numbers, truths, bytes, lists and structs."""


class Long(int):
    """A number that is written in up to 64 bits; any other in up to 32."""


class Reader:
    """Reads structs from bytes, from a place on; `ValueError` for what is none."""

    def __init__(self, data: memoryview, place: int = 0) -> None:
        self.data, self.place = data, place

    def struct(self) -> Struct:
        """The struct that begins here; `place` is behind it then."""
        try:
            return self._struct(0)
        except IndexError as error:
            raise ValueError("a header ends too early") from error

    def _struct(self, depth: int) -> Struct:
        if depth > MOST_DEPTH:
            raise ValueError("a header is nested too deep")
        fields: Struct = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._integer()
            if number in fields:
                raise ValueError("a header has a field twice")
            kind = byte & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _INTEGERS:
            return self._integer()
        if kind == _STRUCT:
            return self._struct(depth + 1)
        if kind in (_LIST, _SET):
            return self._list(depth + 1)
        if kind not in (_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY):
            raise ValueError("a header has a field of a kind that none has")
        length = self._varint() if kind == _BINARY else {_DOUBLE: 8}.get(kind, 1)
        self.place += length
        if self.place > len(self.data):
            raise ValueError("a header ends too early")
        return bytes(self.data[self.place - length : self.place])

    def _list(self, depth: int) -> list[Any]:
        if depth > MOST_DEPTH:
            raise ValueError("a header is nested too deep")
        byte = self._byte()
        count = self._varint() if byte >> 4 == 15 else byte >> 4
        if count > len(self.data) - self.place:
            raise ValueError("a header has a list that is longer than itself")
        return [self._value(byte & 15, depth) for _ in range(count)]

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
        raise ValueError("a header has a number without end")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def struct_bytes(fields: Mapping[int, Any]) -> bytes:
    """A struct of whole numbers, bytes, structs, and lists of one of these."""
    data, last = bytearray(), 0
    for number, value in sorted(fields.items()):
        data.append((number - last) << 4 | _kind(value))
        data += _written(value)
        last = number
    return bytes(data) + b"\0"


def _kind(value: Any) -> int:
    kinds = {int: _I32, Long: _I64, bytes: _BINARY, list: _LIST, dict: _STRUCT}
    return kinds[type(value)]


def _written(value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(value << 1 ^ value >> 63)
    if isinstance(value, bytes):
        return _varint(len(value)) + value
    return struct_bytes(value) if isinstance(value, dict) else _list(value)


def _list(values: Sequence[Any]) -> bytes:
    kind = _kind(values[0]) if values else _STRUCT
    head = bytes([len(values) << 4 | kind]) if len(values) < 15 else bytes([0xF0 | kind])
    count = b"" if len(values) < 15 else _varint(len(values))
    return head + count + b"".join(map(_written, values))


def _varint(number: int) -> bytes:
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])
