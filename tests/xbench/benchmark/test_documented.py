"""The benchmark files that the docs show are what they say."""

import re
import tomllib

import pytest

from xbench.benchmark.assembly import load_benchmark
from xbench.benchmark.declaration import benchmark_folder
from xbench.benchmark.suite import load_suite
from xbench.cli import main
from xbench.components.registry import Registry

BLOCK = re.compile(r"^```toml\n(?:# (\S+\.toml)\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def files(project, tmp_path):
    """A folder with the installed files, and those that the docs show with their names."""
    for path in benchmark_folder().glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    for name, text in BLOCK.findall((project / "docs" / "benchmarks.md").read_text()):
        (tmp_path / (name or "mine.toml")).write_text(text)
    return tmp_path


def test_the_grid_of_the_docs_has_the_entries_floors_and_contrasts_that_they_say(files):
    benchmark = load_benchmark(str(files / "grid.toml"), Registry(third_party=False))
    assert [line.label for line in benchmark.lines] == [
        "hard on small-cnn",
        "hard on small-vgg",
        "smooth on small-cnn",
        "smooth on small-vgg",
        "untrained small-cnn",
        "untrained small-vgg",
    ]
    assert [contrast.title for contrast in benchmark.contrasts] == [
        "what smoothing gives: small-cnn",
        "what smoothing gives: small-vgg",
    ]


def test_the_suite_of_the_docs_has_the_benchmarks_that_it_lists(files):
    suite = load_suite(str(files / "suite.toml"), Registry(third_party=False))
    assert [benchmark.name for benchmark in suite.benchmarks] == [
        "losses-and-networks",
        "explicable-toybirds",
    ]
    assert suite.benchmarks[1].varied == ("smoke",)
    assert suite.benchmarks[1].training.epochs == 3


@pytest.mark.slow
def test_the_suite_of_the_docs_runs(files, tmp_path, capsys):
    store = ("--store", str(tmp_path / "store"))
    small = ("-p", "training.epochs=1", "-p", "dataset.train=60", "-p", "dataset.test=40")
    cut = ("-p", "dataset.shifted=40", "--quiet")
    with pytest.raises(SystemExit) as ended:
        main(["run", "--benchmark", str(files / "suite.toml"), *store, *small, *cut])
    printed = capsys.readouterr().out
    assert not ended.value.code
    assert "Mistakes of small networks: headline scores in per cent" in printed
    assert "losses-and-networks: similarity of common mistakes@test" in printed


def test_the_file_that_extends_another_is_one(files):
    text = (files / "mine.toml").read_text()
    assert tomllib.loads(text)["name"] == "mine"
    registry = Registry(third_party=False)
    root = {"dataset": {"root": str(files)}}
    benchmark = load_benchmark(str(files / "mine.toml"), registry, changes=root)
    assert [row.label for row in benchmark.published.rows] == ["ResNet18"]
    assert [line.role for line in benchmark.lines] == ["entry", "floor"]
