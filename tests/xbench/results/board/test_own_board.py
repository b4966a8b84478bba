"""The project's own board: each entry is whole, and of the benchmark as it is now."""

import pytest

from xbench import check_submission
from xbench.benchmark.declaration import benchmark_folder, read
from xbench.results.board.checks import faults
from xbench.results.board.folder import read_submission
from xbench.results.board.history import benchmarks, entries
from xbench.results.board.standings.standing import standing
from xbench.results.board.standings.submitted import submitted


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
            assert manifest.benchmark_version == version, (name, entry.name)


@pytest.mark.slow
def test_the_scores_of_every_entry_follow_from_its_cases(board):
    for name in benchmarks(board):
        for entry in entries(board, name):
            assert not list(faults(read_submission(entry.folder))), (name, entry.name)


@pytest.mark.slow
def test_an_entry_of_each_benchmark_is_what_the_benchmark_declares(board):
    for name in benchmarks(board):
        first = entries(board, name)[0]
        assert check_submission(first.folder).lines


def test_entries_pair_where_networks_are_pinned_and_stand_apart_by_these_alone_elsewhere(board):
    for name in benchmarks(board):
        every = submitted(board, name)
        main, *others = standing(every).rankings
        assert main.lines
        weights = [of for one in every for repeat in one.record.weights for of in repeat]
        pinned = any(of.reference for of in weights)
        apart = {ranking.apart for ranking in others}
        assert apart <= (set() if pinned else {"other weights"}), name
