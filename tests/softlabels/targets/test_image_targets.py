"""Targets that are known before a training: of people, of classes, of networks."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from small_datasets import Judged, Stripes
from softlabels_losses import LOSSES, TABLES
from xbench import Batch, Folds, ImageSet, MismatchError, UsageError, generator
from xbench.testing import check_component, tiny_images
from xbench_explicable.similarities.human_labels import InstanceLevelLabels
from xbench_softlabels.targets.class_human_labels import ClassHumanLabels
from xbench_softlabels.targets.distillation import Distillation
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.mixup import Mixup
from xbench_softlabels.targets.most_uncertain import MostUncertain
from xbench_zoo.losses import CrossEntropy

PROBABILITIES = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.0, 0.0, 1.0], [0.2, 0.2, 0.6]] * 2)


def slow_loss(logits, rows):
    """Cross-entropy image by image and class by class."""
    total = 0.0
    for values, row in zip(logits.tolist(), rows, strict=True):
        normaliser = sum(math.exp(value) for value in values)
        for share, value in zip(row, values, strict=True):
            total -= share * math.log(math.exp(value) / normaliser)
    return total / len(rows)


def slow_rows(images):
    counts = images.dataset.label_counts(images.ids()).tolist()
    return [[count / sum(row) for count in row] for row in counts]


def slow_means(images):
    """The mean row of the images of each image's class."""
    rows, labels = slow_rows(images), images.dataset.labels(images.ids()).tolist()
    of_class = {label: [] for label in labels}
    for row, label in zip(rows, labels, strict=True):
        of_class[label].append(row)
    means = {
        label: [sum(column) / len(own) for column in zip(*own, strict=True)]
        for label, own in of_class.items()
    }
    return [means[label] for label in labels]


@pytest.mark.parametrize(
    ("loss", "expected"), [(ImageHumanLabels(), slow_rows), (ClassHumanLabels(), slow_means)]
)
def test_the_loss_equals_the_slow_loop(loss, expected, people, targets_of):
    ids, rows = (6, 0, 5, 2), expected(people)
    logits = torch.randn(4, 3, generator=generator("logits"), dtype=torch.float64)
    score = loss.score(logits, targets_of(loss, people, ids))
    assert float(score) == pytest.approx(slow_loss(logits, [rows[image] for image in ids]), 1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_the_formula(name, people, targets_of):
    loss = LOSSES[name]
    targets = targets_of(loss, people, (0, 1, 2, 6))
    logits = torch.randn(4, 3, generator=generator(name), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: loss.score(z, targets), logits)


@pytest.mark.parametrize("name", LOSSES)
def test_scores_are_linear_in_targets(name, people, targets_of):
    loss = LOSSES[name]
    some, others = (targets_of(loss, people, ids) for ids in ((0, 1), (5, 4)))
    between = some._replace(distribution=0.3 * some.distribution + 0.7 * others.distribution)
    logits = torch.randn(2, 3, generator=generator(name), dtype=torch.float64)
    expected = 0.3 * loss.score(logits, some) + 0.7 * loss.score(logits, others)
    assert float(loss.score(logits, between)) == pytest.approx(float(expected), 1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_targets_do_not_depend_on_batches_or_their_order(name, people, targets_of):
    loss, ids = TABLES[name], people.ids()
    whole = targets_of(loss, people, ids).distribution
    for turned in itertools.islice(itertools.permutations(ids, 3), 0, None, 37):
        assert torch.equal(targets_of(loss, people, turned).distribution, whole[list(turned)])


@pytest.mark.parametrize("name", TABLES)
def test_images_stay_as_they_are_and_targets_have_their_type(name, people, batch_of):
    batch = batch_of(people, (3, 1))
    batch = dataclasses.replace(batch, images=batch.images.float())
    targets = TABLES[name].targets(batch, classes=3, epoch=0, generator=generator(0))
    assert targets.images is batch.images
    assert targets.distribution.dtype == torch.float32
    assert targets.source == people


@pytest.mark.parametrize("name", LOSSES)
def test_a_further_set_has_its_own_people_or_none(name, people, targets_of):
    loss = LOSSES[name]
    loss.check(people)
    strict = Judged(("cat", "dog", "car"), counts=((9, 0, 0),) * 3, truth=(0, 1, 2))
    if not isinstance(loss, Mixup):
        others = targets_of(loss, ImageSet(strict, "test"), (0, 1))
        assert others.distribution[0].tolist() == [1.0, 0.0, 0.0]
    unjudged = ImageSet(Stripes(), "train")
    batch = Batch(torch.zeros(1, 3, 4, 4), (0,), torch.tensor([0]), unjudged)
    with pytest.raises(MismatchError) as refused:
        loss.targets(batch, classes=3, epoch=0, generator=generator(0))
    own = loss.of.name if isinstance(loss, Mixup) else loss.name
    assert str(refused.value) == (
        f"loss {own!r} needs human labels, and dataset 'stripes' has none; give one that has, such "
        "as cifar10h or toybirds, whose annotators are simulated"
    )


def test_class_rows_are_those_of_the_training_images_of_each_fold(people):
    folds = Folds(people, 2)
    parts = [folds.training(fold) for fold in range(2)]
    own, paper = ClassHumanLabels(), ClassHumanLabels("paper")
    for part in parts:
        expected = torch.tensor(slow_means(part), dtype=torch.float64)
        assert torch.allclose(own.distributions(part), expected, atol=1e-14)
        assert torch.equal(paper.rows(part), own.rows(people))
    assert not torch.allclose(own.rows(parts[0]), own.rows(parts[1]))


def test_class_rows_are_those_of_ihl_where_all_images_have_as_many_judges():
    images = tiny_images()
    expected = InstanceLevelLabels(images.dataset, "test").matrix(images.dataset)
    assert torch.allclose(ClassHumanLabels().rows(images), expected, atol=1e-14)


def test_images_with_more_judges_count_no_more(people):
    rows = ClassHumanLabels().rows(people)
    expected = [(0 + 0.05 + 0) / 3, (0 + 0.05 + 0.2) / 3]  # of images 4, 5 and 7
    assert rows[2, :2].tolist() == pytest.approx(expected)
    sums = InstanceLevelLabels(people.dataset, "test").matrix(people.dataset)
    assert sums[2, :2].tolist() == pytest.approx([1 / 37, 3 / 37])


def test_a_class_without_images_is_named_before_anything_is_trained():
    dataset = Judged(("cat", "dog", "car"), counts=((1, 0, 0), (0, 1, 0)), truth=(0, 1))
    with pytest.raises(MismatchError) as refused:
        ClassHumanLabels().check(ImageSet(dataset, "test"))
    assert str(refused.value) == (
        "loss 'class-human-labels': dataset 'named' has no image of 'car'; take fewer folds or "
        "other images"
    )
    few = Judged(("cat", "dog"), counts=((1, 0), (0, 1), (1, 1)), truth=(0, 1, 1))
    part = Folds(ImageSet(few, "test"), 2)
    with pytest.raises(MismatchError, match=r"has no image of 'cat', in this part of split 'test'"):
        [ClassHumanLabels().check(part.training(fold)) for fold in range(2)]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (((1, 0, 0), (0, 0, 0)), "nobody labelled image 1, the first of 1 such"),
        (((1, 0, 0), (2, -1, 0)), "negative counts for image 1, the first of 1 such"),
        (((1, 0), (0, 1)), "are 2 × 2 counts, but there are 3 classes"),
    ],
)
def test_what_people_cannot_have_said_is_refused(name, counts, message):
    dataset = Judged(("cat", "dog", "car"), counts=counts, truth=(0, 1))
    with pytest.raises(MismatchError) as refused:
        LOSSES[name].check(ImageSet(dataset, "test"))
    assert message in str(refused.value)
    assert "human labels of dataset" in str(refused.value)


@pytest.mark.parametrize("name", LOSSES)
def test_images_that_the_set_does_not_have_are_refused(name, people):
    part = Folds(people, 2).training(0)
    stranger = next(image for image in people.ids() if image not in part.ids())
    batch = Batch(torch.zeros(1, 3, 4, 4), (stranger,), torch.tensor([0]), part)
    with pytest.raises(MismatchError, match=f"image {stranger} is none of those that the batch"):
        LOSSES[name].targets(batch, classes=3, epoch=0, generator=generator(0))


def test_images_from_nowhere_are_refused(people, batch_of):
    batch = batch_of(people, (0,), source=False)
    with pytest.raises(MismatchError, match="these images are of none; give the batch its"):
        ImageHumanLabels().targets(batch, classes=3, epoch=0, generator=generator(0))


def test_counts_are_asked_for_once_for_all_folds(people, targets_of, monkeypatch):
    asked = []
    counts = Judged.label_counts
    monkeypatch.setattr(
        Judged, "label_counts", lambda self, ids: asked.append(ids) or counts(self, ids)
    )
    fresh = ImageSet(dataclasses.replace(people.dataset, classes=("cow", "dog", "car")), "test")
    folds = Folds(fresh, 2)
    for loss, fold in itertools.product((ImageHumanLabels(), ClassHumanLabels()), range(2)):
        part = folds.training(fold)
        loss.check(part)
        targets_of(loss, part, part.ids()[:2])
    assert len(asked) == 1


def test_distillation_has_the_probabilities_of_the_file(people, targets_of, probability_file):
    labels = people.dataset.labels(people.ids()).numpy()
    loss = Distillation(probability_file(probabilities=PROBABILITIES, labels=labels))
    targets = targets_of(loss, people, (3, 0)).distribution
    assert torch.allclose(targets, torch.from_numpy(PROBABILITIES[[3, 0]]))
    flat = Distillation(loss.predictions, temperature=2.0).distributions(people)
    roots = np.sqrt(PROBABILITIES)
    np.testing.assert_allclose(flat, roots / roots.sum(1, keepdims=True), atol=1e-12)


def test_distillation_from_logits_divides_them_by_the_temperature(people, probability_file):
    logits = np.random.default_rng(0).normal(size=(8, 3))
    loss = Distillation(probability_file(logits=logits, ids=np.arange(8)), temperature=3.0)
    expected = np.exp(logits / 3) / np.exp(logits / 3).sum(1, keepdims=True)
    np.testing.assert_allclose(loss.distributions(people), expected, atol=1e-12)


def test_distillation_of_a_fold_takes_the_rows_of_its_images(people, probability_file):
    turn = np.random.default_rng(0).permutation(8)
    file = probability_file(probabilities=PROBABILITIES[turn], ids=np.arange(8)[turn])
    part = Folds(people, 2).training(1)
    expected = PROBABILITIES[list(part.ids())]
    np.testing.assert_allclose(Distillation(file).distributions(part), expected, atol=1e-12)


def test_classes_of_a_file_are_matched_by_name(people, probability_file):
    turned = {"probabilities": PROBABILITIES[:, ::-1], "class_names": ["car", "dog", "cat"]}
    rows = Distillation(probability_file(**turned)).distributions(people)
    np.testing.assert_allclose(rows, PROBABILITIES, atol=1e-12)
    strange = Distillation(probability_file(**turned | {"class_names": ["car", "dog", "cow"]}))
    with pytest.raises(UsageError, match=r"unknown class in .*probabilities\.npz 'cow'"):
        strange.check(people)


def test_the_content_of_the_file_and_not_its_place_identifies_the_loss(tmp_path):
    for name, first in (("a", 0.5), ("b", 0.5), ("c", 0.25)):
        np.savez(tmp_path / f"{name}.npz", probabilities=np.array([[first, 1 - first]]))
    same, copied, other = (
        Distillation(str(tmp_path / f"{name}.npz")).parameters() for name in "abc"
    )
    assert same == copied != other
    assert str(tmp_path) not in str(same)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"probabilities": PROBABILITIES[:5]}, "probabilities is of 5 images, but split 'test'"),
        ({"probabilities": 2 * PROBABILITIES}, r"probabilities\[0\] are no probabilities"),
        ({"probabilities": PROBABILITIES[:, :2]}, "has 2 columns, but there are 3 classes"),
        ({"predicted": np.zeros(8, int)}, "holds predicted classes alone; targets need"),
        (
            {"probabilities": PROBABILITIES, "labels": np.zeros(8, int)},
            "5 of 8 labels are not those of split 'test'",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused_before_anything_is_trained(
    people, probability_file, arrays, message
):
    file = probability_file(**arrays)
    for loss in (Distillation(file), MostUncertain(by="network", predictions=file)):
        with pytest.raises(MismatchError, match=message) as refused:
            loss.check(people)
        assert file in str(refused.value)


def test_a_file_that_is_not_there_is_refused(people, tmp_path):
    with pytest.raises(UsageError, match=r"none\.npz cannot be read as predictions"):
        Distillation(str(tmp_path / "none.npz")).check(people)


def test_a_file_that_changes_changes_the_targets(people, targets_of, probability_file):
    loss = Distillation(probability_file(probabilities=PROBABILITIES))
    targets_of(loss, people, (0,))
    probability_file(probabilities=PROBABILITIES[:, ::-1], labels=np.array(people.dataset.truth))
    assert targets_of(loss, people, (0,)).distribution[0].tolist() == [0.25, 0.25, 0.5]


def test_the_most_uncertain_by_people_have_human_labels_and_others_their_label(people):
    rows = MostUncertain(share=0.25).distributions(people)  # images 1 and 2 of 8
    human, labels = slow_rows(people), people.dataset.truth
    for image, row in enumerate(rows.tolist()):
        expected = (
            human[image] if image in (1, 2) else [float(k == labels[image]) for k in range(3)]
        )
        assert row == expected


def test_the_most_uncertain_by_a_network_are_those_of_its_file(people, probability_file):
    file = probability_file(probabilities=PROBABILITIES)
    rows = MostUncertain(0.25, "network", file).distributions(people)  # images 0 and 4
    certain = MostUncertain(0.0).distributions(people)
    changed = (rows != certain).any(dim=1).nonzero().flatten().tolist()
    assert changed == [0, 4]
    assert rows[[0, 4]].tolist() == [slow_rows(people)[image] for image in (0, 4)]


def test_shares_reach_from_the_label_to_all_human_labels(people, targets_of):
    whole = targets_of(MostUncertain(1.0), people, people.ids())
    human = targets_of(ImageHumanLabels(), people, people.ids())
    assert torch.equal(whole.distribution, human.distribution)
    none = targets_of(MostUncertain(0.0), people, people.ids())
    labels = targets_of(CrossEntropy(), people, people.ids())
    assert torch.equal(none.distribution, labels.distribution)


def test_the_share_is_of_the_training_images_of_each_fold(people):
    folds = Folds(people, 2)
    for fold in range(2):
        part = folds.training(fold)
        rows = MostUncertain(0.5).distributions(part)
        entropies = [-sum(p * math.log(p) for p in row if p) for row in slow_rows(part)]
        order = sorted(zip([-e for e in entropies], part.ids(), strict=True))
        chosen = {image for _, image in order[: len(order) // 2]}
        human = torch.tensor(slow_rows(part), dtype=torch.float64)
        for image, row, own in zip(part.ids(), rows, human, strict=True):
            assert torch.equal(row, own) == (image in chosen or float(own.max()) == 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MostUncertain(1.5), "share is 1.5; it needs 0 <= share <= 1"),
        (lambda: MostUncertain(by="network"), "by is 'network' and predictions ''"),
        (lambda: MostUncertain(predictions="a.npz"), "by is 'people' and predictions 'a.npz'"),
        (lambda: Distillation("a.npz", 0.0), "temperature is 0.0; it needs a finite number"),
        (lambda: Distillation("a.npz", math.inf), "temperature is inf; it needs a finite number"),
    ],
)
def test_impossible_values_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_losses_that_read_files_keep_the_contract_of_their_kind(probability_file):
    rows = torch.full((20, 5), 0.2).numpy()
    file = probability_file(probabilities=rows)
    check_component(Distillation(file, temperature=2.0))
    check_component(MostUncertain(by="network", predictions=file))
