"""`xbench store` lists, verifies and cleans up."""

import json
import os
import time

import pyarrow as pa
import pytest
import torch

from xbench.interfaces.artefact import Artefact
from xbench.running.storage.segments import put
from xbench.running.storage.store import Store

SEGMENT = "explanations/maps/key"
HEX = "0123456789abcdef" * 2


@pytest.fixture
def folder(tmp_path):
    """A store with a file of each kind."""
    store = Store(str(tmp_path / "store"))
    store.put_rows("key", pa.table({"case": [1]}))
    store.put_artefact("weights", Artefact("key", {"w": torch.zeros(3)}, {}))
    store.put_record("default/key.json", {"key": "key"})
    put(store, SEGMENT, [1, 2], [{}, {}], {})
    put(store, "predictions/key", [1], [{}], {})
    return tmp_path / "store"


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def old(path, days=2.0):
    """A file that was written days ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    moment = time.time() - 86_400 * days
    os.utime(path, (moment, moment))
    return path


def test_what_lies_in_a_store_is_listed_by_kind(xbench, folder):
    old(folder / "tmp" / HEX)
    old(folder / "notes.txt")
    rows = xbench("store", "ls", "--store", folder, "--json").json()
    assert {row["kind"]: row["files"] for row in rows} == {
        "artefacts weights": 1,
        "explanations maps": 1,
        "other": 1,
        "predictions": 1,
        "records": 1,
        "rows": 1,
        "temporary": 1,
    }
    assert sum(row["size"] for row in rows) == sum(
        (folder / name).stat().st_size for name in files(folder)
    )
    lines = xbench("store", "ls", "--store", folder).out.splitlines()
    assert lines[0] == f"# Store {folder}"
    assert lines[1].split("\t") == ["kind", "files", "size"]
    assert lines[-1].split("\t")[:2] == ["all", "7"]


def test_a_store_that_is_not_there_is_empty_and_stays_so(xbench, tmp_path):
    folder = tmp_path / "none"
    assert xbench("store", "ls", "--store", folder, "--json").json() == []
    assert xbench("store", "verify", "--store", folder).code == 0
    assert xbench("store", "gc", "--store", folder).code == 0
    assert not folder.exists()


def test_verify_names_what_is_damaged(xbench, folder):
    called = xbench("store", "verify", "--store", folder)
    assert (called.code, called.out) == (0, "")
    assert called.err == f"{folder}: all is whole\n"
    broken = sorted(files(folder))
    for name in broken:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-1])
    called = xbench("store", "verify", "--store", folder)
    assert called.code == 1
    assert called.out.splitlines() == broken
    assert called.err == f"{folder}: 5 damaged; a run makes again what it needs\n"
    called = xbench("store", "verify", "--store", folder, "--json")
    assert called.code == 1
    assert json.loads(called.out) == {"store": str(folder), "damaged": broken}


def test_gc_removes_what_kills_and_damage_left_and_nothing_else(xbench, folder):
    whole = files(folder)
    stays = [folder / "tmp" / HEX[::-1], folder / "notes.txt", folder / "tmp" / "mine"]
    for path in stays:
        old(path, days=0.5 if path == stays[0] else 2)
    goes = ["tmp/" + HEX, f".probe-{HEX}", "rows/key.parquet.sha256", "rows/cut.parquet"]
    for name in goes:
        old(folder / name)
    called = xbench("store", "gc", "--store", folder, "--dry-run")
    assert called.code == 0
    assert {line.split(": ")[0] for line in called.out.splitlines()} == set(goes)
    assert called.err == f"{folder}: 4 files would be removed, 0.0 MB\n"
    assert files(folder) >= {*whole, *goes}
    called = xbench("store", "gc", "--store", folder)
    assert "rows/cut.parquet: damaged\n" in called.out
    assert called.err == f"{folder}: 4 files removed, 0.0 MB\n"
    assert files(folder) == {*whole, *(str(path.relative_to(folder)) for path in stays)}


def test_gc_leaves_a_record_that_can_be_read(xbench, folder):
    read, cut = folder / "records/default/key.json", folder / "records/default/cut.json"
    read.write_text('{"key": "of a version before"}')
    cut.write_text('{"key": "of a ver')
    called = xbench("store", "gc", "--store", folder)
    assert called.out == "records/default/cut.json: damaged\n"
    assert read.exists()
    assert not cut.exists()


def test_gc_removes_kept_explanations_where_it_is_asked_to(xbench, folder):
    called = xbench("store", "gc", "--store", folder, "--explanations", "--json").json()
    assert {file["reason"] for file in called["removed"]} == {"kept explanation"}
    assert files(folder) == {
        "artefacts/weights/key.safetensors",
        "records/default/key.json",
        "rows/key.parquet",
    }
