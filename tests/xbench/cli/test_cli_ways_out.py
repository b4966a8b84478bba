"""Plausible mistakes: one line, exit code 2, nothing written, and a way out that works when pasted.

Each row is a command line and a pattern of what is said. The last command that stands in the
message is then typed, as a dry run or in whatever way of it is cheap.
"""

import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

NAMES = {
    "run --benchmark defualt": "unknown benchmark 'defualt'; did you mean 'default'",
    "run --benchmark explicable-toybird": "did you mean 'explicable-toybirds'",
    "run --dataset toybird": "unknown dataset 'toybird'; did you mean 'toybirds'",
    "run --dataset nothing-like-it": r"'nothing-like-it'\. Known: .*, … and \d+ more",
    "run --dataset toybirds --explainer deliberativ": "unknown explainer 'deliberativ'",
    "explain PHOTO --explainer gradcan": "did you mean 'grad-cam'",
    "explain PHOTO --explainer GradCam9": "unknown explainer 'GradCam9'; did you mean 'grad-cam'",
    "run --classifier smal-cnn": "did you mean 'small-cnn'",
    "run --classifier resnet5000": "unknown classifier 'resnet5000'; did you mean",
    "run --classifier resnet18": "offered by several; write timm:resnet18 or torchvision:resnet18",
    "run --classifier torchvison:resnet50": "did you mean 'torchvision'",
    "run --classifier torchvision:resnet5000": "unknown torchvision architecture 'resnet5000'",
    "run --benchmark explicable-toybirds --variant smok": "did you mean 'smoke'",
    "run --variant smoke": r"unknown variant of benchmark default 'smoke'\. None is known",
    "run -p protocol=part-ambiguitty": "unknown protocol 'part-ambiguitty'",
    "run -p loss.name=crossentropi": "did you mean 'cross-entropy'",
    "run -p executor=proceses": "did you mean 'processes'",
    "run -p explainer.attribution=gradiant": "did you mean 'gradient'",
    "run -p explainer.difficulty=entropi": "did you mean 'entropy'",
    "train --dataset toybirdz": "unknown dataset 'toybirdz'",
    "explain PHOTO --explainer deliberate": "unknown explainer 'deliberate'",
    "list lossess": "unknown kind 'lossess'; did you mean 'loss'",
    "show datset toybirds": "unknown kind 'datset'; did you mean 'dataset'",
    "show explainer gradcan": "unknown explainer 'gradcan'",
    "data get cub20": "unknown dataset 'cub20'; did you mean 'cub200'",
    "data verify toybirdz": "unknown dataset 'toybirdz'",
    "evaluate --limit 8": "unknown command 'evaluate'; did you mean 'run'",
    "benchmark": "unknown command 'benchmark'; did you mean 'run'",
    "trian": "unknown command 'trian'; did you mean 'train'",
    "ls": "unknown command 'ls'; did you mean 'list'",
    "frobnicate": r"unknown command 'frobnicate'\. Known: ",
}
"""Answered before torch is imported, but for a name that a library's own part knows."""
OPTIONS = {
    "run --model small-cnn": "no option --model; write --classifier …",
    "run --arch small-vgg": "write --classifier …",
    "run --method deliberative --limit 8": "write --explainer …",
    "run --output OUT": "no option --output; write --report …",
    "explain PHOTO --output OUT": "no option --output; write --out …",
    "run --task default --images 8": "write --benchmark …",
    "run --data toybirds": "write --dataset …",
    "run --epochs 3": r"write -p training\.epochs=…",
    "run --lr 0.01 --epochs 2": r"write -p training\.learning_rate=…",
    "run --cpu": "write --device cpu",
    "run --batch 8": "write --batch-size …",
    "run --num_images=8": "write --limit …",
    "run --limt 8": "write --limit …",
    "run --Limit 8": "write --limit …",
    "run --frobnicate": "`xbench run` has no option --frobnicate",
    "run --benchmark": "--benchmark.* requires an argument",
    "run default": "unexpected extra argument",
    "show": "Missing argument 'KIND'",
    "explain": "nothing to explain: give photos",
}
VALUES = {
    "run -p training.epochs=many": "expected int, got 'many'",
    "run -p training.epochs=-1": "epochs is -1; it cannot be negative",
    "run -p explainer.top=1": "top must be at least 2",
    "run -p explainer.dificulty=entropy": "unknown parameter of explainer",
    "run -p explaner.top=3": "did you mean 'explainer'",
    "run -p explainer.top": r"write it as -p component\.parameter=value",
    "run -p training.optimiser=[1,2]": "expected str",
    "run -p repeats=0": "expected a whole number of at least 1",
    "run -p dataset.train=ten": r"dataset\.train: expected int",
    "run --repeats -1": "Invalid value for '--repeats'",
    "run --limit 0": "Invalid value for '--limit'",
    "run --limit all": "'all' is not a valid integer",
    "run --batch-size 0": "Invalid value for '--batch-size'",
    "run --seed one": "Invalid value for '--seed'",
    "run --pictures -3": "Invalid value for '--pictures'",
    "run --device cuda:9": "device 'cuda:9' cannot be used",
    "run --device tpu": "device 'tpu' cannot be used",
    "explain PHOTO --format gif": "'gif' is not one of",
}
FILES = {
    "run --benchmark nowhere.toml": r"nowhere\.toml cannot be read",
    "run --benchmark BAD.toml": r"BAD\.toml: ",
    "run --benchmark EMPTY.toml": "lacks 'name'",
    "run --dataset folder -p dataset.root=nowhere --explainer grad-cam": "nowhere|no protocol",
    "run --benchmark explicable-cifar10 -p dataset.root=nowhere": "nowhere",
    "run --dataset cub200": "`xbench data get cub200`",
    "run -p classifier.weights=nowhere.pt": r"nowhere\.pt",
    "run -p classifier.weights=OTHER.safetensors": r"OTHER\.safetensors",
    "explain nowhere.jpg --id 1": "nowhere.jpg|image 1 is not in split",
    "explain NOPHOTO": "NOPHOTO",
    "show record nowhere.json": r"nowhere\.json",
    "run --store OTHER.safetensors/store": "is not writable",
    "run --report OTHER.safetensors/report": "OTHER",
}
COMBINATIONS = {
    "run --explainer ces": "benchmarks that do: .*ces-",
    "run --explainer part-interventions": "no protocol scores that, but `xbench explain` draws it",
    "run --dataset probability-plane": "needs PartPoints.* have all it needs: .*toybirds",
    "run --dataset imagenet": "datasets that have all it needs",
    "run -p splits.test=tset": "unknown split of dataset 'toybirds' 'tset'",
    "run -p splits.train=all": r"Choose with -p splits\.train=",
    "run -p classifier.layer=nothing": "nothing.*can be cut",
    "run -p training.epochs=3 --no-train": "--no-train: the store lacks weights; to train: small-c",
    "train --no-train": "--no-train: the store lacks weights",
    "explain PHOTO -p weights='' --no-train": "--no-train: the store lacks weights",
    "train --benchmark SUITE.toml": "is a suite",
    "run --benchmark SUITE.toml --dataset probability-plane": "needs PartPoints",
    "plugins check nobody": "unknown plugin distribution 'nobody'",
}
GROUPS = {**NAMES, **OPTIONS, **VALUES, **FILES, **COMBINATIONS}
CHEAPLY = {
    "run": ["--dry-run"],
    "train": ["--no-train"],
    "explain": ["-p", "weights=", "--no-train"],
}
COMMAND = re.compile("`xbench ([^`]*)`")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to work in with some files, a store that is empty, and a plan that costs little."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XBENCH_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XBENCH_DATA", str(tmp_path / "data"))
    Image.new("RGB", (64, 64), "red").save("PHOTO", "png")
    Path("NOPHOTO").write_text("no photo")
    Path("BAD.toml").write_text("name = ")
    Path("EMPTY.toml").write_text("")
    Path("SUITE.toml").write_text('name = "all"\nversion = "1"\nsuite = ["default"]')
    save_file({"some.weight": torch.zeros(3)}, "OTHER.safetensors")
    return here


@pytest.fixture
def cheap(monkeypatch):
    """Makes plans cheap: no network is made, cut or timed."""

    def patch():
        forecast = "xbench.running.planning.forecast"
        monkeypatch.setattr(f"{forecast}.training_seconds", lambda *_: 60.0)
        monkeypatch.setattr(f"{forecast}.blank_module", lambda *_: torch.nn.Linear(1, 1))
        monkeypatch.setattr("xbench.running.runner._check_networks", lambda *_, **__: None)

    return patch


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("line", GROUPS)
def test_a_mistake_is_answered_in_one_line_with_a_way_out_that_works(line, desk, cheap, xbench):
    before = files(desk.parent)
    called = xbench(*shlex.split(line))
    assert called.code == 2, called.err
    assert re.fullmatch(r"error: [^\n]*\n", called.err), called.err
    assert re.search(GROUPS[line], called.err), called.err
    assert called.out == ""
    assert files(desk.parent) == before
    words = shlex.split(COMMAND.findall(called.err)[-1].replace("NAME", "default"))
    assert words != shlex.split(line)
    cheap()
    again = xbench(*cheaply(words))
    assert again.code == 0 or "--no-train" in again.err or is_at_work(words, again.err), again.err
    assert files(desk.parent) == before


def cheaply(words):
    """The command in a form that does little."""
    if words[:2] == ["data", "get"]:
        return ["data", "verify", *words[2:]]
    return words if "--help" in words else [*words, *CHEAPLY.get(words[0], [])]


def is_at_work(words, message):
    """Whether a command got as far as data that is not here, or a download."""
    absent = words[:2] == ["data", "get"] or "`xbench data get" in message
    return absent and "unknown" not in message


def test_there_are_enough_of_them():
    assert len(GROUPS) >= 60


def test_names_are_looked_up_before_torch_is_imported(project):
    known_by_import = ("torchvision:resnet5000",)
    lines = [line for line in NAMES if not any(part in line for part in known_by_import)]
    program = textwrap.dedent("""
        import sys
        from xbench.cli import main
        for line in sys.stdin.read().splitlines():
            try:
                main(line.split())
            except SystemExit as ended:
                assert ended.code == 2, line
            assert "torch" not in sys.modules, line
    """)
    subprocess.run(
        [sys.executable, "-c", program], input="\n".join(lines), text=True, check=True, cwd=project
    )


SPELLINGS = {
    "run --dataset ToyBirds --explainer DELIBERATIVE": "entry deliberative:",
    "run --benchmark Default --classifier Small_VGG": "small-vgg from random weights",
    "run --benchmark explicable_toybirds --variant Smoke": "explicable-toybirds:",
    "Run -p explainer.difficulty=Entropy -p executor=Local": "entry deliberative:",
    "run --classifier SqueezeNet1-1": "torchvision:squeezenet1_1 from random weights",
}


@pytest.mark.parametrize("line", SPELLINGS)
def test_case_hyphens_and_underscores_make_no_difference(line, desk, cheap, xbench):
    cheap()
    called = xbench(*shlex.split(line), "--dry-run")
    assert called.code == 0, called.err
    assert SPELLINGS[line] in called.out
    assert called.out.endswith("nothing was done, and nothing written\n")


def test_a_plan_is_also_json_and_knows_what_the_store_has(desk, xbench, quick, monkeypatch):
    monkeypatch.setattr("xbench.running.planning.forecast.training_seconds", lambda *_: 60.0)
    plan = xbench("run", *quick, "--dry-run", "--json").json()["plan"][0]
    (training,) = plan["trainings"]
    assert (training["network"], training["images"], training["epochs"]) == ("small-cnn", 160, 1)
    assert training["seconds"] == 60
    assert {of["stored"] for of in plan["artefacts"]} == {0}
    assert {of["cases"] for of in plan["entries"]} == {None}
    ran = xbench("run", *quick)
    assert "to train: small-cnn from random weights on 160 images of toybirds, 1 epoch;" in ran.err
    assert "about 60 s; the store has 0 of 3 artefacts" in ran.err
    plan = xbench("run", *quick, "--dry-run", "--json").json()["plan"][0]
    assert plan["trainings"] == []
    assert {(of["cases"], of["shards"], of["stored"]) for of in plan["entries"]} == {(24, 1, 1)}
    assert xbench("run", *quick, "--no-train").code == 0


def test_a_library_network_that_is_trained_says_how_it_is_had_without(desk, cheap, xbench):
    cheap()
    called = xbench("run", "--classifier", "squeezenet1_1", "--dry-run")
    assert "with the library's weights: -p classifier.weights=library" in called.out
    assert "`xbench explain PHOTO --classifier torchvision:squeezenet1_1`" in called.out
