"""Benchmark files become frozen benchmarks."""

import copy
import re
import tomllib
from dataclasses import dataclass
from typing import ClassVar

import pytest

from xbench.benchmark.assembly import assemble
from xbench.benchmark.declaration import adjust, benchmark_folder, choose, read
from xbench.benchmark.suite import is_suite, load_suite
from xbench.components.registry import Registry
from xbench.errors import MismatchError, ParameterError, UnknownNameError
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.training.recipe import TrainedWeights, plan_of, weights_recipe

FILES = sorted(benchmark_folder().glob("*.toml"))


@pytest.fixture
def registry():
    return Registry(third_party=False)


@pytest.fixture
def tree():
    return read(benchmark_folder() / "default.toml")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_benchmark_file_can_be_assembled(path, registry):
    if is_suite(path):
        suite = load_suite(path.stem, registry)
        assert suite.name == path.stem
        assert all(benchmark.lines for benchmark in suite.benchmarks)
        return
    benchmark = assemble(read(path), registry)
    assert benchmark.name == path.stem
    assert benchmark.lines


def test_the_default_has_an_entry_five_floors_and_a_ceiling(tree, registry):
    roles = [line.role for line in assemble(tree, registry).lines]
    assert sorted(roles) == ["ceiling", "entry", *["floor"] * 5]


def test_each_repeat_has_its_own_seed(tree, registry):
    benchmark = assemble({**tree, "seed": 5, "repeats": 3}, registry)
    entries = list(benchmark.entries(benchmark.lines[0]))
    assert [(entry.repeat, entry.seed) for entry in entries] == [(0, 5), (1, 6), (2, 7)]


def test_floors_follow_the_entry_they_stand_beside(tree, registry):
    tree = adjust(tree, {"explainer": {"top": 4}})
    lines = assemble(tree, registry).lines
    floor = next(line for line in lines if line.label == "random region, same pair")
    assert floor.explainer.of == lines[0].explainer
    assert floor.explainer.of.top == 4


def test_with_two_entries_each_has_its_floors(tree, registry):
    second = {"label": "another", "explainer": {"name": "deliberative", "preset": "paper"}}
    lines = assemble({**tree, "entries": [*tree["entries"], second]}, registry).lines
    labels = [line.label for line in lines]
    assert "random region, same pair: deliberative" in labels
    assert "random region, same pair: another" in labels
    assert labels.count("random pair, random region") == 1


def test_a_ceiling_takes_the_protocols_ground_truth(tree, registry):
    tree = adjust(tree, {"protocol": {"ground_truth": "ideal"}})
    ceiling = next(line for line in assemble(tree, registry).lines if line.role == "ceiling")
    assert ceiling.explainer.ground_truth == "ideal"


def test_an_unknown_parameter_of_the_protocol_is_named(tree, registry):
    tree = copy.deepcopy(tree)
    tree["entries"][1]["explainer"]["share"] = "@protocol.shares"
    with pytest.raises(UnknownNameError, match="did you mean 'share'"):
        assemble(tree, registry)


def test_another_dataset_brings_what_goes_with_it(tree):
    chosen = choose(tree, dataset="cub200")
    assert chosen["dataset"] == "cub200"
    assert chosen["transform"] == {"resize": 256, "crop": 224}
    assert chosen["classifier"]["architecture"] == "vgg16_bn"
    assert chosen["training"]["epochs"] == 60
    assert chosen["training"]["batch_size"] == 64
    assert chosen["loss"] == tree["loss"]


def test_another_explainer_takes_the_entrys_place_and_keeps_the_floors(tree):
    chosen = choose(tree, explainer="random-pair")
    assert chosen["entries"][0]["label"] == "random-pair"
    assert len(chosen["entries"]) == len(tree["entries"])


@dataclass(frozen=True)
class Other(Explainer):
    """Makes something that no protocol scores."""

    name: ClassVar[str] = "other"
    makes: ClassVar[type[Explanation]] = Explanation

    def explain(self, network, batch, artefacts, generator, given):
        return []


def test_an_explainer_that_no_protocol_fits_is_refused_with_the_reason(tree, registry):
    registry.get("explainer", "deliberative")
    lines = [{"label": "other", "explainer": "other"}]

    class WithOther(Registry):
        def get(self, kind, name):
            return Other if name == "other" else super().get(kind, name)

    with pytest.raises(MismatchError, match="scores insecurities, but the explainer makes"):
        assemble({**tree, "entries": lines}, WithOther(third_party=False))


def test_a_dataset_without_the_annotations_is_refused_and_those_that_have_them_named(
    tree, registry, tmp_path
):
    tree = adjust(choose(tree, dataset="folder"), {"dataset": {"root": str(tmp_path)}})
    with pytest.raises(MismatchError) as caught:
        assemble(tree, registry)
    assert "needs PartPoints, ClassAttributes, which dataset 'folder' does not have" in str(
        caught.value
    )
    assert "datasets that have all it needs: cub200, toybirds" in str(caught.value)


def test_a_benchmark_of_floors_alone_is_refused(tree, registry):
    floors = [line for line in tree["entries"] if line.get("role") == "floor"]
    with pytest.raises(ParameterError, match="at least one entry that is no floor"):
        assemble({**tree, "entries": floors}, registry)


def test_a_line_may_have_a_classifier_and_a_training_of_its_own(tree, registry):
    own = {
        "label": "narrow",
        "explainer": "deliberative",
        "classifier": {"name": "small-cnn", "widths": [8, 8, 8, 8, 8]},
        "training": {"epochs": 2},
    }
    floor = {
        "label": "beside",
        "role": "floor",
        "explainer": {"name": "random-region", "of": "@entry"},
    }
    benchmark = assemble({**tree, "entries": [*tree["entries"][:1], own, floor]}, registry)
    plain, narrow, beside_plain, beside_narrow = benchmark.lines
    assert narrow.classifier.widths == (8, 8, 8, 8, 8)
    assert narrow.training.epochs == 2
    assert narrow.training.batch_size == plain.training.batch_size
    assert (beside_plain.classifier, beside_narrow.classifier) == (
        plain.classifier,
        narrow.classifier,
    )
    entry = next(benchmark.entries(narrow))
    assert entry.classifier == narrow.classifier
    assert entry.common.classifier == benchmark.classifier
    entry = next(benchmark.entries(plain))
    assert entry.common is None


def test_a_line_that_builds_on_an_entry_has_nothing_of_its_own(tree, registry):
    floor = {
        "label": "beside",
        "role": "floor",
        "explainer": {"name": "random-region", "of": "@entry"},
        "training": {"epochs": 2},
    }
    message = r"entries\[1\] builds on an entry \(@entry\), and has that entry's training: leave"
    with pytest.raises(ParameterError, match=message):
        assemble({**tree, "entries": [*tree["entries"][:1], floor]}, registry)


def test_a_companion_of_one_entry_is_that_of_all(tree, registry):
    explainer = {"name": "deliberative", "difficulty": "hardness"}
    second = {"label": "hard", "explainer": explainer}
    benchmark = assemble({**tree, "entries": [*tree["entries"], second]}, registry)
    assert benchmark.companion.name == "hardness"
    entries = [next(benchmark.entries(line)) for line in benchmark.lines]
    assert {entry.companion for entry in entries} == {benchmark.companion}
    weights = {weights_recipe(entry).key for entry in entries}
    assert len(weights) == 1
    assert weights != {TrainedWeights(plan_of(entries[0])).key}


def test_two_companions_are_refused(tree, registry):
    def line(loss):
        difficulty = {"name": "hardness", "loss": loss}
        return {
            "label": loss,
            "explainer": {"name": "deliberative", "difficulty": difficulty},
        }

    with pytest.raises(MismatchError, match="trained in different ways"):
        assemble({**tree, "entries": [line("bce"), line("linear")]}, registry)


def test_every_benchmark_file_travels_in_the_wheel_and_has_its_entry_point(project):
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    points = settings["project"]["entry-points"]["xbench"]
    for path in FILES:
        assert included[f"benchmarks/{path.name}"] == f"xbench/benchmark/files/{path.name}"
        assert points[f"benchmark.{path.stem}"] == "xbench.benchmark.declaration"


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "a b", "ü"])
def test_a_name_that_leads_out_of_the_records_is_refused(name, tree, registry):
    with pytest.raises(ParameterError, match=f"benchmark name {re.escape(repr(name))}: write"):
        assemble({**tree, "name": name}, registry)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", "a"], "benchmark default: two entries are called 'a'"),
        (["a", " "], "benchmark default: the label of an entry is empty"),
        (["a", None], r"benchmark default: entries\[1\] needs a label"),
    ],
)
def test_labels_tell_entries_apart(labels, message, tree, registry):
    entry = tree["entries"][0]
    entries = [{**entry, "label": label} for label in labels]
    with pytest.raises(ParameterError, match=message):
        assemble({**tree, "entries": entries}, registry)
