"""Seals: the checksum of a file inside the file, so that one write makes both.

A seal is the SHA-256 of the path that the file has in its store and of its bytes, with the 64
digits of the seal itself as zeros. So a file that was cut off or altered is found out, and so
is one that lies where another belongs. The formats stay what they are for other readers: the
digits lie in the metadata of safetensors, as the last field of JSON, and between the data and
the footer of Parquet, where no reader looks.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

FIELD = "checksum"
_DIGITS = 64
_BLANK = "0" * _DIGITS
_LENGTH = 8
"""Bytes at the start of safetensors, and at the end of Parquet, that say where the rest lies."""

DTYPES: Mapping[str, str] = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2": "F8_E5M2",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
    "complex64": "C64",
}
"""What safetensors calls the types of torch that it holds and gives back."""


def sealed_tensors(path: str, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> bytes:
    """A safetensors file of these tensors; equal ones always give the same bytes."""
    header: dict[str, Any] = {"__metadata__": {**about, FIELD: _BLANK}}
    parts, end = [], 0
    # the largest elements first, so that all of them are aligned
    for name, tensor in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        parts.append(tensor_bytes(tensor))
        start, end = end, end + parts[-1].nbytes
        header[name] = {
            "dtype": _dtype(tensor),
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    length = len(text).to_bytes(_LENGTH, "little")
    return _sealed(path, bytearray().join([length, text, *parts]))


def sealed_table(path: str, table: pa.Table) -> bytes:
    """A Parquet file of this table."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    data = bytearray(buffer.getvalue())
    footer = _footer(data)
    data[footer:footer] = _BLANK.encode()
    return _sealed(path, data)


def sealed_record(path: str, record: Mapping[str, Any]) -> bytes:
    """A JSON file of this record; ValueError for numbers that JSON has not."""
    fields = {**{name: of for name, of in record.items() if name != FIELD}, FIELD: _BLANK}
    text = json.dumps(fields, indent=2, allow_nan=False)
    return _sealed(path, bytearray(text.encode() + b"\n"))


def seal(path: str, data: bytes) -> str:
    """The seal of a file that is whole and lies where it belongs; of any other ""."""
    place = _place(path, data)
    stated = data[place : place + _DIGITS]
    return stated.decode() if place and stated == _digest(path, data, place) else ""


def header(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file; ValueError or KeyError where there are none."""
    length = int.from_bytes(data[:_LENGTH], "little")
    metadata: dict[str, str] = json.loads(data[_LENGTH : _LENGTH + length])["__metadata__"]
    return metadata


def tensor_bytes(tensor: Tensor) -> memoryview:
    """The bytes of a tensor in row-major order."""
    values = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    return values.flatten().view(torch.uint8).numpy().data


def _dtype(tensor: Tensor) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ValueError(f"tensors of type {name} cannot be kept in safetensors")
    return DTYPES[name]


def _sealed(path: str, data: bytearray) -> bytes:
    place = _place(path, data)
    data[place : place + _DIGITS] = _digest(path, data, place)
    return bytes(data)


def _digest(path: str, data: bytes | bytearray, place: int) -> bytes:
    digest = hashlib.sha256(f"{path}\n".encode())
    for part in _parts(memoryview(data), place):
        digest.update(part)
    return digest.hexdigest().encode()


def _parts(data: memoryview, place: int) -> Iterator[memoryview | bytes]:
    yield data[:place]
    yield _BLANK.encode()
    yield data[place + _DIGITS :]


def _place(path: str, data: bytes | bytearray) -> int:
    """Where the seal's digits begin; 0 where there can be none."""
    if path.endswith(".parquet"):
        return max(_footer(data) - _DIGITS, 0)
    if path.endswith(".json"):
        mark = f'"{FIELD}": "'.encode()
        return data.rfind(mark) + len(mark) if mark in data else 0
    mark, length = f'"{FIELD}":"'.encode(), int.from_bytes(data[:_LENGTH], "little")
    place = data.find(mark, _LENGTH, min(_LENGTH + length, len(data)))
    return place + len(mark) if place > 0 else 0


def _footer(data: bytes | bytearray) -> int:
    """Where the footer of Parquet begins; 0 or less where there is none."""
    return len(data) - _LENGTH - int.from_bytes(data[-_LENGTH:-4], "little")
