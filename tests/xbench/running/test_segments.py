"""Kept values come back bit by bit, from whatever segments they lie in, or not at all."""

import gc
import math
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load

from xbench.errors import StoreFullError
from xbench.files.seals import DTYPES, header, tensor_bytes
from xbench.running.storage import segments
from xbench.running.storage.segments import delete, find, get, prune, put, segment_name, sizes
from xbench.running.storage.store import Store

FOLDER = "explanations/maps/key"


def forget(store):
    """Remove all files of a store in memory."""
    for path in store.files.listed():
        store.files.delete(path)


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    if request.param == "memory":
        made = Store(f"memory://{tmp_path.name}")
        yield made
        forget(made)
    else:
        yield Store(str(tmp_path / "store"))


def value(number, size=3):
    """What is kept of an image: one tensor of its own, one that all share."""
    return {"map": torch.full((size,), float(number)), "names": torch.arange(4)}


def keep(store, *ids, folder=FOLDER, size=3):
    return put(store, folder, ids, [value(id_, size) for id_ in ids], {"explainer": "maps"})


def path_of(*ids, folder=FOLDER):
    return f"{folder}/{segment_name(ids)}.safetensors"


def equal(values, others):
    """Whether values are equal bit by bit, types, shapes and names included."""
    return len(values) == len(others) and all(
        of.keys() == other.keys() and all(same(of[name], other[name]) for name in of)
        for of, other in zip(values, others, strict=True)
    )


def same(one, other):
    alike = one.dtype == other.dtype and one.shape == other.shape
    return alike and bytes(tensor_bytes(one)) == bytes(tensor_bytes(other))


@st.composite
def tensors(draw):
    """Tensors of any type and few shapes, whose values are any bits, NaN of all sorts included."""
    shape = draw(st.sampled_from([(), (0,), (2, 0), (1,), (2,), (2, 3), (1, 2, 2)]))
    dtype = getattr(torch, draw(st.sampled_from(sorted(DTYPES))))
    source = torch.Generator().manual_seed(draw(st.integers(0, 2)))
    most = 2 if dtype == torch.bool else 256
    bits = torch.randint(most, (math.prod(shape) * dtype.itemsize,), generator=source)
    tensor = bits.to(torch.uint8).view(dtype).reshape(shape)
    return tensor.T if tensor.dim() == 2 and draw(st.booleans()) else tensor


VALUES = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "__metadata__", "ü"]), tensors()), max_size=6
)


@given(VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_is_kept_comes_back_bit_by_bit(values, data):
    store = Store("memory://segments-property")
    forget(store)
    unique = st.integers(-(2**62), 2**62)
    ids = data.draw(st.lists(unique, min_size=len(values), max_size=len(values), unique=True))
    put(store, FOLDER, ids, values, {})
    back = get(store, FOLDER, ids)
    assert equal(back, values)
    assert all(tensor.is_contiguous() for of in back for tensor in of.values())
    some = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    found = find(store, FOLDER, some)
    assert list(found) == some
    assert equal(list(found.values()), [values[ids.index(id_)] for id_ in some])
    forget(store)


def test_values_come_back_in_the_order_that_they_were_kept_in(store):
    assert get(store, FOLDER, [3, 1]) is None
    assert keep(store, 3, 1) > 0
    assert [of["map"][0].item() for of in get(store, FOLDER, [3, 1])] == [3, 1]
    assert get(store, FOLDER, [1, 3]) is None
    assert get(store, FOLDER, [3]) is None
    assert get(store, "explanations/maps/other", [3, 1]) is None


def test_what_is_kept_is_not_written_again(store):
    written = keep(store, 1, 2)
    assert written == sizes(store)[path_of(1, 2)].size
    assert put(store, FOLDER, [1, 2], [value(8), value(9)], {}) == 0
    assert get(store, FOLDER, [1, 2])[0]["map"][0] == 1


@pytest.mark.parametrize(("ids", "count"), [([1, 1], 2), ([1, 2], 1), ([1], 2)])
def test_every_image_has_one_value(store, ids, count):
    with pytest.raises(ValueError, match=f"{count} values for"):
        put(store, FOLDER, ids, [value(0)] * count, {})


def test_no_image_is_a_segment_too(store):
    assert put(store, FOLDER, [], [], {}) > 0
    assert get(store, FOLDER, []) == []
    assert find(store, FOLDER, []) == {}


def test_images_are_found_in_whatever_segments_they_lie(store):
    for ids in ((1, 2, 3), (3, 4), (5,)):
        keep(store, *ids)
    found = find(store, FOLDER, [4, 9, 2, 3])
    assert list(found) == [4, 2, 3]
    assert [of["map"][0].item() for of in found.values()] == [4, 2, 3]
    assert find(store, FOLDER, [9]) == {}
    assert find(store, "predictions/key", [1]) == {}


def test_a_segment_is_read_once_for_all_its_images_and_its_ids_are_remembered(store, monkeypatch):
    keep(store, 1, 2, 3)
    keep(store, 4, 5)
    monkeypatch.setattr(segments, "_IDS", {})
    reads, headers = [], []
    read, peek = type(store.files).read, type(store.files).header
    monkeypatch.setattr(type(store.files), "read", lambda *of: reads.append(of[1]) or read(*of))
    monkeypatch.setattr(type(store.files), "header", lambda *of: headers.append(of[1]) or peek(*of))
    for _ in range(2):
        assert list(find(store, FOLDER, [3, 1])) == [3, 1]
    assert [path for path in reads if path != path_of(3, 1)] == [path_of(1, 2, 3)] * 2
    assert len(headers) == 2


def test_what_all_images_share_is_stored_once(store):
    big = torch.randn(1000)
    shared = [{"concepts": big.clone(), "score": torch.tensor(float(n))} for n in range(50)]
    written = put(store, FOLDER, range(50), shared, {})
    assert written < big.nbytes + 2000
    back = get(store, FOLDER, range(50))
    assert len({of["concepts"].data_ptr() for of in back}) == 1
    own = [{"concepts": big + n} for n in range(50)]
    assert put(store, "explanations/maps/own", range(50), own, {}) > 50 * big.nbytes


def test_tensors_of_equal_shape_are_stacked_and_the_rest_lie_alone(store):
    shapes = [(2,), (3,), (2,), (2,)]
    values = [{"map": torch.randn(shape)} for shape in shapes]
    put(store, FOLDER, range(4), values, {})
    data = store.files.read(path_of(0, 1, 2, 3))
    assert sorted(tuple(tensor.shape) for tensor in load(data).values()) == [(3,), (3, 2)]
    assert equal(get(store, FOLDER, range(4)), values)


def test_a_map_that_is_repeated_is_stored_once_and_comes_back_whole(store):
    maps = torch.randn(4, 5)
    values = [{"map": maps.expand(n, 4, 5)} for n in (2, 3, 2)]
    put(store, FOLDER, range(3), values, {})
    data = store.files.read(path_of(0, 1, 2))
    assert sorted(tuple(tensor.shape) for tensor in load(data).values()) == [(1, 4, 5)] * 2
    assert equal(get(store, FOLDER, range(3)), values)


def test_one_value_does_not_hold_the_memory_of_all(store):
    put(store, FOLDER, range(8), [{"map": torch.randn(1000)} for _ in range(8)], {})
    one = get(store, FOLDER, range(8))[3]["map"]
    gc.collect()
    assert one.untyped_storage().nbytes() == one.nbytes


def test_a_value_on_its_way_through_a_gradient_is_kept_as_numbers(store):
    weight = torch.ones(3, requires_grad=True)
    put(store, FOLDER, [1, 2], [{"map": weight * 2}, {"map": weight * 3}], {})
    assert get(store, FOLDER, [1, 2])[1]["map"].tolist() == [3, 3, 3]


def test_the_header_says_what_a_segment_holds(store):
    keep(store, 7, 5)
    about = header(store.files.read(path_of(7, 5)))
    assert about["kind"] == "maps"
    assert about["key"] == "key"
    assert about["ids"] == "[7, 5]"
    assert about["count"] == "2"
    assert about["about"] == '{"explainer": "maps"}'


def test_no_segment_that_was_altered_or_cut_off_is_believed(store, monkeypatch):
    said = []
    store.files.say = said.append
    keep(store, 1, 2)
    place = store.files.path(path_of(1, 2))
    whole = store.files._files.cat_file(place)
    for at in {*range(0, len(whole), 13), *range(20), len(whole) - 1}:
        turned = whole[:at] + bytes([whole[at] ^ (1 << at % 8)]) + whole[at + 1 :]
        for altered in (turned, whole[:at]):
            store.files._files.pipe_file(place, altered)
            monkeypatch.setattr(segments, "_IDS", {})
            assert get(store, FOLDER, [1, 2]) is None
            assert find(store, FOLDER, [2]) == {}
    assert said == [
        f"damaged explanations maps in store {store.url!r}, made again: {path_of(1, 2)}"
    ]
    assert keep(store, 1, 2) == len(whole)
    assert find(store, FOLDER, [2])[2]["map"][0] == 2


def test_of_a_damaged_segment_other_segments_give_what_they_have(store):
    keep(store, 1, 2, 3)
    keep(store, 3, 4)
    store.files._files.pipe_file(store.files.path(path_of(1, 2, 3)), b"nothing")
    assert list(find(store, FOLDER, [1, 2, 3])) == [3]


@pytest.mark.parametrize("other", [path_of(3, 4), path_of(1, 2, folder="explanations/maps/other")])
def test_a_segment_is_not_believed_where_another_belongs(store, other):
    for of in ((1, 2), (3, 4)):
        keep(store, *of)
        keep(store, *of, folder="explanations/maps/other")
    store.files._files.cp_file(store.files.path(other), store.files.path(path_of(1, 2)))
    assert get(store, FOLDER, [1, 2]) is None
    assert find(store, FOLDER, [1]) == {}


def test_a_segment_that_vanishes_while_it_is_looked_for_is_absent(store, monkeypatch):
    keep(store, 1, 2)
    listed = store.files.listed(FOLDER)
    delete(store, FOLDER)
    monkeypatch.setattr(type(store.files), "listed", lambda *_: listed)
    assert find(store, FOLDER, [1]) == {}
    monkeypatch.setattr(segments, "_IDS", {})
    assert find(store, FOLDER, [1]) == {}
    assert store.files.damaged == set()


def test_writers_of_the_same_images_harm_nothing(store):
    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(lambda _: keep(store, *range(20)), range(8)))
    assert sorted(map(bool, written)) == [False] * 7 + [True]
    assert len(get(store, FOLDER, range(20))) == 20


def test_a_folder_is_forgotten_as_a_whole(store):
    written = keep(store, 1) + keep(store, 2)
    keep(store, 1, folder="predictions/key")
    assert delete(store, FOLDER) == written
    assert list(sizes(store)) == [path_of(1, folder="predictions/key")]
    assert delete(store, FOLDER) == 0


def test_the_oldest_segments_go_until_the_rest_fit(tmp_path):
    store = Store(str(tmp_path))
    paths = []
    for number in range(5):
        folder = FOLDER if number % 2 else "predictions/key"
        written = keep(store, number, folder=folder, size=500)
        paths.append(path_of(number, folder=folder))
        os.utime(tmp_path / paths[-1], (1000 + number, 1000 + number))
    store.put_record("a/b.json", {})
    assert prune(store, 5 * written + 100) == []
    assert prune(store, 3 * written + 100, keep={paths[0]}) == paths[1:3]
    assert set(sizes(store)) == {paths[0], paths[3], paths[4]}
    assert prune(store, 0, keep={paths[0]}) == paths[3:]
    assert store.record("a/b.json") == {}


def test_a_full_disk_is_said(store, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(store.files._files), "pipe_file", full)
    with pytest.raises(StoreFullError):
        keep(store, 1)
