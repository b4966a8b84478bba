"""`xbench show` and `run` of a benchmark with a grid."""

import pytest

from command_line import records
from xbench.benchmark.declaration import benchmark_folder

TEXT = """
extends = "default"
name = "crossed"
version = "1"
protocol = "explicability"
[grid]
label = "{smoothing} on {classifier}"
[grid.axes]
classifier = ["small-cnn", "small-vgg"]
smoothing = { values = [0.0, 0.1], loss = { name = "cross-entropy", smoothing = "@value" } }
"""


@pytest.fixture
def path(tmp_path):
    """A benchmark file with a grid, beside the one that it extends."""
    (tmp_path / "default.toml").write_text((benchmark_folder() / "default.toml").read_text())
    (tmp_path / "crossed.toml").write_text(TEXT)
    return tmp_path / "crossed.toml"


def test_a_benchmark_is_shown_with_the_size_of_its_grid(xbench, path):
    shown = xbench("show", "benchmark", path)
    assert shown.out.endswith("# ── 4 entries of a grid: classifier (2) × smoothing (2)\n")
    assert "grid" in xbench("show", "benchmark", path, "--json").json()


def test_a_mistake_in_a_grid_is_found_before_anything_is_shown_or_run(xbench, path, tmp_path):
    path.write_text(TEXT.replace("{smoothing} on", "{smothing} on"))
    for arguments in (("show", "benchmark", path), ("run", "--benchmark", path)):
        called = xbench(*arguments)
        assert called.code == 2
        assert called.out == ""
        assert "unknown axis in grid.label 'smothing'; did you mean 'smoothing'?" in called.err


@pytest.mark.slow
def test_the_entries_of_a_grid_are_run_and_their_number_is_said_first(xbench, path, tmp_path):
    small = ("-p", "dataset.train=60", "-p", "dataset.test=40", "-p", "training.epochs=1")
    chosen = ("-p", "grid.axes.classifier=small-cnn", "--store", tmp_path / "store")
    called = xbench("run", "--benchmark", path, *small, *chosen, "--full")
    assert called.err.startswith("2 entries of a grid: classifier (1) × smoothing (2)\n")
    assert "0.1 on small-cnn − 0.0 on small-cnn" not in called.out
    assert "0.0 on small-cnn − 0.1 on small-cnn" in called.out
    found = records(xbench("run", "--benchmark", path, *small, *chosen, "--json"))
    smoothings = [of.components["loss"]["parameters"]["smoothing"] for of in found.values()]
    assert smoothings == [0.0, 0.1]
