"""A stranger's plugin is installed, listed, checked, run and scored."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from strangers import install, installed_here

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    """Where the example plugin is installed."""
    source = request.config.rootpath / "tests" / "example_plugin"
    folder = tmp_path_factory.mktemp("installed")
    copy = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    flags = ["--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)]
    subprocess.run([*pip, *flags, str(copy)], check=True)
    return folder


@pytest.fixture
def call(folder, xbench):
    """Calls `xbench` where it is installed."""
    with installed_here(folder):
        yield xbench


def test_the_plugin_is_short(request):
    folder = request.config.rootpath / "tests" / "example_plugin"
    files = [folder / "pyproject.toml", folder / "xbench_brightness.py"]
    lines = [line for path in files for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) < 30


def test_the_plugin_is_listed_with_who_provides_it(folder):
    command = [sys.executable, "-m", "xbench", "list", "explainer", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    listed = json.loads(subprocess.check_output(command, env=environment))
    ours = next(row for row in listed if row["name"] == "brightness")
    assert (ours["distribution"], ours["version"]) == ("xbench-brightness", "0.1")


def test_the_plugin_passes_the_conformance_suite(call):
    called = call("plugins", "check", "xbench-brightness")
    assert called.code == 0, called.out + called.err
    assert called.out == "xbench-brightness: 1 components, 0 faults\n"


def test_the_plugin_is_run_and_scored_beside_the_floors(call, quick):
    # under the preset `paper`, a network that has learnt nothing may have no insecurity at all
    of = ("-p", "explainer.of.name=deliberative", "-p", "explainer.of.preset=official")
    called = call("run", "--explainer", "brightness", *of, "--json", *quick)
    assert called.code == 0, called.err
    records = called.json()
    assert records[0]["components"]["explainer"]["distribution"] == "xbench-brightness"
    floor = next(r for r in records if r["label"] == "random region, same pair")
    assert floor["components"]["explainer"]["parameters"]["of"]["name"] == "brightness"
    headline = next(score for score in records[0]["scores"] if score["headline"])
    assert 0 <= headline["value"] <= 1


def test_without_plugins_it_is_not_there(call):
    called = call("run", "--explainer", "brightness", "--no-plugins")
    assert called.code == 2
    assert "unknown explainer 'brightness'" in called.err


def test_a_broken_plugin_is_named_and_the_rest_works(call, tmp_path):
    install(tmp_path, "xbench-broken", "raise OSError('no')", ["loss.broken"])
    with installed_here(tmp_path):
        listed = call("plugins", "list")
        assert listed.code == 0
        broken = "plugin xbench-broken 1.0 (xbench_broken) cannot be imported: OSError: no"
        assert broken in listed.out
        assert call("show", "explainer", "brightness").code == 0
        strict = call("show", "explainer", "brightness", "--strict-plugins")
    assert strict.code == 2
    assert "xbench-broken 1.0" in strict.err


def test_two_that_claim_one_name_are_refused_and_both_are_named(call, tmp_path):
    install(tmp_path, "xbench-rival", "", ["explainer.brightness"])
    with installed_here(tmp_path):
        called = call("run", "--explainer", "brightness")
        assert call("list").code == 0
    assert called.code == 2
    assert "xbench-brightness 0.1 (xbench_brightness)" in called.err
    assert "xbench-rival 1.0 (xbench_rival)" in called.err
