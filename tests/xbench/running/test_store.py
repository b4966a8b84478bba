"""A file of the store is whole or not there."""

import errno
import io
import json
import multiprocessing
import os
import pickle
import threading
import time
import weakref
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save

from store_users import write_and_read
from xbench.errors import RunError, StoreFullError, UnwritableStoreError
from xbench.files import seals
from xbench.files.seals import sealed_tensors
from xbench.interfaces.artefact import Artefact
from xbench.running.storage.store import TREE, Store, case_fault
from xbench.running.storage.store_files import StoreFiles

ROWS = pa.table({"case": [1, 2], "value": [[0.5, float("nan")], [1.0, 2.0]]})


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    if request.param == "memory":
        made = Store(f"memory://{tmp_path.name}")
        yield made
        made.files._files.rm(made.files._root, recursive=True)
    else:
        yield Store(str(tmp_path / "store"))


def test_rows_come_back_as_they_were(store):
    store.put_rows("key", ROWS)
    assert str(store.rows("key").to_pydict()) == str(ROWS.to_pydict())
    assert store.rows("other") is None


def test_artefacts_come_back_as_they_were(store):
    tensors = {"a": torch.arange(6).reshape(2, 3), "b": torch.tensor(True)}
    store.put_artefact("weights", Artefact("key", tensors, {"classes": 3, "curve": [[1.5, 2]]}))
    found = store.artefact("weights", "key")
    assert found.key == "key"
    assert found.facts == {"classes": 3, "curve": [[1.5, 2]]}
    assert all(torch.equal(found.tensors[name], tensors[name]) for name in tensors)
    assert store.artefact("weights", "other") is None


def test_an_artefact_without_tensors_can_be_kept(store):
    store.put_artefact("facts", Artefact("key", {}, {"a": 1}))
    assert store.artefact("facts", "key").facts == {"a": 1}


def test_the_keys_of_a_kind_are_listed(store):
    assert store.artefact_keys("weights") == []
    for key in ("b", "a"):
        store.put_artefact("weights", Artefact(key, {}, {}))
    store.put_artefact("bank", Artefact("c", {}, {}))
    assert store.artefact_keys("weights") == ["a", "b"]


def test_records_hold_null_where_there_is_no_number(store):
    path = store.put_record("some/record.json", {"value": float("nan"), "list": [float("inf"), 1]})
    assert path.endswith("records/some/record.json")
    assert store.record("some/record.json") == {"value": None, "list": [None, 1]}
    assert store.record("none.json") is None


FILES = {
    "rows/key.parquet": lambda store: store.rows("key"),
    "artefacts/weights/key.safetensors": lambda store: store.artefact("weights", "key"),
    "records/made-up/key.json": lambda store: store.record("made-up/key.json"),
}
"""A file of each kind, and how it is read."""


def fill(store):
    """Put a file of each kind there, and one that can be mistaken for it."""
    for number, key in enumerate(("key", "other")):
        tensors = {"w": torch.arange(6) + number}
        store.put_rows(key, ROWS.append_column("number", pa.array([number, number])))
        store.put_artefact("weights", Artefact(key, tensors, {"n": number}), {"name": key})
        store.put_record(f"made-up/{key}.json", {"key": key, "list": [1.5, None]})
    return store


def alterations(data):
    """The file with a bit turned, at many places, and cut off after many bytes."""
    places = {*range(0, len(data), 17), *range(min(len(data), 40)), len(data) - 1}
    for place in sorted(places):
        yield data[:place] + bytes([data[place] ^ (1 << place % 8)]) + data[place + 1 :]
        yield data[:place]
    yield data + b"0"
    yield bytes(len(data))


@pytest.mark.parametrize("path", FILES)
def test_no_file_that_was_altered_or_cut_off_is_believed(store, path):
    read, place = FILES[path], fill(store).files.path(path)
    whole = store.files._files.cat_file(place)
    assert read(store) is not None
    for altered in alterations(whole):
        store.files._files.pipe_file(place, altered)
        assert read(store) is None
    store.files._files.pipe_file(place, whole)
    assert read(store) is not None


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_not_believed_where_another_belongs(store, path):
    other = path.replace("key", "other")
    fill(store).files._files.cp_file(store.files.path(other), store.files.path(path))
    assert FILES[path](store) is None


@pytest.mark.parametrize("path", FILES)
def test_a_damaged_file_is_named_once_and_made_again(store, path):
    said = []
    fill(store).files.say = said.append
    store.files._files.pipe_file(store.files.path(path), b"nothing")
    assert FILES[path](store) is FILES[path](store) is None
    kind = {"rows": "rows", "artefacts": "artefacts weights", "records": "records"}
    named = kind[path.split("/")[0]]
    assert said == [f"damaged {named} in store {store.url!r}, made again: {path}"]
    assert store.files.damaged == {path}
    fill(store)
    assert FILES[path](store) is not None
    assert store.files.damaged == set()


@pytest.mark.parametrize("path", FILES)
def test_a_file_from_before_seals_counts_as_absent(store, path):
    suffix = path.rpartition(".")[2]
    buffer = io.BytesIO()
    pq.write_table(ROWS, buffer)
    old = {
        "parquet": buffer.getvalue(),
        "safetensors": save({"w": torch.zeros(2)}, {"facts": "{}", "tree": "{}"}),
        "json": b"{}",
    }
    store.files._files.makedirs(store.files.path(path).rpartition("/")[0], exist_ok=True)
    store.files._files.pipe_file(store.files.path(path), old[suffix])
    assert FILES[path](store) is None


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("artefacts/weights/key.safetensors", {"facts": "[1]"}),
        ("artefacts/weights/key.safetensors", {"facts": "{"}),
        ("artefacts/weights/key.safetensors", {}),
        ("records/made-up/key.json", '["checksum": "'),
        ("records/made-up/key.json", '[{"checksum": "'),
    ],
)
def test_a_whole_file_that_makes_no_sense_is_not_believed(store, path, content):
    if isinstance(content, dict):
        data = sealed_tensors(path, {}, content)
    else:
        ends = "}]" if "{" in content else "]"
        data = seals._sealed(path, bytearray(f'{content}{"0" * 64}"{ends}'.encode()))
    assert store.create(path, data)
    assert store.files.read(path) == data
    assert FILES[path](store) is None
    assert store.files.damaged == {path}


@pytest.mark.parametrize(
    ("cases", "fault"),
    [
        ((1, 2), ""),
        ((2, 1), ""),
        (("1", "2"), ""),
        ((1, 2, 3), "1 of 3 cases have no row, such as 3"),
        ((1,), "rows of cases that nobody asked for, such as 2"),
        ((), "rows of cases that nobody asked for, such as 1"),
    ],
)
def test_rows_are_of_all_their_cases_and_of_no_others(store, cases, fault):
    store.put_rows("key", ROWS)
    assert case_fault(ROWS, cases) == fault
    assert (store.rows("key", cases) is None) == bool(fault)
    assert store.rows("key") is not None


def test_rows_have_cases():
    assert case_fault(ROWS.drop_columns(["case"]), ()) == "there is no column `case`"


def test_tensors_of_an_artefact_are_read_when_they_are_touched(store, monkeypatch):
    fill(store)
    reads = []
    read = StoreFiles.read
    monkeypatch.setattr(StoreFiles, "read", lambda *of: reads.append(of[1]) or read(*of))
    artefact = store.artefact("weights", "key")
    assert artefact.facts == {"n": 0}
    assert len(reads) == 1
    held = weakref.ref(artefact.tensors["w"])
    assert list(artefact.tensors) == ["w"]
    assert len(artefact.tensors) == 1
    assert len(reads) == 2
    artefact.tensors.drop()
    assert held() is None
    assert torch.equal(dict(artefact.tensors)["w"], torch.arange(6))
    assert len(reads) == 3


def test_a_pickled_artefact_carries_no_tensors(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store("store", say=lambda line: None)
    store.put_artefact("weights", Artefact("key", {"w": torch.zeros(100_000)}, {"n": 1}))
    artefact = store.artefact("weights", "key")
    artefact.tensors["w"]
    data = pickle.dumps(artefact)
    assert len(data) < 1000
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    back = pickle.loads(data)  # noqa: S301 - our own, of a line ago
    assert torch.equal(back.tensors["w"], torch.zeros(100_000))
    opened = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert opened.artefact("weights", "key").facts == {"n": 1}


@pytest.mark.parametrize("how", ["removed", "altered", "another"])
def test_tensors_that_are_no_longer_those_of_the_artefact_end_the_run(store, how):
    artefact = fill(store).artefact("weights", "key")
    path = "artefacts/weights/key.safetensors"
    if how == "another":
        store.files.write(path, sealed_tensors(path, {"w": torch.ones(1)}, {"facts": "{}"}))
    else:
        store.files.delete(path)
    if how == "altered":
        store.files._files.pipe_file(store.files.path(path), b"x")
    with pytest.raises(RunError, match="run the same command again") as caught:
        artefact.tensors["w"]
    assert path in str(caught.value)


def test_an_artefact_that_is_there_stays_and_is_what_the_second_writer_gets(store):
    first = store.put_artefact("weights", Artefact("key", {"w": torch.zeros(2)}, {"n": 1}))
    second = store.put_artefact("weights", Artefact("key", {"w": torch.ones(2)}, {"n": 2}))
    assert first.facts == second.facts == {"n": 1}
    assert torch.equal(first.tensors["w"], second.tensors["w"])


def test_tensors_that_share_memory_can_be_kept(store):
    weight = torch.randn(4, 3)
    store.put_artefact("weights", Artefact("key", {"a": weight, "b": weight, "c": weight.T}, {}))
    found = store.artefact("weights", "key").tensors
    assert torch.equal(found["a"], found["b"])
    assert torch.equal(found["c"], weight.T)


def test_of_several_who_create_a_file_one_does(store):
    for turn in range(20):
        start = threading.Barrier(8)

        def create(number, turn=turn, start=start):
            start.wait()
            return store.create(f"claims/{turn}", b"%d" % number)

        with ThreadPoolExecutor(8) as threads:
            created = list(threads.map(create, range(8)))
        assert sum(created) == 1
        content = store.files._files.cat_file(store.files.path(f"claims/{turn}"))
        assert content == b"%d" % created.index(True)


def test_a_file_is_created_where_names_cannot_be_linked(tmp_path, monkeypatch):
    def no_links(*places):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    store = Store(str(tmp_path))
    assert store.create("claims/a", b"1")
    assert not store.create("claims/a", b"2")
    assert (tmp_path / "claims" / "a").read_bytes() == b"1"


def test_ten_runs_share_a_store(store):
    with ThreadPoolExecutor(10) as threads:
        assert list(threads.map(write_and_read, [store.url] * 10, range(10))) == [[]] * 10
    assert not [path for path in store.files.listed() if path.startswith("tmp/")]


def test_processes_share_a_store(tmp_path):
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["xbench.running.storage.store"])
    with ProcessPoolExecutor(3, mp_context=server) as processes:
        damaged = list(processes.map(write_and_read, [str(tmp_path)] * 3, range(3)))
    assert damaged == [[]] * 3


def test_nothing_temporary_is_left(tmp_path):
    store = Store(str(tmp_path))
    store.check_writable()
    store.put_rows("key", ROWS)
    store.put_record("a/b.json", {})
    store.create("c/d", b"")
    store.create("c/d", b"")
    assert list(store.files.listed()) == ["c/d", "records/a/b.json", "rows/key.parquet"]


def test_files_are_listed_with_their_sizes_and_times(store):
    assert store.files.listed("rows") == {}
    fill(store)
    listed = store.files.listed("rows")
    assert list(listed) == ["rows/key.parquet", "rows/other.parquet"]
    data = store.files._files.cat_file(store.files.path("rows/key.parquet"))
    assert listed["rows/key.parquet"].size == len(data)
    assert abs(time.time() - listed["rows/key.parquet"].modified) < 60
    store.files.delete("rows/key.parquet")
    store.files.delete("rows/key.parquet")
    assert list(store.files.listed("rows")) == ["rows/other.parquet"]


def test_other_readers_open_the_files(tmp_path):
    fill(Store(str(tmp_path)))
    assert pq.read_table(tmp_path / "rows/key.parquet").column("number").to_pylist() == [0, 0]
    weights = load_file(tmp_path / "artefacts/weights/key.safetensors")
    assert torch.equal(weights["w"], torch.arange(6))
    assert json.loads((tmp_path / "records/made-up/key.json").read_text())["key"] == "key"


def test_a_full_disk_is_said_in_one_line_and_loses_nothing(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    store.put_record("a.json", {"old": 1})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(store.files._files), "pipe_file", full)
    for act in (lambda: store.put_rows("k", ROWS), lambda: store.put_record("a.json", {})):
        with pytest.raises(StoreFullError) as caught:
            act()
        assert "no space left in store" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 1
    assert store.record("a.json") == {"old": 1}
    assert list(store.files.listed()) == ["records/a.json"]


def test_a_store_that_cannot_be_written_is_said_with_the_way_out(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UnwritableStoreError, match="choose another with --store") as caught:
        Store(str(file / "store")).check_writable()
    assert caught.value.exit_code == 2


def test_what_the_same_components_made_is_found_by_its_key_and_nothing_damaged(store):
    names = ("asked", "old", "older", "cut", "empty", "other")
    keys = {name: f"{'ffff0000' if name == 'other' else '0123abcd'}{name}" for name in names}
    for name, key in keys.items():
        store.put_artefact("weights", Artefact(key, {"w": torch.zeros(2)}), {"from": name})
        store.put_rows(key, ROWS.replace_schema_metadata({TREE: json.dumps({"from": name})}))
    for name, content in (("cut", 20), ("empty", 0)):
        for path in (f"artefacts/weights/{keys[name]}.safetensors", f"rows/{keys[name]}.parquet"):
            place = store.files.path(path)
            store.files._files.pipe_file(place, store.files._files.cat_file(place)[:content])
    found = [{"from": "old"}, {"from": "older"}]
    assert list(store.artefact_kin("weights", keys["asked"])) == found
    assert list(store.rows_kin(keys["asked"])) == found
