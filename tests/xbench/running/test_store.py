"""A file of the store is whole or not there."""

import errno
import json

import pyarrow as pa
import pytest
import torch

from xbench.errors import StoreFullError, UnwritableStoreError
from xbench.interfaces.artefact import Artefact
from xbench.running.store import TREE, Store

ROWS = pa.table({"case": [1, 2], "value": [[0.5, float("nan")], [1.0, 2.0]]})


@pytest.fixture(params=["folder", "memory"])
def store(request, tmp_path):
    if request.param == "memory":
        made = Store(f"memory://{tmp_path.name}")
        yield made
        made._files.rm(made._root, recursive=True)
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


def damaged(path, how):
    data = path.read_bytes()
    if how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "altered":
        path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["truncated", "altered", "removed"])
@pytest.mark.parametrize("suffix", ["", ".sha256"])
def test_a_damaged_file_counts_as_absent_and_can_be_made_again(tmp_path, how, suffix):
    store = Store(str(tmp_path))
    store.put_rows("key", ROWS)
    if suffix == ".sha256" and how == "altered":
        (tmp_path / "rows" / "key.parquet.sha256").write_text("0" * 64)
    else:
        damaged(tmp_path / "rows" / f"key.parquet{suffix}", how)
    assert store.rows("key") is None
    store.put_rows("key", ROWS)
    assert store.rows("key") is not None


def test_nothing_temporary_is_left(tmp_path):
    store = Store(str(tmp_path))
    store.check_writable()
    store.put_rows("key", ROWS)
    store.put_record("a/b.json", {})
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert names == ["records/a/b.json", "rows/key.parquet", "rows/key.parquet.sha256"]


def test_a_full_disk_is_said_in_one_line_and_loses_nothing(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    store.put_record("a.json", {"old": 1})

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(store._files), "pipe_file", full)
    for act in (lambda: store.put_rows("k", ROWS), lambda: store.put_record("a.json", {})):
        with pytest.raises(StoreFullError) as caught:
            act()
        assert "no space left in store" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 1
    assert json.loads((tmp_path / "records/a.json").read_text()) == {"old": 1}


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
            place = store._path(path)
            store._files.pipe_file(place, store._files.cat_file(place)[:content])
    found = [{"from": "old"}, {"from": "older"}]
    assert list(store.artefact_kin("weights", keys["asked"])) == found
    assert list(store.rows_kin(keys["asked"])) == found
