"""Plain values out of pickles, without running what is in them.

A pickle is a program. Here its opcodes are looked at before any of them runs, and the only
things it can name are stand-ins that make sets, dictionaries, bytes and NumPy arrays. A file
made for the purpose can still waste time or end the process, with a key of a million tuples
one in another; it cannot make the process do anything else.
"""

import copyreg
import io
import math
import pickle
import pickletools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xbench.errors import UsageError

MOST_BYTES = 1 << 30
"""A larger file, and arrays that are larger together, are refused."""
WAY_OUT = "only dict, list, tuple, set, text, bytes, numbers and NumPy arrays of these are read"

_REFUSED = {
    *("PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"),
    *("NEXT_BUFFER", "READONLY_BUFFER"),
}
_PUTS = {"PUT", "LONG_BINPUT"}
_STOP = ord(".")
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
"""How many bytes the length takes that stands before an argument."""
_TYPE_CODE = re.compile(r"[<>=|]?[biufcSU][1-9]\d{0,8}")
_FLAGS = 2
"""How many arguments of a type follow its code at most."""
_ATOMS = frozenset((str, bytes, int, float, bool, type(None)))


class _Refused(Exception):  # noqa: N818 - becomes an error where the file is known
    """What a pickle should not hold."""


def read_pickle(path: Path, what: str, most_bytes: int = MOST_BYTES) -> Any:
    """The plain value in a file; a `defaultdict` becomes a `dict`.

    `UsageError` names `what`, the file and what was found in it.
    """
    try:
        content = _content(path, most_bytes)
        _look_over(content)
        copyreg.clear_extension_cache()  # what it holds would be found without `find_class`
        return _Plain(most_bytes).of(_Reader(content, most_bytes).load())
    except OSError as error:
        raise UsageError(f"{what}: {path} cannot be read: {error.strerror}") from error
    except _Refused as error:
        raise UsageError(f"{what}: {path} is refused: {error}; {WAY_OUT}") from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UsageError(f"{what}: {path} is no pickle, or a damaged one: {reason}") from error


def _content(path: Path, most_bytes: int) -> bytes:
    if (size := path.stat().st_size) > most_bytes:
        raise _Refused(f"it has {size} bytes, more than {most_bytes}")
    return path.read_bytes()


class _Opcode(NamedTuple):
    """An opcode, and how long its argument is."""

    name: str
    fixed: int
    prefix: int
    lines: int


def _opcode(given: pickletools.OpcodeInfo) -> _Opcode:
    size = given.arg.n if given.arg else 0
    lines = 2 if given.name == "GLOBAL" else int(size == pickletools.UP_TO_NEWLINE)
    return _Opcode(given.name, max(size, 0), _LENGTHS.get(size, 0), lines)


_OPCODES = {ord(given.code): _opcode(given) for given in pickletools.opcodes}


def _steps(byte: int) -> int:
    """The length of an opcode with its argument, 0 where that needs a closer look."""
    name, fixed, prefix, lines = _OPCODES.get(byte, ("", 0, 0, 0))
    plain = name and name not in {*_REFUSED, *_PUTS, "STOP"} and not prefix and not lines
    return 1 + fixed if plain else 0


_STEPS = tuple(map(_steps, range(256)))


def _look_over(content: bytes) -> None:
    """Refuse opcodes that plain values do not need, and places in a memo that it cannot have."""
    place, end = 0, len(content)
    while place < end:
        if step := _STEPS[content[place]]:
            place += step
        elif content[place] == _STOP:
            return
        else:
            place = _looked_at(content, place)
    raise ValueError("it ends too early")


def _looked_at(content: bytes, place: int) -> int:
    """The place after the opcode at this one."""
    if content[place] not in _OPCODES:
        raise ValueError(f"byte {place} is no opcode")
    name, fixed, prefix, lines = _OPCODES[content[place]]
    if name in _REFUSED:
        raise _Refused(f"opcode {name} at byte {place}")
    start = end = place + 1
    if prefix:
        end += prefix + int.from_bytes(content[start : start + prefix], "little")
    for _ in range(lines):
        end = content.find(b"\n", end) + 1 or len(content) + 1
    end += fixed
    if name in _PUTS:
        text = content[start:end]
        number = int(text) if name == "PUT" else int.from_bytes(text, "little")
        if number > len(content):  # memory for all places would be claimed
            raise _Refused(f"a memo of {number} places at byte {place}")
    return end


class _StandIn:
    """What a pickle gets for a name; it cannot be changed."""

    __slots__ = ("_make", "_name")
    _name: str
    _make: Callable[..., Any]

    def __init__(self, name: str, make: Callable[..., Any]) -> None:
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_make", make)

    def __call__(self, *given: Any) -> Any:
        try:
            return self._make(*given)
        except (TypeError, ValueError) as error:
            raise _Refused(f"{self._name} called with what it does not take") from error

    def __setattr__(self, name: str, value: object) -> None:
        raise _Refused(f"a new {name!r} for {self._name}")

    def __setstate__(self, state: object) -> None:
        raise _Refused(f"a state for {self._name}")


class _Type:
    """A type of numbers or strings, as it is built up."""

    __slots__ = ("dtype",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, code: str, *flags: bool) -> None:
        if not isinstance(code, str) or not _TYPE_CODE.fullmatch(code) or len(flags) > _FLAGS:
            raise _Refused(f"arrays of type {code!r}")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), str(order), None, None, None, int(), int(), int()) if order in "<>=|":
                self.dtype = self.dtype.newbyteorder("=" if order == "|" else order)  # type: ignore[arg-type]
            case _:
                raise _Refused("a type of arrays with fields or of objects")


class _Array:
    """An array, empty until its state is set."""

    __slots__ = ("values",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self.values: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        match state:
            case (int(), tuple(shape), _Type() as kind, bool() | int() as columns, content):
                self.values = _array(content, kind, shape, "F" if columns else "C")
            case _:
                raise _Refused("an array with a state that no array has")


def _array(content: object, kind: object, shape: object, order: object) -> np.ndarray:
    """A view of the bytes; `_Refused` unless they are as many as the shape says."""
    if isinstance(content, str):  # from Python 2
        content = content.encode("latin1")
    if not isinstance(kind, _Type) or not isinstance(content, bytes | bytearray):
        raise _Refused("an array of objects")
    if not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise _Refused("an array with a shape of other things than whole numbers")
    if math.prod(shape) * kind.dtype.itemsize != len(content) or order not in ("C", "F"):
        raise _Refused(f"an array of shape {shape} with {len(content)} bytes")
    values = np.frombuffer(content, kind.dtype)
    return values.reshape(shape, order="F" if order == "F" else "C")


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    if kind is not _NDARRAY or shape != (0,) or code not in (b"b", "b"):
        raise TypeError
    return _Array()


def _scalar(kind: object, content: object) -> Any:
    return _array(content, kind, (1,), "C")[0]


def _table(factory: object = None) -> dict[Any, Any]:
    """For a `defaultdict`."""
    if factory is not None and not any(factory is known for known in _FACTORIES.values()):
        raise TypeError
    return {}


def _set(items: object = ()) -> set[Any]:
    return set(_plain_items(items))


def _frozenset(items: object = ()) -> frozenset[Any]:
    return frozenset(_plain_items(items))


def _plain_items(items: object) -> list[Any] | tuple[Any, ...]:
    if not isinstance(items, list | tuple):
        raise TypeError
    return items


def _encoded(text: object, encoding: object) -> bytes:
    """Bytes, as protocols before 3 hold them."""
    if not isinstance(text, str) or encoding != "latin1":
        raise TypeError
    return text.encode("latin1")


def _no_bytes() -> bytes:
    return b""


def _nothing() -> None:
    """What other built-in types make: they only stand in a `defaultdict`."""
    raise TypeError


_NDARRAY = _StandIn("numpy.ndarray", _nothing)
_FACTORIES = {
    "set": _StandIn("set", _set),
    **{name: _StandIn(name, _nothing) for name in ("list", "dict", "int", "long")},
}
_BUILT_IN = {
    **_FACTORIES,
    "frozenset": _StandIn("frozenset", _frozenset),
    "bytes": _StandIn("bytes", _no_bytes),
}
_NUMPY: Mapping[str, Mapping[str, _StandIn]] = {
    "multiarray": {
        "_reconstruct": _StandIn("numpy._reconstruct", _reconstruct),
        "scalar": _StandIn("numpy.scalar", _scalar),
    },
    "numeric": {"_frombuffer": _StandIn("numpy._frombuffer", _array)},
}
_STAND_INS: Mapping[str, Mapping[str, _StandIn]] = {
    "builtins": _BUILT_IN,
    "__builtin__": _BUILT_IN,
    "collections": {"defaultdict": _StandIn("collections.defaultdict", _table)},
    "_codecs": {"encode": _StandIn("codecs.encode", _encoded)},
    "numpy": {"ndarray": _NDARRAY, "dtype": _StandIn("numpy.dtype", _Type)},
    **{
        f"numpy.{core}.{module}": names
        for core in ("core", "_core")
        for module, names in _NUMPY.items()
    },
}


class _Reader(pickle.Unpickler):
    """Finds stand-ins only."""

    def __init__(self, content: bytes, most_bytes: int) -> None:
        super().__init__(io.BytesIO(content), encoding="latin1")
        self._most = most_bytes

    def find_class(self, module: str, name: str) -> _StandIn:
        """The stand-in for a name; `_Refused` for all other names."""
        found = _STAND_INS.get(module, {}).get(name)
        if found is None:
            raise _Refused(f"it asks for {module}.{name}")
        return found

    def persistent_load(self, pid: object) -> Any:
        """Refuse objects from outside the file."""
        raise _Refused(f"an object from outside the file, {pid!r}")


class _Plain:
    """Turns what a reader made into plain values; what is shared stays shared."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()

    def of(self, value: Any) -> Any:
        """The value, with arrays that own their bytes."""
        if type(value) in _ATOMS or isinstance(value, np.generic):
            return value
        place = id(value)
        if place not in self._done:
            if place in self._open:
                raise _Refused("a container that holds itself")
            self._open.add(place)
            self._done[place] = self._made(value)
            self._open.remove(place)
        return self._done[place]

    def _made(self, value: Any) -> Any:
        match value:
            case dict():
                return {self.of(key): self.of(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                if _ATOMS.issuperset(map(type, value)):
                    return value
                return type(value)(self.of(item) for item in value)
            case _Type(dtype=dtype):
                return dtype
            case _Array(values=np.ndarray() as array) | (np.ndarray() as array):
                return self._owned(array)
        name = value._name if isinstance(value, _StandIn) else type(value).__name__  # noqa: SLF001
        raise _Refused(f"a bare {name}")

    def _owned(self, array: np.ndarray) -> np.ndarray:
        self._left -= array.nbytes
        if self._left < 0:
            raise _Refused("arrays that are too large together")
        return array.copy(order="K")
