"""`xbench doctor` says what a report of a fault needs, whatever is broken."""

import os
import sys
from importlib import metadata

import pytest

from xbench.api.diagnosis import diagnosis, problems
from xbench.components.registry import Registry
from xbench.running.storage.store import Store


@pytest.fixture
def told(xbench, tmp_path):
    """What it says, as JSON."""
    called = xbench("doctor", "--store", tmp_path / "store", "--json")
    assert called.code == 0
    return called.json()


def test_versions_devices_plugins_home_and_store_are_told(told, monkeypatch):
    assert told["xbench"]["version"] == metadata.version("xbench-xai")
    assert told["packages"]["torch"] == metadata.version("torch")
    assert {"ray", "pandas"} <= told["optional packages"].keys()
    assert {"threads", "cuda", "mps"} <= told["devices"].keys()
    assert "components" in told["plugins"]["xbench-xai"]
    assert told["home"]["home"] == os.environ["XBENCH_HOME"]
    assert "GB at" in told["home"]["free disk"]
    assert told["store"]["records"] == "0"
    assert told["environment"]["XBENCH_HOME"] == os.environ["XBENCH_HOME"]
    assert told["problems"] == []


def test_it_is_text_of_80_columns_and_writes_nothing(xbench, tmp_path):
    called = xbench("doctor", "--store", tmp_path / "store")
    assert called.out.splitlines()[0] == "xbench"
    assert called.out.endswith("no problem was found\n")
    assert not (tmp_path / "store").exists()


def test_a_home_and_a_store_that_cannot_be_written_are_problems(xbench, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path / "file" / "home"))
    called = xbench("doctor")
    assert called.code == 0
    assert f"home: {tmp_path / 'file'} is a file, no folder; name another with" in called.out
    assert "name another with --store or XBENCH_STORE" in called.out
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path))
    assert "is not writable; name another with XBENCH_HOME" in xbench("doctor").out


def test_a_full_disk_is_a_problem(xbench, monkeypatch):
    monkeypatch.setattr("xbench.api.diagnosis.LITTLE", float("inf"))
    assert "free disk: a run may fill it; free some" in xbench("doctor").out


def test_a_broken_plugin_is_a_problem_and_the_rest_is_told(xbench, monkeypatch):
    point = metadata.EntryPoint("dataset.mine", "xbench_that_is_not_there", "xbench")
    monkeypatch.setattr("xbench.components.registry.installed", lambda: Registry([point]))
    called = xbench("doctor")
    assert called.code == 0
    assert "No module named 'xbench_that_is_not_there'" in called.out
    assert "uninstall or repair it" in called.out
    assert "free disk" in called.out


def test_without_torch_there_is_no_traceback(xbench, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    called = xbench("doctor")
    assert called.code == 0
    assert "pip install torch" in called.out


def test_a_package_that_is_missing_is_a_problem(xbench, monkeypatch):
    monkeypatch.setattr("xbench.api.diagnosis.NEEDED", ("no-such-package",))
    called = xbench("doctor")
    assert "1 problem, marked (!) above:" in called.out
    assert "no-such-package: it is needed and not installed: pip install" in called.out


def test_what_raises_is_told_in_its_section(monkeypatch):
    def broken():
        raise RuntimeError("all is lost")

    monkeypatch.setattr("xbench.api.diagnosis.home", broken)
    sections = {section.title: section for section in diagnosis(None)}
    assert "RuntimeError: all is lost" in problems([sections["home"]])[0]
    assert sections["machine"].facts


def test_a_store_that_cannot_be_opened_is_a_problem_here_and_an_error_elsewhere(xbench):
    assert "choose a folder with --store" in xbench("doctor", "--store", "nosuch://x").out
    called = xbench("results", "--store", "nosuch://x")
    assert (called.code, called.err.count("\n")) == (2, 1)


def test_damaged_records_are_problems(xbench, tmp_path):
    store = Store(str(tmp_path / "store"))
    store.put_record("b/a.json", {"record_schema": 2})
    called = xbench("doctor", "--store", tmp_path / "store")
    assert "a.json is left out" in called.out
