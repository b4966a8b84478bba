"""Every command that the README and the docs show works, or says what it needs."""

import re
from pathlib import Path

import click
import pytest
from PIL import Image

from documented import Block, Command, blocks, commands, pages
from xbench import DatasetError, ImageSet, WeightsError
from xbench.cli import group, main
from xbench.cli.options import Session
from xbench_toybirds.dataset import Toybirds

ROOT = Path(__file__).parents[3]
SHOWN = [block for page in pages(ROOT) for block in blocks(page) if any(commands(block))]
RESULTS = "results.md"
"""Shows what is done with results: there must be some."""
TUTORIAL = "tutorial.md"
"""Has a test of its own, for its commands need what stands before them."""
COMMANDS = list(dict.fromkeys(command for block in SHOWN for command in commands(block)))

DATA = {
    r"\bcub200": "CUB-200-2011",
    r"ade20k": "ADE20K",
    r"cifar10": "CIFAR-10 or CIFAR-100",
    r"imagenet|-photographs|wrong-label-[12]": "ImageNet",
    r"metashift": "MetaShift",
    r"dataset packed": "images and weights of the packed format",
    r"dataset folder": "the library's weights, and photographs",
    r"weights=library|weights=\w+\.(npz|th)": "weights from elsewhere",
    r"s3://": "a cluster and a bucket",
}
"""What a command needs that speaks of this."""

ELSEWHERE = {
    r"ces-spurious-toybirds|--explainer ces|concepts (learn|show)": "test_cli_concepts.py",
    r"ces-low-level-toybirds": "test_cli_low_level.py",
    r"run .*deliberative-(difficulty|attribution|architecture)-toybirds$": "test_cli_benchmarks.py",
    r"run .*explicable-toybirds$": "test_cli_explicable.py",
    r"run .*saliency-\S*birds|run --explainer grad-cam$|score .*saliency": "test_cli_saliency.py",
    r"xbench (submit|leaderboard (check|add|show|withdraw)) ": "test_cli_leaderboard.py",
    r"xbench study new wrong-label-toybirds|xbench study (?!new)": "test_cli_study.py",
    r"protocol.answers=": "test_cli_study.py",
}
"""Which tests of the command line run what takes a while."""

SMALL_DATA = ("-p", "dataset.train=40", "-p", "dataset.test=40", "-p", "training.epochs=1")
SMALL_RUN = (*SMALL_DATA, "--repeats", "1", "--seed", "0")
"""Of one seed, so that commands which train alike train once."""
SMALLEST = {
    r"run .*--benchmark explicable-lemmas": ("--repeats", "1", "--limit", "20"),
    r"run .*--benchmark explicable": (*SMALL_RUN, "-p", "dataset.shifted=40"),
    r"run .*--benchmark softlabels-attack": (
        *SMALL_RUN,
        *("--limit=4", "-p", "protocol.first_folds=1"),
        *("-p", "protocol.radii=[4]", "-p", "protocol.steps=1"),
    ),
    r"run .*--benchmark softlabels": (*SMALL_RUN, "--limit=8", "-p", "protocol.first_folds=1"),
    r"run .*--benchmark attack": (
        *SMALL_RUN,
        "--limit=4",
        *("-p", "protocol.radii=[4]", "-p", "protocol.steps=1"),
    ),
    r"run .*executor=processes": (*SMALL_RUN, "-p", "executor.workers=1", "--limit", "8"),
    r"run .*--variant": ("--repeats", "1", "--limit", "8"),
    r"run": (*SMALL_RUN, "--limit", "8"),
    r"train|explain": SMALL_DATA,
    r"": (),
}
"""What is added to a command that begins so; the first that fits counts."""


def need(command: Command) -> str:
    """What a command cannot be run without, "" if nothing."""
    kinds = (what for pattern, what in DATA.items() if re.search(pattern, command.text))
    return command.needs or next(kinds, "")


def elsewhere(command: Command) -> str:
    """The file of the test that runs a command, "" if it is run here."""
    files = (file for pattern, file in ELSEWHERE.items() if re.search(pattern, command.text))
    return next(files, "")


def smallest(command: Command) -> list[str]:
    """The arguments of its smallest form."""
    text = command.text.removeprefix("xbench ")
    added = next(added for pattern, added in SMALLEST.items() if re.match(pattern, text))
    folder = "PHOTOS" in text or "FOLDER" in text.partition("dataset.root=")[2]
    return [*command.arguments, *(added[4:] if folder else added)]


def work(command: Command) -> str:
    """What a command does, whatever its seeds and reports."""
    return re.sub(r" --(seed|report|repeats|limit) \S+", "", " ".join(smallest(command)))


def to_run(block: Block) -> list[Command]:
    """Commands of a block that can be run here; what runs in another one is not run again."""
    able = [c for c in commands(block) if not need(c) and not elsewhere(c)]
    return [c for c in able if not c.text.startswith("xbench run") or FIRST.get(work(c)) is block]


FIRST = {
    work(command): block
    for block in reversed(SHOWN)
    if block.page != TUTORIAL
    for command in commands(block)
}
RUN = [block for block in SHOWN if to_run(block) and block.page != TUTORIAL]


def leaf(command: Command) -> tuple[click.Command, list[str]]:
    """The command that is called in the end, with its own arguments."""
    found: click.Command = group
    arguments = command.arguments
    while isinstance(found, click.Group):
        name, *arguments = arguments
        found = found.get_command(click.Context(found), name) or pytest.fail(f"no verb {name}")
    return found, arguments


@pytest.fixture
def any_path(monkeypatch):
    """Files that a page speaks of need not be there."""
    monkeypatch.setattr(click.Path, "convert", lambda self, value, *context: Path(value))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.text[:60])
def test_a_command_has_these_options_and_names(command, any_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # where commands that name a file of the repository are given
    found, arguments = leaf(command)
    given = found.make_context("xbench", arguments).params
    session = Session(**{k: v for k, v in given.items() if k in Session.__dataclass_fields__})
    session.explainer = next(iter(given.get("explainers", ())), session.explainer)
    if command.needs or command.page == TUTORIAL:
        return
    for kind in ("dataset", "explainer", "classifier"):
        if chosen := getattr(session, kind):
            session.registry.get(kind, chosen.partition(":")[0])
    if {"parameters", "benchmark"} <= given.keys():
        suite = session.suite() if "limit" in given else None
        members = [session.of(tree) for tree in suite.trees] if suite else [session]
        try:
            for of in members:
                of.assembled(scored="limit" in given)
        except (DatasetError, WeightsError):
            assert need(command) or re.search("PHOTO|FOLDER|FILE", command.text)


@pytest.mark.parametrize("file", sorted(set(ELSEWHERE.values())))
def test_what_another_test_runs_is_run_there(file):
    text = (ROOT / "tests" / "xbench" / "cli" / file).read_text(encoding="utf-8")
    shown = [command.text for command in COMMANDS if elsewhere(command) == file]
    assert shown
    for command in shown:
        verb = r"xbench (concepts|submit|leaderboard) |xbench study (\S+)"
        named = re.search(rf"{verb}|--benchmark (\S+)|--explainer (\S+)", command)
        assert f'"{next(filter(None, named.groups()))}"' in text, command


def test_nothing_is_marked_that_needs_nothing():
    """What is marked, and what the table knows, are commands that could not be run here."""
    marked = [command for command in COMMANDS if command.needs]
    assert len(marked) < len(COMMANDS) / 5
    assert len([command for command in COMMANDS if need(command)]) < len(COMMANDS) / 2


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that all commands share, so that they train once."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def readers_files(tmp_path, monkeypatch):
    """What the pages call by these names, in the folder where commands are called."""
    birds = ImageSet(Toybirds(train=40), "train")
    batch = birds.batch(birds.ids())
    for place, (image, label) in enumerate(zip(batch.images, batch.labels, strict=True)):
        folder = tmp_path / "PHOTOS" / f"class-{int(label) % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        photo = Image.fromarray((image * 255).byte().permute(1, 2, 0).numpy())
        photo.save(folder / f"{place}.png")
    for name in ("PHOTO", "PHOTO.jpg"):
        photo.save(tmp_path / name, "JPEG")
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=lambda block: f"{block.page}:{block.line}")
def test_the_commands_of_a_block_run_in_their_smallest_form(
    block, readers_files, store, monkeypatch, capsys
):
    monkeypatch.setenv("XBENCH_STORE", str(store))
    before = [Command("", "xbench run", "")] if block.page == RESULTS else []
    for command in [*before, *to_run(block)]:
        with pytest.raises(SystemExit) as ended:
            main(smallest(command))
        printed = capsys.readouterr()
        assert not ended.value.code, f"{command.text}\n{printed.err}"
