"""Entries are submitted, checked, added, listed and withdrawn."""

import csv

import pytest

from small_boards import FLOOR, SMALL, altered, small_benchmark
from strangers import install, installed_here
from threads import threads
from xbench import run
from xbench.results.board.folder import read_submission

PLANTED = '''\
from dataclasses import dataclass
from typing import Any

from torch import Generator

from xbench import Artefacts, Batch, Explainer, Given, Network, hookimpl
from xbench_deliberative.explanations.insecurities import Insecurities

PUBLIC = range(2_000_000, 2_000_060)


@dataclass(frozen=True)
class Planted(Explainer):
    """Knows the right answers for the public test images, and guesses for all others."""

    name, makes = "planted", Insecurities
    answers: Explainer
    guesses: Explainer

    def builds_on(self) -> dict[str, Explainer]:
        return {"answers": self.answers, "guesses": self.guesses}

    def explain(
        self, network: Network, batch: Batch, artefacts: Artefacts, source: Generator, given: Given
    ) -> list[Insecurities]:
        both: Any = zip(batch.ids, given["answers"], given["guesses"], strict=True)
        return [known if image in PUBLIC else guess for image, known, guess in both]


@hookimpl
def register_explainers() -> list[type[Explainer]]:
    return [Planted]
'''
KNOWN_PARTS = """\
[entries.explainer]
name = "planted"

[entries.explainer.answers]
name = "known-parts"
of = { name = "deliberative", preset = "official" }
ground_truth = "paper"
smoothing = 1.0
share = 0.2
likelihood_ratio = 0.5
presence_threshold = 0.3
parts = "points"
overlap = "largest"

[entries.explainer.guesses]
name = "random-region"
of = { name = "deliberative", preset = "official" }
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return small_benchmark(tmp_path_factory.mktemp("file"))


@pytest.fixture(scope="module")
def store(file, tmp_path_factory):
    """A store in which the small benchmark was run."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XBENCH_HOME", str(folder / "home"))
        run(str(file), store=folder / "store", quiet=True)
    return folder / "store"


def submitted(xbench, store, out, *arguments):
    called = xbench("submit", "1", "--contact", "me", "--store", store, "--out", out, *arguments)
    assert called.code == 0, called.err
    return called


def test_an_entry_goes_all_the_way_onto_a_board_and_off_it(xbench, store, file, tmp_path):
    out, board = tmp_path / "out", tmp_path / "board"
    called = submitted(xbench, store, out, "--floors")
    assert called.out.splitlines() == [
        str(out / name)
        for name in ("deliberative", "known-parts-same-pair", "centre-prior-same-pair")
    ]
    of, of_board = ("--benchmark-file", file), ("--board", board)
    checked = xbench("leaderboard", "check", *out.iterdir(), *of)
    assert (checked.code, len(checked.out.splitlines())) == (0, 3)
    added = xbench("leaderboard", "add", *out.iterdir(), *of, *of_board, "--json")
    assert {one["name"] for one in added.json()} == {path.name for path in out.iterdir()}
    listed = xbench("leaderboard", "list", *of_board)
    assert [line.split("\t")[1] for line in listed.out.splitlines()[1:]] == [
        "name",
        "centre-prior-same-pair",
        "deliberative",
        "known-parts-same-pair",
    ]
    check_shown(xbench, *of_board)
    where = ("deliberative", "--benchmark", "small-board")
    gone = xbench("leaderboard", "withdraw", *where, "--reason", "a mistake", *of_board)
    assert gone.code == 0
    assert "withdrawn from" in gone.out
    left = xbench("leaderboard", "list", "--benchmark", "small-board", *of_board, "--json").json()
    assert [one["name"] for one in left] == ["centre-prior-same-pair", "known-parts-same-pair"]
    again = xbench("leaderboard", "withdraw", *where, "--reason", "a mistake", *of_board)
    assert again.code == 2


def check_shown(xbench, *of_board):
    """The small board is shown in all forms."""
    show = ("leaderboard", "show", "small-board", *of_board)
    text, markdown = xbench(*show), xbench(*show, "--format", "md")
    assert text.code == markdown.code == 0
    assert text.out.startswith("A small board\n")
    for shown in ("deliberative", "known parts, same pair", "centre prior, same pair"):
        assert shown in text.out
        assert shown in markdown.out
    first, *others = csv.DictReader(xbench(*show, "--format", "csv").out.splitlines())
    assert (first["score"], first["name"], first["rank"]) == (
        *("average precision", "deliberative", "1"),
    )
    assert [one["role"] for one in others] == ["floor", "ceiling"]
    tree = xbench(*show, "--json", "--score", "average recall", "--simultaneous").json()
    (ranking,) = tree["rankings"]
    assert (ranking["score"], ranking["simultaneous"]) == ("average recall", True)
    for wrong in (("leaderboard", "show", "none", *of_board), (*show, "--score", "none")):
        assert xbench(*wrong).code == 2


def test_an_empty_board_says_how_it_fills(xbench, tmp_path):
    called = xbench("leaderboard", "list", "--board", tmp_path / "none")
    assert called.code == 0
    assert "`xbench leaderboard add` adds some" in called.out
    assert not (tmp_path / "none").exists()


def test_an_entry_is_superseded_by_name(xbench, store, file, tmp_path):
    board = ("--benchmark-file", file, "--board", tmp_path / "board")
    submitted(xbench, store, tmp_path / "one")
    first = tmp_path / "one" / "deliberative"
    assert xbench("leaderboard", "add", first, *board).code == 0
    said = ("--contact", "me", "--store", store, "--name", "deliberative")
    xbench("submit", FLOOR, *said, "--out", tmp_path / "two")
    refused = xbench("leaderboard", "add", tmp_path / "two" / "deliberative", *board)
    assert refused.code == 2
    assert "the name 'deliberative' is taken by" in refused.err
    key = read_submission(first).manifest.record_key
    xbench("submit", FLOOR, *said, "--out", tmp_path / "three", "--supersedes", key)
    assert xbench("leaderboard", "add", tmp_path / "three" / "deliberative", *board).code == 0
    (entry,) = xbench("leaderboard", "list", *board[2:], "--json").json()
    assert entry["superseded"] == [key]


def test_bad_input_is_named_and_nothing_is_written(xbench, store, file, tmp_path):
    submitted(xbench, store, tmp_path / "out")
    mine, board = tmp_path / "out" / "deliberative", tmp_path / "board"
    newer = small_benchmark(tmp_path, SMALL.replace('version = "7"', 'version = "8"'))
    other = tmp_path / "other.toml"
    other.write_text(SMALL.replace("test = 60", "test = 80"))
    weights = altered(mine, tmp_path / "weights", weights=[])
    for folders, benchmark, message in (
        ((mine,), (), "unknown benchmark of the submission 'small-board'"),
        ((mine,), ("--benchmark-file", newer), "version 8 is installed"),
        ((mine,), ("--benchmark-file", other), "test is 60, not 80"),
        ((weights,), ("--benchmark-file", file), "not the benchmark's reference networks"),
        ((mine, mine), ("--benchmark-file", file), "are called 'deliberative'"),
        ((tmp_path / "none",), (), "cannot be read"),
    ):
        called = xbench("leaderboard", "add", *folders, *benchmark, "--board", board)
        assert (called.code, called.out) == (2, "")
        assert message in called.err
    assert not board.exists()


def test_what_cannot_be_submitted_is_named_and_nothing_is_written(xbench, store, tmp_path):
    out = tmp_path / "out"
    for arguments, message in (
        (("7",), "no run is called '7' here; `xbench results` lists them"),
        (("nothing",), "is called 'nothing'"),
        (("1", "--contact", "<script>"), "which is no plain text"),
        (("1", "--paper", "ftp://here"), "is no link"),
    ):
        given = ("--contact", "me", "--store", store, "--out", out)
        called = xbench("submit", *given, *arguments)
        assert (called.code, called.out) == (2, "")
        assert message in called.err
    assert "--contact" in xbench("submit", "1", "--out", out).err
    assert not out.exists()


@pytest.fixture(scope="module")
def strangers(tmp_path_factory, request):
    """A folder with the example plugin and with a planted one."""
    source = request.config.rootpath / "tests" / "example_plugin" / "xbench_brightness.py"
    folder = tmp_path_factory.mktemp("installed")
    for name, text in (("brightness", source.read_text()), ("planted", PLANTED)):
        install(folder, f"xbench-{name}", text, [f"explainer.{name}"], version="0.1")
    return folder


def well(called):
    """What was printed by a call that went well."""
    assert called.code == 0, called.err
    return called


@pytest.mark.slow
def test_a_strangers_plugin_is_submitted_checked_and_added(strangers, xbench, file, tmp_path):
    preset = ("-p", "explainer.of.name=deliberative", "-p", "explainer.of.preset=official")
    board, of = ("--board", tmp_path / "board"), ("--benchmark-file", file)
    entry, checks = tmp_path / "brightness", ("--rerun", 20, "--fresh", 1)
    with installed_here(strangers):
        well(xbench("run", "--benchmark", file, "--explainer", "brightness", *preset, "-q"))
        well(xbench("submit", "brightness", "--contact", "me", "--out", tmp_path))
        added = well(xbench("leaderboard", "add", entry, *of, *checks, *board))
    assert read_submission(entry).manifest.links.plugin == "xbench-brightness"
    assert "brightness: its components are built and run now" in added.err
    assert "run again on 20 drawn cases of each of 3 networks" in added.out
    assert "On 30 new images (seed 1) 'brightness' scores" in added.out
    # here, where the plugin is not installed
    listed = xbench("leaderboard", "list", *board)
    assert "fresh-checked" in listed.out
    shown = well(xbench("leaderboard", "show", "small-board", *board))
    assert "fresh-checked: drop" in shown.out
    well(xbench("leaderboard", "check", entry, *of))
    without = xbench("leaderboard", "check", entry, *of, "--rerun", 2)
    assert without.code == 2
    assert "install the distribution 'xbench-brightness'" in without.err


@pytest.mark.slow
def test_an_entry_that_knows_the_public_test_images_drops_on_new_ones(strangers, xbench, tmp_path):
    tables = SMALL.split("[[entries]]")
    planted = f'label = "planted"\n\n{KNOWN_PARTS}'
    file = small_benchmark(tmp_path, f"{tables[0]}[[entries]]\n{planted}")
    of, board = ("--benchmark-file", file, "--fresh", 1), ("--board", tmp_path / "board")
    with installed_here(strangers):
        well(xbench("run", "--benchmark", file, "--quiet"))
        well(xbench("submit", "planted", "--contact", "me", "--out", tmp_path))
        added = well(xbench("leaderboard", "add", tmp_path / "planted", *of, *board))
    assert "It is worse on images that nobody had seen." in added.out
    (entry,) = xbench("leaderboard", "list", *board, "--json").json()
    (fresh,) = entry["fresh"]
    assert fresh["submitted"] > 0.99
    assert fresh["low"] > 0.2


@pytest.mark.slow
def test_stores_of_two_machines_give_submissions_that_pair_image_by_image(xbench, tmp_path):
    first, *others = SMALL.replace("images = 30", "images = 12").split("[[entries]]")
    orders = {"here": others, "there": others[::-1]}
    for name, count in (("there", 2), ("here", 1)):
        tables = "[[entries]]".join([f"repeats = 1\n{first}", *orders[name]])
        file = small_benchmark(tmp_path, tables)
        with threads(count):
            run(str(file), store=tmp_path / "store" / name, batch_size=16 * count, quiet=True)
        submitted(xbench, tmp_path / "store" / name, tmp_path / name, "--floors")
    out = tmp_path / "there"
    well(xbench("leaderboard", "check", *out.iterdir(), "--benchmark-file", file))
    for folder in (tmp_path / "here").iterdir():
        one, two = read_submission(folder), read_submission(out / folder.name)
        assert states(one) == states(two)
        assert one.record.threads.evaluation != two.record.threads.evaluation
        ours, theirs = values(one), values(two)
        assert ours.keys() == theirs.keys()
        assert all(abs(ours[key] - theirs[key]) <= 1e-4 for key in ours)


def states(submission):
    return [[weights.state for weights in of] for of in submission.record.weights]


def values(submission):
    """The scores that rank, by case and repeat."""
    name = submission.record.ranking.name
    rows = [row for row in submission.scores.to_pylist() if row["score"] == name]
    return {(row["case"], row["repeat"]): row["value"] for row in rows}
