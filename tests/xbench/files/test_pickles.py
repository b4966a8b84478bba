"""Plain values come out of pickles, and nothing in them runs."""

import copyreg
import functools
import io
import operator
import os
import pickle
import struct
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pickled import Calls
from xbench.errors import UsageError
from xbench.files.pickles import read_pickle

PLAIN_TYPES = (dict, list, tuple, set, frozenset, str, bytes, int, float, type(None))
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ORDINARY = {
    "text": "tüpfel",
    "bytes": b"\x00\xff",
    "no bytes": b"",
    "numbers": [1, -3, 2**70, 0.5, float("inf"), True, None],
    "nested": ({1, 2}, frozenset({"a"}), [(), [], {}]),
    (1, "key"): {"deep": {"er": [1]}},
}


@pytest.fixture
def read(tmp_path: Path):
    """Reads bytes as a pickle."""

    def read(content: bytes, **limits):
        (tmp_path / "file.pkl").write_bytes(content)
        return read_pickle(tmp_path / "file.pkl", "bank", **limits)

    return read


def same(left, right) -> bool:
    """Equal in value and type, element by element."""
    if isinstance(left, np.ndarray):
        equal = np.array_equal(left, right, equal_nan=left.dtype.kind in "fc")
        return bool(equal) and left.dtype == right.dtype and type(right) is np.ndarray
    if isinstance(left, list | tuple):
        pairs = zip(left, right, strict=True)
        return type(left) is type(right) and all(same(a, b) for a, b in pairs)
    if isinstance(left, dict):
        return (
            type(right) is dict
            and list(left) == list(right)
            and same([*left.values()], [*right.values()])
        )
    return type(left) is type(right) and (left == right or left != left)  # noqa: PLR0124


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_of_all_protocols(read, protocol: int) -> None:
    assert same(ORDINARY, read(pickle.dumps(ORDINARY, protocol)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("factory", [set, list, dict, int, None])
def test_a_defaultdict_becomes_a_dict(read, protocol: int, factory) -> None:
    table = defaultdict(factory, {"dog(black)": {"1", "2"}})
    found = read(pickle.dumps(table, protocol))
    assert type(found) is dict
    assert found == {"dog(black)": {"1", "2"}}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["f4", "f8", ">f8", "i2", "u1", "bool", "c8", "U3", "S4"])
def test_arrays_scalars_and_types_of_all_protocols(read, protocol: int, kind: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(kind)
    given = {
        "rows": array,
        "columns": np.asfortranarray(array),
        "cut": array[:, ::2],
        "empty": array[:0],
        "single": array.reshape(-1)[:1].reshape(()),
        "scalar": array[1, 2],
        "type": array.dtype,
    }
    found = read(pickle.dumps(given, protocol))
    assert same(given, found)
    found["rows"][0, 0] = 1
    assert found["rows"].flags.owndata


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | hnp.arrays(
        hnp.scalar_dtypes().filter(lambda d: d.kind in "biufc"), hnp.array_shapes(min_dims=0)
    ),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner)
    ),
    max_leaves=12,
)


@given(value=PLAIN, protocol=st.sampled_from(PROTOCOLS))
def test_whatever_is_plain_comes_back(tmp_path_factory, value, protocol: int) -> None:
    file = tmp_path_factory.mktemp("plain") / "file.pkl"
    file.write_bytes(pickle.dumps(value, protocol))
    assert same(value, read_pickle(file, "bank"))


def test_what_is_shared_stays_shared(read) -> None:
    array = np.zeros(3)
    first, (second,) = read(pickle.dumps([array, [array]]))
    assert first is second
    laughs = ["ha"]
    for _ in range(200):
        laughs = [laughs, laughs]
    assert len(read(pickle.dumps(laughs))) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("call", "named"),
    [
        (Calls(os.system, "touch pwned"), f"{os.system.__module__}.system"),
        (Calls(eval, "open('pwned', 'w')"), "eval"),
        (Calls(exec, "open('pwned', 'w')"), "exec"),
        (Calls(getattr, os.system, "__call__"), "getattr"),
        (Calls(functools.partial(os.system, "touch pwned")), "functools.partial"),
        (Calls(operator.methodcaller("system", "touch pwned"), os.system), "operator.methodcaller"),
        (Calls(open, "pwned", "w"), "open"),
        (Calls(np.load, "pwned"), "load"),
        (Calls(np.fromfile, "pwned"), "fromfile"),
        (Calls(pickle.loads, b"."), "loads"),
        (OrderedDict(a=1), "collections.OrderedDict"),
        (Path("/"), "pathlib"),
        (np.array([1, None], object), "type 'O"),
        (np.zeros(1, [("a", "f4")]), "type 'V"),
        (np.array(["2020"], "M8[D]"), "type 'M8"),
        (bytearray(b"a"), "bytearray"),
        (len, "len"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_nothing_else_is_found_or_run(
    read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int, call, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps({"bank": [call]}, protocol)
    with pytest.raises(UsageError) as caught:
        read(content)
    assert named in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def test_the_message_names_what_file_finding_and_way_out(read, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(b"cos\nsystem\n(S'true'\ntR.")
    assert str(caught.value) == (
        f"bank: {tmp_path / 'file.pkl'} is refused: it asks for os.system; only dict, list, tuple,"
        " set, text, bytes, numbers and NumPy arrays of these are read"
    )


@pytest.mark.parametrize("where", ["key", "member", "factory", "argument", "state"])
def test_a_call_is_refused_wherever_it_stands(read, where: str) -> None:
    call = Calls(os.getcwd)
    given = {
        "key": {call: 1},
        "member": {call},
        "factory": Calls(defaultdict, call),
        "argument": Calls(set, [call]),
        "state": Calls(np.dtype, "f8", state=call),
    }
    with pytest.raises(UsageError, match=r"it asks for .*getcwd"):
        read(pickle.dumps(given[where], 2))


reconstruct = np.zeros(1).__reduce__()[0]
scalar = np.float64(1).__reduce__()[0]
frombuffer = np.zeros(1).__reduce_ex__(5)[0]
F8 = np.dtype("f8")
STATE = (1, (2,), F8, False, bytes(16))


def array(*state) -> Calls:
    """An array with a state of another's making."""
    return Calls(reconstruct, np.ndarray, (0,), b"b", state=state[0] if len(state) == 1 else state)


def kind(*state) -> Calls:
    """A type with a state of another's making."""
    return Calls(np.dtype, "f8", state=state)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (Calls(reconstruct, np.dtype, (0,), b"b"), "numpy._reconstruct called with"),
        (Calls(reconstruct, np.ndarray, (9,), b"b"), "numpy._reconstruct called with"),
        (Calls(reconstruct, np.ndarray, (0,), b"O"), "numpy._reconstruct called with"),
        (Calls(reconstruct), "numpy._reconstruct called with"),
        (Calls(reconstruct, np.ndarray, (0,), b"b"), "a bare _Array"),
        (array(*STATE[:4], bytes(15)), "15 bytes"),
        (array(1, (-2,), *STATE[2:]), "whole numbers"),
        (array(1, (2.0,), *STATE[2:]), "whole numbers"),
        (array(1, (2**62,), *STATE[2:]), "16 bytes"),
        (array(1, (2,), "f8", *STATE[3:]), "a state"),
        (array(*STATE[:4], [1, 2]), "of objects"),
        (array({"a": 1}), "a state that no array has"),
        (Calls(scalar, F8, bytes(7)), "7 bytes"),
        (Calls(scalar, F8), "numpy.scalar called with"),
        (Calls(scalar, "f8", bytes(8)), "of objects"),
        (Calls(frombuffer, bytes(16), F8, (3,), "C"), "16 bytes"),
        (Calls(frombuffer, bytes(16), F8, (2,), "K"), "16 bytes"),
        (Calls(frombuffer, bytes(16), F8, [2], "C"), "whole numbers"),
        (Calls(np.dtype, "O"), "arrays of type 'O'"),
        (Calls(np.dtype, "f8,O"), "arrays of type 'f8,O'"),
        (Calls(np.dtype, "U0"), "arrays of type 'U0'"),
        (Calls(np.dtype, ["f8"]), "arrays of type"),
        (Calls(np.dtype, "f8", 1, 2, 3), "arrays of type"),
        (Calls(np.dtype, "f3"), "numpy.dtype called with"),
        (kind(3, "<", None, ("a",), {}, 8, 8, 0), "fields or of objects"),
        (kind(3, "!", None, None, None, -1, -1, 0), "fields or of objects"),
        (Calls(np.ndarray, (2,)), "numpy.ndarray called with"),
        (Calls(set, "abc"), "set called with"),
        (Calls(set, [], []), "set called with"),
        (Calls(list, "abc"), "list called with"),
        (Calls(bytes, 10**12), "bytes called with"),
        (Calls(defaultdict, set, {}), "collections.defaultdict called with"),
        (Calls(defaultdict, "set"), "collections.defaultdict called with"),
        (Calls(np.dtype, "f8", state=Calls(set)), "fields or of objects"),
        (set, "a bare set"),
        (np.ndarray, "a bare numpy.ndarray"),
    ],
)  # fmt: skip
def test_the_stand_ins_take_only_what_is_pickled_for_plain_values(read, call, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(pickle.dumps([call], 2))
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"Pfile\n.", "opcode PERSID at byte 0"),
        (b"\x80\x02NQ.", "opcode BINPERSID at byte 3"),
        (b"\x80\x02\x82\xf0.", "opcode EXT1 at byte 2"),
        (b"\x80\x02\x83\xf0\x00.", "opcode EXT2 at byte 2"),
        (b"\x80\x02\x84\xf0\x00\x00\x00.", "opcode EXT4 at byte 2"),
        (b"(ios\nsystem\n.", "opcode INST at byte 1"),
        (b"(cos\nsystem\no.", "opcode OBJ at byte 12"),
        (b"\x80\x02cbuiltins\nset\n)\x81.", "opcode NEWOBJ at byte 17"),
        (b"\x80\x05\x97.", "opcode NEXT_BUFFER at byte 2"),
        (b"N" + b"r" + struct.pack("<I", 1 << 31) + b"0.", "a memo of 2147483648 places at byte 1"),
        (b"Np99999999\n.", "a memo of 99999999 places at byte 1"),
        (b"cbuiltins\nset\n}X\x01\x00\x00\x00aNsb.", "a state for set"),
        (b"cbuiltins\nset\nN}X\x0c\x00\x00\x00__defaults__Ns\x86b.", "a state for set"),
        (b"]q\x00h\x00a.", "a container that holds itself"),
    ],
)
def test_opcodes_that_plain_values_do_not_need(read, content: bytes, found: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(content)
    assert f"file.pkl is refused: {found}" in str(caught.value)


def test_the_extension_registry_finds_nothing(read, monkeypatch: pytest.MonkeyPatch) -> None:
    code = 250
    copyreg.add_extension("os", "system", code)
    try:
        pickle.loads(b"\x80\x02\x82\xfa.")  # noqa: S301 - fills the cache
        with pytest.raises(UsageError, match="opcode EXT1 at byte 2"):
            read(b"\x80\x02\x82\xfa.")
    finally:
        copyreg.remove_extension("os", "system", code)


ORDINARY_BYTES = pickle.dumps({"a": np.arange(5.0), "b": {"x"}}, 2)


@pytest.mark.parametrize("end", [0, 1, 2, 5, len(ORDINARY_BYTES) // 2, len(ORDINARY_BYTES) - 1])
def test_an_empty_or_truncated_file(read, tmp_path: Path, end: int) -> None:
    with pytest.raises(UsageError, match="is no pickle, or a damaged one: it ends too early"):
        read(ORDINARY_BYTES[:end])


@pytest.mark.parametrize(
    "content",
    [
        b"Just some text that is no pickle at all.",
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"PK\x03\x04" + bytes(100),
        b"\xff\xd8\xff",
        b".",
        b"\x80\x63N.",
        b"I" + b"9" * 10_000 + b"\n.",
        b"B\xff\xff\xff\x7f.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"]" * 50_000 + b"a" * 49_999 + b".",
    ],
)
def test_what_is_no_pickle_or_damaged(read, content: bytes) -> None:
    with pytest.raises(
        UsageError, match=r"^bank: .*file.pkl is (no pickle, or a damaged one|refused)"
    ):
        read(content)


@given(content=st.binary(max_size=60))
def test_no_bytes_do_anything_but_raise_the_error_or_give_a_plain_value(
    tmp_path_factory, content: bytes
) -> None:
    file = tmp_path_factory.mktemp("any") / "file.pkl"
    file.write_bytes(content)
    try:
        value = read_pickle(file, "bank")
    except UsageError:
        return
    assert same(value, pickle.load(io.BytesIO(content), encoding="latin1"))  # noqa: S301


@given(place=st.integers(0, len(ORDINARY_BYTES) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_never_escapes(tmp_path_factory, place: int, byte: int) -> None:
    file = tmp_path_factory.mktemp("changed") / "file.pkl"
    file.write_bytes(ORDINARY_BYTES[:place] + bytes([byte]) + ORDINARY_BYTES[place + 1 :])
    try:
        value = read_pickle(file, "bank")
    except UsageError:
        return
    assert isinstance(value, (*PLAIN_TYPES, np.ndarray, np.generic, np.dtype))


def test_a_file_or_arrays_that_are_too_large(read) -> None:
    content = pickle.dumps(np.zeros(100))
    with pytest.raises(UsageError, match=rf"it has {len(content)} bytes, more than 500"):
        read(content, most_bytes=500)
    raw = bytes(1000)
    views = [Calls(frombuffer, raw, np.dtype("u1"), (1000,), "C") for _ in range(10)]
    with pytest.raises(UsageError, match="arrays that are too large together"):
        read(pickle.dumps(views), most_bytes=5000)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"bank: .*none.pkl cannot be read: No such file"):
        read_pickle(tmp_path / "none.pkl", "bank")


@pytest.mark.realdata
def test_the_released_bank_of_concepts(realdata: Path) -> None:
    bank = read_pickle(realdata / "cce_concept_bank" / "resnet18_bank.pkl", "bank")
    assert len(bank) == 170
    assert all(len(entry) == 5 and isinstance(entry[0], np.ndarray) for entry in bank.values())


@pytest.mark.realdata
def test_the_released_index_of_subsets(realdata: Path) -> None:
    index = read_pickle(realdata / "metashift" / "attributes-candidate-subsets.pkl", "index")
    assert len(index) == 4962
    assert type(index) is dict
    assert all(type(ids) is set and all(map(str.isdecimal, ids)) for ids in index.values())
