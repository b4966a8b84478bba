"""The explicability protocol: test sets, cases and what networks are asked."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from shards import check_shards
from small_datasets import Made
from small_entries import entry_of
from xbench import (
    ClassHierarchy,
    Classifier,
    Dataset,
    Entry,
    ImageSet,
    LocalBench,
    Loss,
    MismatchError,
    Normalisation,
    NumericalError,
    Similarity,
    Targets,
    evaluated_sets,
    fingerprint,
    generator,
    weights_recipe,
)
from xbench_explicable.losses.weighted import WeightedLoss
from xbench_explicable.protocol.explicability import Explicability
from xbench_explicable.protocol.rows import LOSS, loss_labels
from xbench_explicable.protocol.yardstick import short_hash
from xbench_explicable.similarities.similarity_table import SimilarityTable, table_text
from xbench_zoo.losses import CrossEntropy

NAMES = ("cat", "dog", "car", "truck")
SIDE = 16


@dataclass(frozen=True)
class Tinted(Made, ClassHierarchy):
    """Noise whose mean depends on the class, with classes in any order."""

    name: ClassVar[str] = "tinted"

    classes: tuple[str, ...] = NAMES
    count: int = 12
    first: int = 0
    """The id of the first test image."""

    def splits(self) -> tuple[str, ...]:
        return "train", "validation", "test"

    def ids(self, split: str) -> Sequence[int]:
        start = self.first + 1000 * self.splits().index(split)
        return range(start, start + self.count)

    def image(self, image: int) -> Tensor:
        place = NAMES.index(self.classes[image % len(self.classes)])
        noise = torch.randint(0, 120, (3, SIDE, SIDE), generator=generator("tinted", image))
        return (noise + 40 * place).clamp(0, 255).byte()

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        above = {"cat": "animal", "dog": "animal", "car": "vehicle", "truck": "vehicle"}
        return tuple((above[name], "thing") for name in self.classes)


@dataclass(frozen=True)
class Alike(Similarity):
    """Animals are alike, and vehicles; it is not normalised."""

    name: ClassVar[str] = "alike"

    near: float = 3.0

    def matrix(self, dataset: Dataset) -> Tensor:
        groups = [name in ("cat", "dog") for name in dataset.class_names()]
        rows = [[self.near if a == b else 1.0 for b in groups] for a in groups]
        return torch.tensor(rows, dtype=torch.float64).fill_diagonal_(6.0)

    def labels_needed(self, dataset: Dataset) -> int:
        return 460


class Dazzled(nn.Module):
    """Gives nothing that is a number for bright images."""

    def forward(self, images: Tensor) -> Tensor:
        bright = images.mean((1, 2, 3), keepdim=True) > 0.8
        return torch.where(bright, torch.nan, images)


@dataclass(frozen=True, kw_only=True)
class Linear(Classifier):
    """One convolution and a linear head with random weights."""

    name: ClassVar[str] = "linear"

    dazzled: bool = False

    def module(self, classes: int) -> nn.Module:
        first = [Dazzled()] if self.dazzled else []
        layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*first, *layers, nn.Linear(8, classes))

    def normalisation(self) -> Normalisation:
        return Normalisation((0.5, 0.5, 0.5), (0.2, 0.2, 0.2))

    def input_size(self) -> int:
        return SIDE


def linear_entry(seed: int = 0, loss: Loss | None = None, **sets: Dataset) -> Entry:
    trained = Tinted()
    further = {name: ImageSet(dataset, "test") for name, dataset in sets.items()}
    splits = {split: ImageSet(trained, split) for split in ("train", "validation")}
    # further sets stand before `test` here: the order of cases does not depend on it
    datasets = {**further, **splits, "test": ImageSet(trained, "test")}
    given = {"label": f"seed {seed}", "loss": loss or CrossEntropy(), "seed": seed}
    return entry_of(Linear(), datasets, **given)


def evaluated_rows(protocol: Explicability, entry: Entry, bench: LocalBench, cases=None):
    artefacts = bench.provider.all(protocol.artefacts(entry))
    cases = protocol.cases(entry, artefacts) if cases is None else cases
    return protocol.evaluate(entry, list(cases), artefacts, bench)


def test_cases_are_all_images_of_all_test_sets_the_own_ones_first(bench) -> None:
    sets = {"turned": Tinted(NAMES[::-1], 8), "few": Tinted(("truck", "cat"), 6, 50)}
    entry = linear_entry(**sets)
    assert [evaluated.name for evaluated in evaluated_sets(entry)] == ["test", "few", "turned"]
    columns = evaluated_rows(Explicability(Alike()), entry, bench).to_pydict()
    names = zip(columns["set"], columns["image"], strict=True)
    assert columns["case"] == [f"{role}/{image}" for role, image in names]
    assert columns["set"] == ["test"] * 12 + ["few"] * 6 + ["turned"] * 8
    assert columns["image"] == [*range(2000, 2012), *range(2050, 2056), *range(2000, 2008)]
    other = linear_entry(**dict(reversed(sets.items())))
    assert fingerprint(other.tree()) == fingerprint(entry.tree())  # so rows must be the same
    assert Explicability(Alike()).cases(other, {}) == Explicability(Alike()).cases(entry, {})


def test_a_limit_takes_as_many_images_of_each_test_set_and_the_first_of_each(bench) -> None:
    entry = linear_entry(turned=Tinted(NAMES[::-1], 8), few=Tinted(("truck", "cat"), 2, 50))
    protocol = Explicability(Alike())
    cases = protocol.cases(entry, {})

    def places(some):
        return [cases.index(case) for case in some]

    assert places(protocol.limited(entry, cases, 3)) == [0, 12, 14]
    assert places(protocol.limited(entry, cases, 9)) == [0, 1, 2, 3, 12, 13, 14, 15, 16]
    assert list(protocol.limited(entry, cases, 1000)) == list(cases)
    columns = evaluated_rows(protocol, entry, bench, protocol.limited(entry, cases, 9)).to_pydict()
    assert columns["set"] == ["test"] * 4 + ["few"] * 2 + ["turned"] * 3


def test_labels_of_further_sets_are_those_of_their_names(bench) -> None:
    entry = linear_entry(turned=Tinted(NAMES[::-1], 8), few=Tinted(("truck", "cat"), 6))
    columns = evaluated_rows(Explicability(Alike()), entry, bench).to_pydict()
    assert columns["class"][12:18] == ["truck", "cat"] * 3
    assert columns["class"][18:] == [NAMES[::-1][image % 4] for image in range(8)]
    assert [NAMES[label] for label in columns["label"]] == columns["class"]
    assert [NAMES[label] for label in columns["predicted"]] == columns["predicted_class"]


def test_classes_that_nothing_was_trained_for_are_all_named(bench) -> None:
    entry = linear_entry(
        other=Tinted(("cat", "dog")), odd=replace(Tinted(), classes=("cat", "plane", "boat"))
    )
    with pytest.raises(MismatchError) as caught:
        Explicability(Alike()).artefacts(entry)
    assert str(caught.value) == (
        "test set 'odd' (dataset 'tinted') has classes that networks are not trained for: plane, "
        "boat; classes are matched by name with cat, dog, car, truck"
    )


def test_rows_say_how_near_a_prediction_is(bench) -> None:
    columns = evaluated_rows(Explicability(Alike(), "dataset"), linear_entry(), bench).to_pydict()
    near, far = 3 / 11, 1 / 11
    for true, predicted, similarity, closer, level, distance in zip(
        *(
            columns[n]
            for n in ("class", "predicted_class", "similarity", "closer", "level", "distance")
        ),
        strict=True,
    ):
        same = (true in ("cat", "dog")) == (predicted in ("cat", "dog"))
        expected = 6 / 11 if true == predicted else near if same else far
        assert similarity == pytest.approx(expected)
        if true != predicted:
            assert (closer, level) == ((0, 1) if same else (1, 2))
        assert distance == (0 if true == predicted else 1 if same else 2)
    np.testing.assert_allclose(columns["chance"], (near + 2 * far) / 3)
    np.testing.assert_allclose(columns["best"], near)
    np.testing.assert_allclose(columns["distance_chance"], (1 + 2 + 2) / 3)
    assert set(columns["classes"]) == {4}


def test_rows_do_not_depend_on_batches_or_shards(tmp_path) -> None:
    protocol = Explicability(Alike(), "", (CrossEntropy(), WeightedLoss(Alike())))
    entry = linear_entry(turned=Tinted(NAMES[::-1], 8))
    check_shards(protocol, entry, 7, 20, tmp_path)


def test_probabilities_and_losses_are_those_of_each_image(bench) -> None:
    losses = (CrossEntropy(), CrossEntropy(0.2), WeightedLoss(Alike()))
    protocol = Explicability(Alike(), "", losses)
    columns = evaluated_rows(
        protocol, linear_entry(turned=Tinted(NAMES[::-1], 8)), bench
    ).to_pydict()
    weights = np.array([[6, 3, 1, 1], [3, 6, 1, 1], [1, 1, 6, 3], [1, 1, 3, 6]]) / 11
    plain, smooth, weighted = (columns[f"{LOSS}{label}"] for label in loss_labels(losses))
    entry = linear_entry(turned=Tinted(NAMES[::-1], 8))
    network = bench.network(entry.classifier, bench.provider.one(weights_recipe(entry)))
    for evaluated in evaluated_sets(entry):
        logits = network.logits(evaluated.images.batch(evaluated.ids).images).double()
        for place, p in enumerate(logits.softmax(1).numpy()):
            case = columns["case"].index(f"{evaluated.name}/{evaluated.ids[place]}")
            true = columns["label"][case]
            assert columns["true_probability"][case] == pytest.approx(p[true], rel=1e-5)
            assert columns["probability"][case] == pytest.approx(p.max(), rel=1e-5)
            assert columns["predicted"][case] == p.argmax()
            assert plain[case] == pytest.approx(-np.log(p[true]), rel=1e-5)
            soft = 0.8 * np.eye(4)[true] + 0.05
            assert smooth[case] == pytest.approx(-(soft * np.log(p)).sum(), rel=1e-5)
            assert weighted[case] == pytest.approx(-(weights[true] * np.log(p)).sum(), rel=1e-5)


def test_losses_are_named_by_their_similarity_and_what_is_not_usual() -> None:
    alike = WeightedLoss(Alike(near=2.0), "softmax", 4.0)
    losses = (CrossEntropy(), WeightedLoss(Alike()), alike, CrossEntropy(), CrossEntropy(0.1))
    assert loss_labels(losses) == (
        "cross-entropy #1",
        "weighted(alike)",
        "weighted(alike(near=2.0), preset=softmax, scale=4.0)",
        "cross-entropy #2",
        "cross-entropy(smoothing=0.1)",
    )


def ensemble(*members: Entry) -> Entry:
    return replace(members[0], label="all", seed=7, members=members)


def answers(protocol: Explicability, entry: Entry, bench) -> dict[str, list]:
    """The columns of the rows of all cases."""
    return evaluated_rows(protocol, entry, bench).to_pydict()


def test_an_ensemble_answers_with_the_mean_of_its_members_probabilities(bench) -> None:
    members = [linear_entry(seed, turned=Tinted(NAMES[::-1], 8)) for seed in range(3)]
    protocol = Explicability(Alike(), losses=(CrossEntropy(),))
    bench.workplace.batch_size = 5
    columns = answers(protocol, ensemble(*members), bench)
    probabilities = [probabilities_of(member, bench) for member in members]
    mean = sum(probabilities) / 3
    places = torch.arange(len(mean))
    predicted, labels = torch.tensor(columns["predicted"]), torch.tensor(columns["label"])
    assert predicted.equal(mean.argmax(1))
    expected = {"probability": mean[places, predicted], "true_probability": mean[places, labels]}
    for name, values in expected.items():
        assert columns[name] == pytest.approx(values.tolist(), abs=1e-6)
    losses = -mean[places, labels].log()
    assert columns[f"{LOSS}cross-entropy"] == pytest.approx(losses.tolist(), abs=1e-5)
    alone = [answers(protocol, member, bench) for member in members]
    assert all(columns["probability"] != of["probability"] for of in alone)


def probabilities_of(entry: Entry, bench) -> Tensor:
    """Of all cases, in double precision."""
    weights = bench.provider.all(Explicability(Alike()).artefacts(entry))["weights"]
    network = bench.workplace.network(entry.classifier, weights)
    batches = [evaluated.images.batch(evaluated.ids) for evaluated in evaluated_sets(entry)]
    return torch.cat([network.logits(batch.images).double().softmax(1) for batch in batches])


def test_an_ensemble_of_one_answers_as_that_one(bench) -> None:
    member, protocol = linear_entry(3), Explicability(Alike(), losses=(CrossEntropy(),))
    rows = answers(protocol, member, bench)
    same = answers(protocol, ensemble(member), bench)
    assert repr(same) == repr(rows)  # with NaN in the same places


@pytest.mark.parametrize("further", [{}, {"turned": Tinted(NAMES[::-1], 8)}])
def test_each_network_of_an_ensemble_is_loaded_once_for_a_shard(
    bench, monkeypatch, further
) -> None:
    loaded = []
    members = [linear_entry(seed, **further) for seed in range(3)]
    entry, protocol = ensemble(*members), Explicability(Alike())
    artefacts = bench.provider.all(protocol.artefacts(entry))
    assert list(artefacts) == ["weights/0", "weights/1", "weights/2"]
    load = workplace_module(bench).load_network

    def counted(classifier, weights, device):
        loaded.append(weights.key)
        return load(classifier, weights, device)

    monkeypatch.setattr(workplace_module(bench), "load_network", counted)
    protocol.evaluate(entry, protocol.cases(entry, artefacts), artefacts, bench)
    assert loaded == [artefact.key for artefact in artefacts.values()]


def test_what_an_ensemble_asks_for_is_what_its_members_ask_for(bench) -> None:
    members, protocol = [linear_entry(seed) for seed in range(2)], Explicability(Alike())
    cases = protocol.cases(members[0], {})
    asked = [protocol.requests(entry, cases) for entry in (ensemble(*members), *members)]
    together, *alone = [
        [(r.explainer, r.subject.weights, r.images, r.ids) for r in of] for of in asked
    ]
    assert together == [request for of in alone for request in of]


def workplace_module(bench):
    return sys.modules[type(bench.workplace).__module__]


def test_an_ensemble_takes_the_judgements_that_its_members_take(bench) -> None:
    members = (linear_entry(0), linear_entry(1, WeightedLoss(Alike())))
    columns = answers(Explicability(Alike()), ensemble(*members), bench)
    assert set(columns["labels_needed"]) == {460}


def test_labels_needed_are_those_of_the_loss_that_an_entry_is_trained_with(bench) -> None:
    protocol = Explicability(Alike())
    plain = evaluated_rows(protocol, linear_entry(), bench)
    weighted = evaluated_rows(protocol, linear_entry(loss=WeightedLoss(Alike())), bench)
    assert set(plain.column("labels_needed").to_pylist()) == {0}
    assert set(weighted.column("labels_needed").to_pylist()) == {460}


def test_the_edition_is_that_of_normalised_similarities() -> None:
    @dataclass(frozen=True)
    class Twice(Similarity):
        name: ClassVar[str] = "twice"

        def matrix(self, dataset: Dataset) -> Tensor:
            return 2 * Alike().matrix(dataset)

    entry = linear_entry()
    edition = Explicability(Alike()).edition(entry)
    assert len(edition) == 12
    assert Explicability(Twice()).edition(entry) == edition
    assert Explicability(Alike(near=2.0)).edition(entry) != edition
    assert short_hash(np.array([[-0.0, 1.0]])) == short_hash(np.array([[0.0, 1 - 1e-14]]))


def test_a_file_that_changes_between_runs_is_read_again(tmp_path) -> None:
    file = tmp_path / "near.csv"
    matrix, entry = Alike().matrix(Tinted()), linear_entry()
    file.write_text(table_text(matrix, NAMES))
    protocol = Explicability(SimilarityTable(str(file)))
    edition = protocol.edition(entry)
    assert edition == Explicability(Alike()).edition(entry)
    file.write_text(table_text(matrix.sqrt(), NAMES))
    assert protocol.edition(entry) != edition


def test_a_similarity_that_cannot_be_is_refused_before_anything_is_trained() -> None:
    @dataclass(frozen=True)
    class Negative(Similarity):
        name: ClassVar[str] = "negative"

        def matrix(self, dataset: Dataset) -> Tensor:
            return Alike().matrix(dataset) - 2

    with pytest.raises(MismatchError, match=r"similarity 'negative': the similarity of 'cat' \(tr"):
        Explicability(Negative()).artefacts(linear_entry())


def test_a_dataset_of_one_class_is_refused() -> None:
    entry = linear_entry()
    alone = {role: ImageSet(Tinted(("cat",)), "train") for role in ("train", "test")}
    with pytest.raises(MismatchError, match="has 1 class; mistakes need two or more"):
        Explicability(Alike()).artefacts(replace(entry, datasets=alone))


def test_losses_are_checked_before_anything_is_trained() -> None:
    class RefusedError(Exception):
        pass

    @dataclass(frozen=True)
    class Refusing(Loss):
        name: ClassVar[str] = "refusing"

        def check(self, images: ImageSet) -> None:
            raise RefusedError(images.split)

        def targets(self, batch, *, classes, epoch, generator) -> Targets:
            raise NotImplementedError

        def score(self, logits, targets) -> Tensor:
            raise NotImplementedError

    with pytest.raises(RefusedError, match="train"):
        Explicability(Alike(), "", (Refusing(),)).artefacts(linear_entry())


def test_logits_that_are_no_numbers_are_an_error_that_names_the_images(bench) -> None:
    dazzled = replace(linear_entry(), classifier=Linear(dazzled=True))
    with pytest.raises(NumericalError, match="NaN or infinite for images 2003; check its weights"):
        evaluated_rows(Explicability(Alike()), dazzled, bench)


def test_only_a_distance_in_the_datasets_own_tree_needs_one() -> None:
    assert Explicability(Alike()).needs() == ()
    assert Explicability(Alike(), "wordnet").needs() == ()
    assert Explicability(Alike(), "dataset").needs() == (ClassHierarchy,)


@dataclass(frozen=True)
class Mixing(Loss):
    """Mixes half of the batches, each image with the next; scores of mixed ones are theirs."""

    name: ClassVar[str] = "mixing"

    share: float = 0.5

    def targets(self, batch, *, classes, epoch, generator) -> Targets:
        labels = nn.functional.one_hot(batch.known_labels(), classes).float()
        if torch.rand(1, generator=generator) >= self.share:
            return Targets(batch.images, labels)
        images = (batch.images + batch.images.roll(1, 0)) / 2
        return Targets(images, (labels + labels.roll(1, 0)) / 2)

    def score(self, logits, targets) -> Tensor:
        return nn.functional.cross_entropy(logits, targets.distribution)


def test_a_loss_that_mixes_images_is_refused_before_anything_is_trained() -> None:
    protocol = Explicability(Alike(), losses=(CrossEntropy(), Mixing()))
    with pytest.raises(MismatchError) as raised:
        protocol.artefacts(linear_entry())
    assert str(raised.value) == (
        "loss 'mixing' mixes or changes images, so it is no loss of what a classifier says of an "
        "image as it is; leave it out of protocol.losses, entries may be trained with it"
    )


def test_a_loss_that_mixes_images_is_never_scored(bench) -> None:
    entry = linear_entry()
    artefacts = bench.provider.all(Explicability(Alike()).artefacts(entry))
    protocol = Explicability(Alike(), losses=(Mixing(share=1.0),))
    with pytest.raises(MismatchError, match="loss 'mixing' mixes or changes images"):
        protocol.evaluate(entry, protocol.cases(entry, {})[:2], artefacts, bench)


def test_a_loss_is_tried_without_decoding_any_image() -> None:
    @dataclass(frozen=True)
    class Unread(Tinted):
        def images(self, ids: Sequence[int]) -> Tensor:
            raise AssertionError

    entry = linear_entry()
    unread = {role: ImageSet(Unread(), images.split) for role, images in entry.datasets.items()}
    tried = Explicability(Alike(), losses=(WeightedLoss(Alike()),))
    assert set(tried.artefacts(replace(entry, datasets=unread))) == {"weights"}


def test_entries_may_be_trained_with_a_loss_that_mixes_images() -> None:
    protocol = Explicability(Alike(), losses=(CrossEntropy(),))
    recipe = protocol.artefacts(linear_entry(loss=Mixing()))["weights"]
    assert recipe.plan.loss == Mixing()
