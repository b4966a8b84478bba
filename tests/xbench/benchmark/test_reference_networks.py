"""Reference networks: which benchmarks have them, what leaves them out, and what they are."""

import pytest

from xbench.benchmark.assembly import assemble, load_benchmark
from xbench.benchmark.declaration import adjust, benchmark_folder, choose, declared
from xbench.benchmark.pins import companion_hash, images_hash
from xbench.components.registry import Registry
from xbench.errors import ParameterError
from xbench.networks.loading import whole_classifier
from xbench.networks.weights import read_facts
from xbench.training.pinned_weights import PinnedWeights, sha256_of
from xbench.training.recipe import plan_of, weights_recipe

WEIGHTS = benchmark_folder() / "weights"
PINNING = (
    "default",
    "ces-low-level-toybirds",
    "deliberative-attribution-toybirds",
    "deliberative-choices-toybirds",
    "deliberative-difficulty-toybirds",
)
TRAINING = (
    "ces-spurious-toybirds",
    "deliberative-architecture-toybirds",
    "deliberative-depth-toybirds",
    "explicable-toybirds",
)


def default(**changes):
    """The default benchmark with changes."""
    return load_benchmark("default", Registry(third_party=False), changes=changes)


def pinned_lines(benchmark):
    return {len(line.weights) for line in benchmark.lines}


@pytest.mark.parametrize("name", PINNING)
def test_benchmarks_that_compare_explainers_on_toybirds_pin_three_networks(name):
    benchmark = load_benchmark(name, Registry(third_party=False))
    assert benchmark.repeats == 3
    assert pinned_lines(benchmark) == {3}
    assert not benchmark.remarks
    for source in benchmark.weights:
        assert source.sha256 == sha256_of(WEIGHTS / source.path.rpartition("/")[2])
        assert source.trained_on == images_hash(benchmark.datasets["train"])


@pytest.mark.parametrize("name", TRAINING)
def test_benchmarks_that_compare_networks_or_trainings_train(name):
    benchmark = load_benchmark(name, Registry(third_party=False))
    assert pinned_lines(benchmark) == {0}
    assert not benchmark.remarks


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": ""},
        {"classifier": {"weights": ""}},
        {"classifier": "small-vgg"},
        {"training": {"epochs": 1}},
        {"loss": {"name": "cross-entropy", "smoothing": 0.1}},
        {"dataset": {"train": 60}},
        {"dataset": {"seed": 3}},
        {"dataset": {"ndiff": 3}},
        {"dataset": {"confounded_class": "rubra-prima", "confounded_context": "snow"}},
        {"splits": {"train": "validation"}},
        {"transform": {"resize": 64, "crop": 64}},
        {"explainer": {"difficulty": "hardness"}},
    ],
)
def test_what_changes_the_training_trains_one_network(changes):
    benchmark = default(**changes)
    assert pinned_lines(benchmark) == {0}
    assert benchmark.repeats == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset": {"test": 40, "shifted": 3, "validation": 9}},
        {"dataset": {"attention": 1.0}},
        {"explainer": {"preset": "paper"}},
        {"explainer": {"difficulty": {"name": "hardness", "setting": "frozen"}}},
        {"classifier": {"layer": "stage4"}},
        {"seed": 4},
    ],
)
def test_what_does_not_keeps_them(changes):
    benchmark = default(**changes)
    assert pinned_lines(benchmark) == {3}
    assert benchmark.repeats == 3


def test_a_remark_says_that_classifiers_are_trained_after_all():
    (remark,) = default(dataset={"train": 60}).remarks
    assert remark == "the benchmark's own weights are of another training: classifiers are trained"
    assert not default(weights="").remarks


def test_fewer_repeats_take_the_first_and_more_are_refused():
    assert default(repeats=1).repeats == 1
    with pytest.raises(ParameterError, match="3 pinned for 4 repeats"):
        default(repeats=4)


def test_another_dataset_and_protocols_that_train_leave_them_out():
    tree = declared(benchmark_folder() / "default.toml")
    assert "weights" not in choose(tree, "cub200")
    entries = [{"label": "plain"}]
    protocol = {"name": "explicability", "hierarchy": "dataset"}
    tree = {**adjust(tree, {"protocol": protocol}), "entries": entries, "contrasts": []}
    benchmark = assemble({**tree, "protocol": protocol}, Registry(third_party=False))
    assert pinned_lines(benchmark) == {0}
    assert not benchmark.remarks


def test_a_pair_is_only_for_the_companion_it_was_trained_with():
    name = "deliberative-difficulty-toybirds"
    registry = Registry(third_party=False)
    benchmark = load_benchmark(name, registry)
    assert {one.trained_with for one in benchmark.weights} == {companion_hash(benchmark.companion)}
    other = {"defaults": {"difficulty": {"hardness": {"loss": "linear"}}}}
    assert pinned_lines(load_benchmark(name, registry, changes=other)) == {0}


def test_files_lie_beside_the_benchmark_that_names_them(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "a.safetensors").write_bytes(
        (WEIGHTS / "small-cnn-0.safetensors").read_bytes()
    )
    lines = 'extends = "default"\nname = "mine"\nversion = "1"\n'
    (tmp_path / "mine.toml").write_text(f'{lines}[weights]\nfiles = ["nets/a.safetensors"]\n')
    tree = declared(tmp_path / "mine.toml")
    assert tree["weights"] == {"files": [str(tmp_path / "nets" / "a.safetensors")]}
    assert assemble(tree, Registry(third_party=False)).repeats == 1


def test_weights_that_a_classifier_starts_from_lie_beside_the_benchmark_too(tmp_path):
    (tmp_path / "a.safetensors").write_bytes((WEIGHTS / "small-cnn-0.safetensors").read_bytes())
    lines = 'extends = "default"\nname = "mine"\nversion = "1"\nweights = ""\n'
    start = '[classifier]\nname = "small-cnn"\nweights = "a.safetensors"\n'
    (tmp_path / "mine.toml").write_text(f"{lines}{start}")
    tree = declared(tmp_path / "mine.toml")
    assert tree["classifier"]["weights"] == str(tmp_path / "a.safetensors")
    benchmark = assemble(tree, Registry(third_party=False))
    plan = plan_of(next(benchmark.entries(benchmark.lines[0])))
    assert str(tmp_path) not in str(plan.tree())


def test_the_files_say_how_good_their_networks_are_and_hold_them(provider):
    benchmark = default(dataset={"test": 40})
    entry = next(benchmark.entries(benchmark.lines[0]))
    recipe = weights_recipe(entry)
    assert isinstance(recipe, PinnedWeights)
    assert recipe.plan == plan_of(entry)
    assert not recipe.trained_here
    made = provider.one(recipe)
    facts = read_facts(WEIGHTS / "small-cnn-0.safetensors")
    assert facts["accuracy"] > 0.85
    assert made.facts["state"] == facts["state"]
    assert "87.1% on 'test'" in made.facts["summary"][0]
    module = benchmark.classifier.module(20)
    module.load_state_dict(made.tensors)
    network = whole_classifier(benchmark.classifier, module, 20)
    test = benchmark.datasets["test"]
    batch = test.batch(test.ids())
    right = network.logits(batch.images, batch.ids).argmax(1) == batch.labels
    assert right.double().mean() > 0.7
