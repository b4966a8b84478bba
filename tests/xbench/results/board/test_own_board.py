"""The project's own board: each entry is whole, and of the benchmark as it is now."""

import pytest

from xbench import check_submission
from xbench.api.leaderboard.places import WEIGHTS, places
from xbench.benchmark.declaration import benchmark_folder, declared, read
from xbench.components.registry import installed
from xbench.results.board.checks import faults
from xbench.results.board.folder import read_submission
from xbench.results.board.history import benchmarks, entries
from xbench.results.board.standings.standing import standing
from xbench.results.board.standings.submitted import submitted

ROOTS = {"imagenet": "imagenet_sample"}
"""Datasets that lie in the folder of real data, as far as the board has entries on them."""
SQUEEZENET = "squeezenet1_1/squeezenet1_1_torchvision_keys.npz"


@pytest.fixture
def board(project):
    return project / "leaderboard"


def test_every_entry_is_of_the_version_that_is_installed(board):
    names = benchmarks(board)
    assert "default" in names
    for name in names:
        version = str(read(benchmark_folder() / f"{name}.toml")["version"])
        for entry in entries(board, name):
            manifest = read_submission(entry.folder).manifest
            stated = manifest.benchmark_version.partition("+")[0]
            assert stated == version, (name, entry.name)


@pytest.mark.slow
def test_scores_follow_from_the_cases_of_the_newest_entry_of_each_benchmark(board):
    """Of all they did when they were added, and their hashes say that nothing changed since."""
    for name in benchmarks(board):
        entry = max(entries(board, name), key=lambda entry: (entry.added, entry.name))
        assert not list(faults(read_submission(entry.folder))), (name, entry.name)


def file_places(benchmark):
    """Where data and weights of a benchmark can be said to lie."""
    known = installed()
    return places(declared(benchmark_folder() / f"{benchmark}.toml", registry=known), known)


@pytest.mark.slow
def test_an_entry_of_each_benchmark_is_what_the_benchmark_declares(board):
    for name in benchmarks(board):
        first = entries(board, name)[0]
        checked = check_submission(first.folder)
        assert checked.lines
        assert not checked.unchecked or file_places(name), f"{name} is drawn, and was not checked"


@pytest.mark.slow
@pytest.mark.realdata
def test_entries_on_real_data_are_of_its_images_and_weights(board, realdata):
    roots = {name: {"root": str(realdata / folder)} for name, folder in ROOTS.items()}
    for name in benchmarks(board):
        first, paths = entries(board, name)[0], file_places(name)
        if any(path.endswith(".root") for path in paths):
            weights = {"classifier": {"weights": str(realdata / SQUEEZENET)}}
            given = {"defaults": {"dataset": roots}, **(weights if WEIGHTS in paths else {})}
            assert not check_submission(first.folder, places=given).unchecked, name


def test_entries_pair_where_networks_are_pinned_and_stand_apart_by_these_alone_elsewhere(board):
    for name in benchmarks(board):
        every = submitted(board, name)
        main, *others = standing(every).rankings
        assert main.lines
        weights = [of for one in every for repeat in one.record.weights for of in repeat]
        pinned = any(of.reference for of in weights)
        apart = {ranking.apart for ranking in others}
        assert apart <= (set() if pinned else {"other weights"}), name
