"""A stranger's plugin is installed, listed, checked, run and scored."""

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory, request):
    """The environment of a machine where the example plugin is installed."""
    source = request.config.rootpath / "tests" / "example_plugin"
    folder = tmp_path_factory.mktemp("installed")
    copy = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    flags = ["--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)]
    subprocess.run([*pip, *flags, str(copy)], check=True)
    home = tmp_path_factory.mktemp("home")
    return {**os.environ, "PYTHONPATH": str(folder), "XBENCH_HOME": str(home)}


def call(environment, *arguments):
    command = [sys.executable, "-m", "xbench", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def broken_plugin(
    folder, name="xbench-broken", component="loss.broken", text="raise OSError('no')"
):
    """An installed distribution whose module is this text."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[xbench]\n{component} = {module}\n")


def test_the_plugin_is_short(request):
    folder = request.config.rootpath / "tests" / "example_plugin"
    files = [folder / "pyproject.toml", folder / "xbench_brightness.py"]
    lines = [line for path in files for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) < 30


def test_the_plugin_is_listed_with_who_provides_it(environment):
    listed = json.loads(call(environment, "list", "explainer", "--json").stdout)
    ours = next(row for row in listed if row["name"] == "brightness")
    assert (ours["distribution"], ours["version"]) == ("xbench-brightness", "0.1")


def test_the_plugin_passes_the_conformance_suite(environment):
    called = call(environment, "plugins", "check", "xbench-brightness")
    assert called.returncode == 0, called.stdout + called.stderr
    assert called.stdout == "xbench-brightness: 1 components, 0 faults\n"


def test_the_plugin_is_run_and_scored_beside_the_floors(environment, quick):
    # under the preset `paper`, a network that has learnt nothing may have no insecurity at all
    of = ("-p", "explainer.of.name=deliberative", "-p", "explainer.of.preset=official")
    called = call(environment, "run", "--explainer", "brightness", *of, "--json", *quick)
    assert called.returncode == 0, called.stderr
    records = json.loads(called.stdout)
    assert records[0]["components"]["explainer"]["distribution"] == "xbench-brightness"
    floor = next(r for r in records if r["label"] == "random region, same pair")
    assert floor["components"]["explainer"]["parameters"]["of"]["name"] == "brightness"
    headline = next(score for score in records[0]["scores"] if score["headline"])
    assert 0 <= headline["value"] <= 1


def test_without_plugins_it_is_not_there(environment):
    called = call(environment, "run", "--explainer", "brightness", "--no-plugins")
    assert called.returncode == 2
    assert "unknown explainer 'brightness'" in called.stderr


def test_a_broken_plugin_is_named_and_the_rest_works(environment, tmp_path):
    broken_plugin(tmp_path)
    with_broken = {
        **environment,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}",
    }
    listed = call(with_broken, "plugins", "list")
    assert listed.returncode == 0
    assert (
        "plugin xbench-broken 1.0 (xbench_broken) cannot be imported: OSError: no" in listed.stdout
    )
    assert call(with_broken, "show", "explainer", "brightness").returncode == 0
    strict = call(with_broken, "show", "explainer", "brightness", "--strict-plugins")
    assert strict.returncode == 2
    assert "xbench-broken 1.0" in strict.stderr


def test_two_that_claim_one_name_are_refused_and_both_are_named(environment, tmp_path):
    broken_plugin(tmp_path, "xbench-rival", "explainer.brightness", "")
    both = {**environment, "PYTHONPATH": f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"}
    called = call(both, "run", "--explainer", "brightness")
    assert called.returncode == 2
    assert "xbench-brightness 0.1 (xbench_brightness)" in called.stderr
    assert "xbench-rival 1.0 (xbench_rival)" in called.stderr
    assert call(both, "list").returncode == 0
