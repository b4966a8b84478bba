"""An entry on photographs goes onto a board whose keeper has them, or has them not."""

import csv

import pytest

from photo_boards import photo_board

pytestmark = pytest.mark.slow


@pytest.fixture
def photos(xbench, tmp_path, monkeypatch):
    """The benchmark, and the folder of its entry's submission."""
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path / "home"))
    of, store = photo_board(tmp_path), ("--store", tmp_path / "store")
    ran = xbench("run", "--benchmark", of.file, *of.options, "-q", *store)
    assert ran.code == 0, ran.err
    out = tmp_path / "out"
    sent = xbench("submit", "1", "--contact", "me", "--out", out, *store)
    assert sent.code == 0, sent.err
    return of, out / "largest-margin"


def test_the_mark_stands_on_the_board_until_the_photographs_were_there(xbench, photos, tmp_path):
    of, mine = photos
    file, board = ("--benchmark-file", of.file), ("--board", tmp_path / "board")
    added = xbench("leaderboard", "add", mine, *file, *board)
    assert added.code == 0
    assert "images unchecked: dataset 'folder' is not here; say where it lies: -p data" in added.out
    listed = xbench("leaderboard", "list", *board)
    assert "images unchecked, weights unchecked" in listed.out
    shown = xbench("leaderboard", "show", "photo-board", *board)
    assert "images unchecked; weights unchecked" in shown.out
    (row,) = csv.DictReader(
        xbench("leaderboard", "show", "photo-board", *board, "--format", "csv").out.splitlines()
    )
    assert row["unchecked"] == "images weights"
    again = xbench("leaderboard", "add", mine, *file, *board, *of.options)
    assert f"has been on {tmp_path / 'board'}, and is checked now" in again.out
    (entry,) = xbench("leaderboard", "list", *board, "--json").json()
    assert entry["unchecked"] == []
    assert "unchecked" not in xbench("leaderboard", "show", "photo-board", *board).out


def test_a_way_out_works_when_it_is_pasted(xbench, photos):
    of, mine = photos
    file = ("--benchmark-file", of.file)
    without = xbench("leaderboard", "check", mine, *file, "--json").json()
    assert without[0]["unchecked"] == ["images", "weights"]
    told = xbench("leaderboard", "check", mine, *file, "-p", "dataset.share=0.2")
    assert told.code == 2
    assert "can be said: -p dataset.of.root=…, -p classifier.weights=…" in told.err
    checked = xbench("leaderboard", "check", mine, *file, *of.options, "--rerun", "2", "--json")
    assert checked.json()[0]["unchecked"] == []
    assert xbench("leaderboard", "check", mine, *file, "-p", "dataset").code == 2
