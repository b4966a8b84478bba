"""Weights that a benchmark file pins."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from small_datasets import Greys
from small_networks import Linear
from sure import Sure
from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import adjust, benchmark_folder, choose, declared, read
from xbench.benchmark.grid import VALUE
from xbench.benchmark.lines import Line
from xbench.components.registry import Registry
from xbench.errors import ParameterError, UnknownNameError, WeightsError
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.networks.loading import blank_module, cut_classifier
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.pinned_weights import WeightsDownload, WeightsFile
from xbench.training.recipe import TrainedWeights, weights_recipe
from xbench_zoo.losses import CrossEntropy

NINE = RunOptions(resampling=Resampling(resamples=9))
EXPLICABLE = benchmark_folder() / "explicable-toybirds.toml"
URL = {"url": "http://here/a.safetensors", "size": 5, "sha256": "0" * 64}


@pytest.fixture
def files(tmp_path):
    """Paths of three files of different content."""
    paths = [tmp_path / f"{place}.safetensors" for place in range(3)]
    for place, path in enumerate(paths):
        save_file(blank_module(Linear(), 2, place).state_dict(), path)
    return list(map(str, paths))


def pinning(weights, **changes):
    """The tree of a benchmark of classifiers with these weights."""
    return {**read(EXPLICABLE), "repeats": 1, "weights": weights, **changes}


def assembled(tree):
    return assemble(tree, Registry(third_party=False))


def of_lines(benchmark):
    return {line.label: len(line.weights) for line in benchmark.lines}


def test_pinned_weights_are_an_entrys_one_for_each_repeat(files):
    benchmark = assembled(pinning({"files": files}, repeats=3))
    line = next(line for line in benchmark.lines if line.weights)
    recipes = [weights_recipe(entry) for entry in benchmark.entries(line)]
    assert [recipe.source for recipe in recipes] == [WeightsFile(path) for path in files]
    assert {recipe.classes for recipe in recipes} == {20}


def test_weights_at_an_address_are_pinned_without_a_download():
    benchmark = assembled(pinning({"urls": [{**URL, "licence": "CC0"}]}))
    assert benchmark.weights == (WeightsDownload("http://here/a.safetensors", 5, "0" * 64, "CC0"),)


def test_a_file_may_say_its_digest(files):
    benchmark = assembled(pinning({"files": [{"path": files[0], "sha256": "1" * 64}]}))
    assert benchmark.weights == (WeightsFile(files[0], "1" * 64),)


def test_lines_with_a_training_of_their_own_are_trained(files):
    tree = pinning({"files": files})
    own = {"label": "own", "training": {"epochs": 2}}
    same = {"label": "same"}
    cut = {"label": "cut", "classifier": {"layer": "stage4"}}
    given = {"label": "given", "training": {"epochs": 2}, "weights": {"files": files[1:]}}
    none = {"label": "none", "weights": ""}
    benchmark = assembled({**tree, "entries": [own, same, cut, given, none]})
    assert of_lines(benchmark) == {"own": 0, "same": 3, "cut": 3, "given": 2, "none": 0}
    entries = {line.label: next(benchmark.entries(line)) for line in benchmark.lines}
    assert isinstance(weights_recipe(entries["own"]), TrainedWeights)
    assert weights_recipe(entries["own"].common) == weights_recipe(entries["same"])
    assert weights_recipe(entries["given"]).source == WeightsFile(files[1])


def test_pinned_weights_stay_out_of_the_keys_of_others(files):
    plain, with_pins = assembled(pinning({})), assembled(pinning({"files": files}))
    trees = [next(b.entries(line)).tree() for b in (plain, with_pins) for line in b.lines[:1]]
    assert "weights" not in trees[0]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"weights": ""}, False),
        ({"training": {"epochs": 3}}, False),
        ({"loss": "cross-entropy"}, True),
        ({"loss": "hierarchical-cross-entropy"}, False),
        ({"classifier": "small-vgg"}, False),
        ({"classifier": "small-cnn"}, True),
        ({"classifier": {"layer": "stage4"}}, True),
        ({"seed": 7}, True),
        ({"protocol": {"hierarchy": "dataset"}}, True),
        ({"training": {"epochs": 3}, "weights": {"urls": [URL]}}, True),
    ],
)
def test_weights_are_not_kept_for_another_training(changes, kept):
    tree = {**declared(benchmark_folder() / "default.toml"), "weights": {"urls": [URL]}}
    tree = {**tree, "classifier": "small-cnn", "loss": "cross-entropy"}
    assert bool(adjust(tree, changes).get("weights")) == kept


def test_weights_are_not_kept_for_another_dataset():
    tree = pinning({"urls": [URL]})
    assert "weights" not in choose(tree, "cub200")
    assert "weights" in choose(tree, "toybirds")
    line = {"label": "own", "weights": {"urls": [URL]}}
    assert choose({**tree, "entries": [line]}, "cub200")["entries"] == [{"label": "own"}]


def test_cells_of_a_grid_with_another_training_are_trained():
    other = {"name": "smooth", "loss": {"name": "cross-entropy", "smoothing": 0.1}}
    loss = {"values": ["cross-entropy", other], "loss": VALUE}
    for pins in ({"weights": {"urls": [URL]}}, {}):
        grid = {"axes": {"loss": loss}, **pins}
        tree = pinning({"urls": [URL]}, loss="cross-entropy", entries=[], grid=grid)
        assert of_lines(assembled(tree)) == {"cross-entropy": 1, "smooth": 0}


def test_an_axis_of_a_grid_may_be_of_pinned_weights(files):
    values = [{"name": name, "weights": {"files": [name]}} for name in files]
    tree = pinning({}, entries=[], grid={"axes": {"weights": {"values": values}}})
    assert of_lines(assembled(tree)) == dict.fromkeys(files, 1)


def test_what_extends_a_file_with_pinned_weights_inherits_them_with_the_training(tmp_path):
    base = (tmp_path / "base.toml", EXPLICABLE.read_text())
    urls = '[weights]\nurls = [{ url = "http://here/a", size = 1, sha256 = "' + "0" * 64 + '" }]\n'
    base[0].write_text(base[1] + "\n" + urls)
    (tmp_path / "default.toml").write_text((benchmark_folder() / "default.toml").read_text())
    for name, text, kept in (
        ("same", 'version = "2"', True),
        ("other", "[training]\nepochs = 1", False),
    ):
        path = tmp_path / f"{name}.toml"
        path.write_text(f'extends = "base"\nname = "{name}"\n{text}\n')
        assert ("weights" in read(path)) == kept


def test_weights_can_be_pinned_from_the_command_line_where_the_file_says_none(files):
    tree = adjust({**pinning({}), "weights": ""}, {"weights": {"files": files}})
    assert tree["weights"] == {"files": files}


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        ({"urls": [URL]}, ParameterError, "1 pinned for 2 repeats; pin one for each, say --rep"),
        ({"urls": [URL, URL]}, ParameterError, "weights of two repeats are the same"),
        ({"urls": [URL], "files": [{"path": "a", "sha256": "1" * 64}]}, ParameterError, "leave"),
        ({"urls": [{"url": "http://here/a"}]}, ParameterError, r"weights.urls\[0\] needs 'size'"),
        ({"urls": [{**URL, "sha256": "0"}]}, ParameterError, "64 hexadecimal digits"),
        ({"file": "a"}, UnknownNameError, "did you mean 'files'"),
        ("a.safetensors", ParameterError, r"write weights.files=\[…\]"),
        ({"files": ["nowhere"]}, WeightsError, "there is no weights file 'nowhere'"),
    ],
)
def test_what_cannot_be_pinned_is_refused(weights, error, text):
    with pytest.raises(error, match=text):
        assembled(pinning(weights, repeats=2))


def test_two_ways_to_give_weights_are_refused_together():
    tree = pinning({"urls": [URL]}, classifier={"name": "small-cnn", "weights": "a.safetensors"})
    with pytest.raises(ParameterError, match=r"both say which weights the classifier has"):
        assembled(tree)


def sure(files):
    """A benchmark of one line with these weights."""
    weights = tuple(map(WeightsFile, files))
    parts = {"classifier": Linear(), "loss": CrossEntropy(), "training": Training(epochs=0)}
    return Benchmark(
        name="pinned",
        version="1",
        title="",
        protocol=Sure(),
        datasets={role: ImageSet(Greys(6), role) for role in ("train", "test")},
        lines=(Line("one", "entry", None, **parts, weights=weights),),
        contrasts=(),
        seed=0,
        repeats=len(files),
        weights=weights,
        **parts,
    )


def test_a_run_scores_pinned_weights_and_records_what_they_are(files, tmp_path):
    place, store = tiny_workplace(tmp_path), Store(str(tmp_path / "store"))
    (record,) = run_benchmark(sure(files), store, LocalExecutor(), place, NINE)
    facts = [artefact["pinned"]["sha256"] for artefact in record.artefact_facts]
    assert facts == [WeightsFile(path).content for path in files]
    network = cut_classifier(Linear(), blank_module(Linear(), 2, 0), 2)
    images = ImageSet(Greys(6), "test")
    expected = network.logits(images.batch(images.ids()).images).softmax(1)[:, 0]
    assert store.rows(record.rows[0][0]).column("sure").to_pylist() == expected.tolist()


def test_weights_of_another_network_are_refused_before_anything_is_written(files, tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    benchmark = sure([files[0], str(tmp_path / "other.pth")])
    place, store = tiny_workplace(tmp_path), Store(str(tmp_path / "store"))
    with pytest.raises(WeightsError, match="do not fit Sequential"):
        run_benchmark(benchmark, store, LocalExecutor(), place)
    assert not (tmp_path / "store").exists()
