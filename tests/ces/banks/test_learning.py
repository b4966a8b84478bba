"""Banks are learned concept by concept, and are a function of their recipe."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from xbench import (
    Artefact,
    Concept,
    ConceptExamplesPair,
    DatasetError,
    MismatchError,
    NumericalError,
    ParameterError,
    Provider,
    Store,
    Training,
    Transform,
    generator,
)
from xbench.networks import load_network
from xbench_ces.banks.bank import ConceptBank, bottom_hash
from xbench_ces.banks.concept_images import concept_origins
from xbench_ces.banks.learning import LearnedBank

HEAD_ONLY = Training(epochs=1, body_rate=0.0, batch_size=8)


@pytest.fixture
def recipe(shapes, make_weights):
    weights = make_weights()
    return LearnedBank(weights, weights.plan.classifier, (shapes(),), Transform(), examples=40)


def learned_bank(recipe, provider):
    return ConceptBank.from_artefact(provider.one(recipe))


def test_concepts_are_found_again_and_nothing_is_not(recipe, provider, shapes):
    bank = learned_bank(recipe, provider)
    assert bank.concepts == shapes().concepts()
    assert bank.shape == (8, 10, 10)
    assert bank.normals.shape == (6, 800)
    assert bank.layer == "4"
    accuracies = dict(zip(bank.names, bank.accuracies.tolist(), strict=True))
    assert min(accuracies[name] for name in ("red", "green", "blue", "dark")) >= 0.95
    assert accuracies["nothing"] < 0.8
    assert "nothing" not in bank.kept(0.8).names
    assert bool((bank.margins[:4] > 0).all())


def test_the_same_recipe_gives_the_same_bank(recipe, tmp_path, workplace):
    banks = [
        learned_bank(recipe, Provider(Store(str(tmp_path / name)), workplace))
        for name in ("a", "b")
    ]
    for name in ("normals", "accuracies", "margins", "examples"):
        assert torch.equal(getattr(banks[0], name), getattr(banks[1], name))
    assert banks[0].facts["details"] == banks[1].facts["details"]


def test_the_seed_decides_which_images_are_learned_from(recipe, provider):
    other = dataclasses.replace(recipe, seed=1)
    assert other.key != recipe.key
    first, second = learned_bank(recipe, provider), learned_bank(other, provider)
    assert first.facts["details"]["red"]["hashes"] != second.facts["details"]["red"]["hashes"]
    assert not torch.equal(first.normals, second.normals)


def test_a_concept_is_learned_as_if_it_were_alone(recipe, provider, shapes):
    @dataclass(frozen=True)
    class Reversed(shapes):
        name: ClassVar[str] = "shapes"

        def concepts(self):
            return super().concepts()[:0:-1]

    bank = learned_bank(recipe, provider)
    other = learned_bank(dataclasses.replace(recipe, sources=(Reversed(count=41),)), provider)
    assert other.names == bank.names[:0:-1]
    assert torch.equal(other.normals.flip(0), bank.normals[1:])
    assert other.accuracies.flip(0).tolist() == bank.accuracies[1:].tolist()


def test_the_batch_size_changes_nothing_that_counts(recipe, tmp_path, workplace):
    whole = learned_bank(recipe, Provider(Store(str(tmp_path / "a")), workplace))
    small_batches = dataclasses.replace(workplace, batch_size=7)
    small = learned_bank(recipe, Provider(Store(str(tmp_path / "b")), small_batches))
    assert torch.cosine_similarity(whole.normals, small.normals).min() > 0.9999


def test_the_slow_way_gives_the_same_direction(recipe, provider, shapes):
    """Every image alone through the network, and a solver on the features."""
    from sklearn.svm import SVC

    from xbench_ces.kernels.svm import stratified_split

    bank = learned_bank(recipe, provider)
    weights = provider.one(recipe.weights)
    network = load_network(recipe.classifier, weights, torch.device("cpu"))
    source = generator("concept", 0, "shapes", "green")
    pair = shapes().concept_examples("green", 40, source)
    rows = [
        network.activations(image[None].float() / 255).flatten()
        for image in (*pair.positive, *pair.negative)
    ]
    labels = torch.arange(80) < 40
    split = stratified_split(labels, 0.25, source)
    features = torch.stack(rows).double()
    solver = SVC(C=0.001, kernel="linear", tol=1e-6)
    solver.fit(features[split.fitted].numpy(), labels[split.fitted].numpy())
    place = bank.names.index("green")
    w = torch.tensor(solver.coef_[0])
    assert torch.cosine_similarity(bank.normals[place].double(), w, dim=0) > 0.9999
    distances = (features[split.fitted] @ w + float(solver.intercept_[0])) / w.norm()
    assert float(bank.margins[place]) == pytest.approx(float(distances.max()), rel=1e-2)
    score = solver.score(features[split.held_out].numpy(), labels[split.held_out].numpy())
    assert float(bank.accuracies[place]) == score
    small = torch.nn.functional.interpolate(pair.positive[:1].float(), (48, 48))
    assert (bank.examples[place].float() - small[0]).abs().mean() < 16


def test_where_a_bank_comes_from_is_told(recipe, provider):
    facts = provider.one(recipe).facts
    line = facts["summary"][0]
    assert line.startswith("6 concepts at 4, ")
    assert line.endswith(" of accuracy 0.7 or more")
    assert (facts["seed"], facts["examples"], facts["held_out"]) == (0, 40, 0.25)
    assert facts["regularisation"] == 0.001
    assert "nothing" in facts["weak"]
    assert "red" not in facts["weak"]
    assert facts["sources"] == [{"name": "shapes", "fingerprint": "shapes-40"}]
    red = facts["details"]["red"]
    assert (red["fitted"], red["held_out"]) == (60, 20)
    assert 0.9 <= red["fitted_accuracy"] <= 1
    assert [len(text) for text in red["hashes"]] == [32, 32]
    assert "scikit-learn" in facts["solver"]


def test_progress_names_the_concepts(recipe, tmp_path, workplace):
    updates = []

    class Reporter:
        def update(self, task, done, total, note=""):
            updates.append((task, done, total, note))

    place = dataclasses.replace(workplace, progress=Reporter())
    Provider(Store(str(tmp_path / "store")), place).one(recipe)
    assert updates[0] == ("concepts", 0, 6, "red")
    assert updates[-1] == ("concepts", 6, 6, "")


def test_every_choice_changes_the_key(recipe, shapes, make_weights):
    others = [
        dataclasses.replace(recipe, sources=(shapes(count=41),)),
        dataclasses.replace(recipe, transform=Transform(resize=24)),
        dataclasses.replace(recipe, examples=41),
        dataclasses.replace(recipe, held_out=0.3),
        dataclasses.replace(recipe, regularisation=0.01),
        dataclasses.replace(recipe, seed=1),
        dataclasses.replace(recipe, classifier=dataclasses.replace(recipe.classifier, layer="2")),
        dataclasses.replace(recipe, weights=make_weights(seed=1)),
        dataclasses.replace(recipe, weights=make_weights(Training(epochs=1))),
    ]
    assert len({recipe.key, *(other.key for other in others)}) == len(others) + 1
    assert recipe.key == dataclasses.replace(recipe).key


def test_classifiers_that_differ_in_their_heads_share_a_bank(recipe, provider, make_weights):
    trainings = [HEAD_ONLY, dataclasses.replace(HEAD_ONLY, epochs=2, learning_rate=0.1)]
    banks, networks = [], []
    for training in trainings:
        weights = make_weights(training)
        shared = dataclasses.replace(recipe, weights=weights)
        artefact = provider.one(weights)
        networks.append(provider.workplace.network(recipe.classifier, artefact))
        banks.append((shared.key, learned_bank(shared, provider)))
    assert banks[0][0] == banks[1][0]
    for network in networks:
        banks[0][1].check(network, (8, 10, 10))
    heads = [network.top.state_dict() for network in networks]
    assert any(not torch.equal(heads[0][name], heads[1][name]) for name in heads[0])
    assert bottom_hash(networks[0]) == bottom_hash(networks[1])


def test_random_weights_of_another_seed_share_nothing(recipe, make_weights):
    keys = [
        dataclasses.replace(recipe, weights=make_weights(HEAD_ONLY, seed=seed)).key
        for seed in (0, 1)
    ]
    assert keys[0] != keys[1]


def test_weights_of_a_file_are_shared_whatever_the_seed(
    recipe, provider, make_weights, make_network, tmp_path
):
    from safetensors.torch import save_file

    state = provider.one(make_weights(seed=5)).tensors
    save_file(dict(state), tmp_path / "weights.safetensors")
    file = dataclasses.replace(recipe.classifier, weights=str(tmp_path / "weights.safetensors"))
    recipes = [
        dataclasses.replace(
            recipe, classifier=file, weights=make_weights(HEAD_ONLY, seed=seed, classifier=file)
        )
        for seed in (0, 1)
    ]
    assert recipes[0].key == recipes[1].key
    trained = provider.one(recipes[1].weights)
    learned_bank(recipes[0], provider).check(provider.workplace.network(file, trained))


def test_a_body_that_learns_shares_nothing(recipe, make_weights):
    keys = {
        dataclasses.replace(recipe, weights=make_weights(Training(epochs=n, body_rate=rate))).key
        for n, rate in ((1, 0.1), (2, 0.1), (1, 1.0))
    }
    assert len(keys) == 3


def test_a_layer_above_the_head_is_not_that_of_the_start(make_weights, recipe):
    from torch import nn

    from xbench_ces.banks.start_weights import StartWeights, weights_below

    @dataclass(frozen=True, kw_only=True)
    class ConvolutionalHead(type(recipe.classifier)):
        name: ClassVar[str] = "convolutional-head"

        def module(self, classes):
            return nn.Sequential(
                nn.Conv2d(3, 4, 3),
                nn.ReLU(),
                nn.Conv2d(4, classes, 1),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            )

    for layer, shared in (("", True), ("1", True), ("2", False)):
        classifier = ConvolutionalHead(layer=layer)
        weights = make_weights(HEAD_ONLY, classifier=classifier)
        bottom_recipe = weights_below(weights, classifier)
        assert isinstance(bottom_recipe, StartWeights) == shared
        assert bottom_recipe is weights or shared


def source_with(shapes, concepts=None, pair=None, name="shapes"):
    """The data set with other concepts or other images of them."""

    @dataclass(frozen=True)
    class Changed(shapes):
        def concepts(self):
            return super().concepts()[:1] if concepts is None else concepts

        def concept_examples(self, name, count, generator):
            examples = super().concept_examples("red", count, generator)
            return examples if pair is None else pair(examples)

    Changed.name = name
    return Changed()


def failing(recipe, provider, error, *sources, **fields):
    with pytest.raises(error) as caught:
        provider.one(dataclasses.replace(recipe, sources=sources, **fields))
    return str(caught.value)


def test_two_concepts_of_one_name_are_refused(recipe, provider, shapes):
    twin = source_with(shapes, name="twin")
    assert failing(recipe, provider, DatasetError, shapes(), twin) == (
        "concept 'red' of dataset 'twin' has the name of a concept of dataset 'shapes'; rename "
        "one of them, or leave one of the datasets out"
    )


def test_a_dataset_without_concepts_is_refused(recipe, provider, shapes):
    message = failing(recipe, provider, DatasetError, source_with(shapes, concepts=()))
    assert message == "there is no concept in 'shapes'"
    with pytest.raises(DatasetError, match="there is no concept in no dataset"):
        concept_origins(())


@pytest.mark.parametrize("kind", ["with", "without"])
def test_too_few_images_are_refused(recipe, provider, shapes, kind):
    def few(pair):
        return pair._replace(**{{"with": "positive", "without": "negative"}[kind]: pair[0][:9]})

    assert failing(recipe, provider, DatasetError, source_with(shapes, pair=few)) == (
        f"concept 'red' of dataset 'shapes' has 9 images {kind} the concept; at least 10 of "
        "either kind are needed"
    )


def test_the_same_images_with_and_without_a_concept_are_refused(recipe, provider, shapes):
    same = source_with(shapes, pair=lambda pair: ConceptExamplesPair(pair[0], pair[0].flip(0)))
    assert failing(recipe, provider, DatasetError, same) == (
        "concept 'red' of dataset 'shapes' has the same images with and without the concept; its "
        "negative images should be others"
    )


def test_more_images_of_one_kind_are_left_out(recipe, provider, shapes):
    fewer = source_with(shapes, pair=lambda pair: pair._replace(negative=pair[1][:12]))
    bank = learned_bank(dataclasses.replace(recipe, sources=(fewer,)), provider)
    details = bank.facts["details"]["red"]
    assert (details["fitted"], details["held_out"]) == (18, 6)


def test_activations_that_never_change_have_no_direction(recipe, provider, workplace):
    weights = provider.one(recipe.weights)
    dead = {name: torch.zeros_like(t) for name, t in weights.tensors.items()}
    with pytest.raises(MismatchError) as caught:
        recipe.build({"weights": Artefact("dead", dead, weights.facts)}, workplace)
    assert str(caught.value) == (
        "classifier 'small-cut' gives the same activations at layer '4' for all images of concept "
        "'red' of dataset 'shapes': there is no direction to learn. Learn it at another layer, "
        "or with other weights"
    )


def test_activations_that_are_no_numbers_are_refused(recipe, provider, workplace):
    weights = provider.one(recipe.weights)
    bottom = workplace.network(recipe.classifier, weights).bottom
    with torch.no_grad():
        dict(bottom.named_parameters())["network.network.3.bias"].fill_(torch.inf)
    with pytest.raises(NumericalError) as caught:
        recipe.build({"weights": weights}, workplace)
    assert str(caught.value) == (
        "classifier 'small-cut' gives activations that are NaN or infinite at layer '4' for "
        "concept 'red' of dataset 'shapes'; check its weights"
    )


def test_concept_images_of_another_size_are_refused(recipe, provider, shapes):
    large = source_with(shapes, pair=lambda pair: ConceptExamplesPair(*(_double(i) for i in pair)))
    assert failing(recipe, provider, MismatchError, large) == (
        "images of concept 'red' of dataset 'shapes' give activations of shape 8×20×20 at layer "
        "'4', and the images that classifier 'small-cut' is trained on 8×10×10; give both one "
        "size, such as with -p transform.resize= and -p transform.crop="
    )
    same_size = dataclasses.replace(recipe, sources=(large,), transform=Transform(20, 20))
    assert learned_bank(same_size, provider).shape == (8, 10, 10)


def _double(images):
    return images.repeat_interleave(2, 2).repeat_interleave(2, 3)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("examples", 9, "examples is 9; at least 10 are needed"),
        ("held_out", 0.0, "held_out is 0.0; it needs 0 < held_out < 1"),
        ("held_out", 1.0, "held_out is 1.0; it needs 0 < held_out < 1"),
        ("regularisation", 0.0, "regularisation is 0.0; it needs to be above 0"),
    ],
)
def test_impossible_settings_are_refused(recipe, field, value, message):
    with pytest.raises(ParameterError) as caught:
        dataclasses.replace(recipe, **{field: value})
    assert str(caught.value) == message


def test_only_one_concepts_activations_are_held_at_a_time(recipe, provider, shapes, monkeypatch):
    import gc
    import weakref

    from xbench_ces.banks import learning

    held = []

    def watched(*arguments):
        gc.collect()
        assert all(reference() is None for reference in held)
        activations = features(*arguments)
        held.append(weakref.ref(activations))
        return activations

    features = learning.features
    monkeypatch.setattr(learning, "features", watched)
    many = tuple(Concept(f"{n}", "") for n in range(4))
    bank = learned_bank(dataclasses.replace(recipe, sources=(source_with(shapes, many),)), provider)
    assert len(held) == len(bank.concepts) == 4
