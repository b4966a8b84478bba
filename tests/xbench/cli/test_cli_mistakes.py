"""Wrong usage and input: a clear message, exit code 2, nothing written."""

import pytest
import torch
from safetensors.torch import save_file


def weights_of_another_network(folder):
    save_file({"some.weight": torch.zeros(3)}, folder / "other.safetensors")
    return ["-p", f"classifier.weights={folder / 'other.safetensors'}"]


def weights_that_are_no_numbers(folder):
    from xbench_zoo.small import SmallCnn

    state = SmallCnn().module(20).state_dict()
    name = next(name for name, tensor in state.items() if tensor.is_floating_point())
    save_file(
        {**state, name: torch.full_like(state[name], float("nan"))}, folder / "nan.safetensors"
    )
    weights = ["-p", f"classifier.weights={folder / 'nan.safetensors'}"]
    return [*weights, "-p", "training.epochs=0"]


MISTAKES = {
    "an unknown dataset": (
        ["--dataset", "toybird"],
        ["unknown dataset 'toybird'; did you mean 'toybirds'?", "xbench list dataset"],
    ),
    "an unknown explainer": (
        ["--explainer", "deliberativ"],
        ["unknown explainer 'deliberativ'; did you mean 'deliberative'?"],
    ),
    "an unknown classifier": (
        ["--classifier", "resnet5000"],
        ["unknown classifier 'resnet5000'", "xbench list classifier"],
    ),
    "a classifier that two libraries offer": (
        ["--classifier", "resnet18"],
        ["offered by several", "timm:resnet18", "torchvision:resnet18"],
    ),
    "an unknown architecture": (
        ["--classifier", "torchvision:resnet5000"],
        ["resnet5000", "did you mean 'resnet50'?"],
    ),
    "an unknown benchmark": (
        ["--benchmark", "defualt"],
        ["unknown benchmark 'defualt'; did you mean 'default'?"],
    ),
    "a benchmark file that is not there": (
        ["--benchmark", "nowhere.toml"],
        ["benchmark file nowhere.toml cannot be read: No such file or directory"],
    ),
    "an unknown parameter": (
        ["-p", "explainer.dificulty=entropy"],
        ["unknown parameter of explainer (deliberative) 'dificulty'; did you mean 'difficulty'?"],
    ),
    "an unknown component to set a parameter of": (
        ["-p", "explaner.difficulty=entropy"],
        ["'explaner'", "did you mean 'explainer'?"],
    ),
    "a wrong type": (
        ["-p", "training.epochs=many"],
        ["training.epochs: expected int, got 'many' (str)"],
    ),
    "an impossible value": (["-p", "explainer.top=1"], ["top must be at least 2"]),
    "a parameter without a value": (
        ["-p", "explainer.top"],
        ["-p explainer.top: write it as -p component.parameter=value"],
    ),
    "a device that is not there": (["--device", "cuda:77"], ["device 'cuda:77' cannot be used"]),
    "a layer that does not exist": (
        ["-p", "classifier.layer=nothing"],
        ["nothing", "can be cut"],
    ),
    "no repeats": (["-p", "repeats=0"], ["repeats: expected a whole number of at least 1"]),
    "weights of another network": (weights_of_another_network, ["other.safetensors"]),
    "weights that are no numbers": (weights_that_are_no_numbers, ["nan.safetensors", "NaN"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(mistake, xbench, quick, tmp_path):
    options, parts = MISTAKES[mistake]
    store = tmp_path / "store"
    if callable(options):
        options = options(tmp_path)
    called = xbench("run", "--store", store, *quick, *options)
    assert called.code == 2, called.err
    for part in parts:
        assert part in called.err
    assert "Traceback" not in called.err
    assert not [path for path in store.rglob("*") if path.is_file()]


def test_a_classifier_whose_logits_are_no_numbers(xbench, quick, tmp_path, monkeypatch):
    text = """
from torch import nn

class Broken(nn.Module):
    def __init__(self, classes):
        super().__init__()
        body = [nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.body = nn.Sequential(*body, nn.Linear(8, classes))

    def forward(self, images):
        logits = self.body(images)
        return logits / (logits - logits)
"""
    (tmp_path / "broken_birds.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    store = tmp_path / "store"
    called = xbench("run", *quick, "--store", store, "--classifier", "module:broken_birds:Broken")
    assert called.code == 2
    assert "gives logits that are NaN or infinite" in called.err
    assert not store.exists()


def test_a_dataset_whose_data_is_not_there(xbench, tmp_path):
    called = xbench(
        "run", "--explainer", "deliberative", "--dataset", "cub200", "--store", tmp_path
    )
    assert called.code == 2
    assert "xbench data get cub200" in called.err
    assert "dataset.root" in called.err
    assert not list(tmp_path.iterdir())


def test_a_store_that_cannot_be_written(xbench, quick, tmp_path):
    (tmp_path / "file").write_text("")
    called = xbench("run", "--store", tmp_path / "file" / "store", *quick)
    assert called.code == 2
    assert "is not writable" in called.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "benchmark file"),
        ('name = "x"', "lacks 'version'"),
        ('nmae = "x"', "did you mean 'name'?"),
    ],
)
def test_a_benchmark_file_with_a_mistake_is_named(xbench, tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    called = xbench("run", "--benchmark", path)
    assert called.code == 2
    assert message in called.err
    assert str(path) in called.err
