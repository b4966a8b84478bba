"""The weighted loss as eq. (1) of the paper has it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import Batch, MismatchError, Similarity, generator, normalised_similarity
from xbench.testing import CLASSES, check_component, tiny_batch, tiny_images
from xbench_datasets.cifar.cifar10h import Cifar10h
from xbench_datasets.packed.dataset import PackedImages
from xbench_explicable.kernels.targets import entropies, soft_labels, softmax_rows
from xbench_explicable.losses.weighted import WeightedLoss
from xbench_explicable.similarities.existing_knowledge import ExistingKnowledge
from xbench_explicable.similarities.human_labels import InstanceLevelLabels
from xbench_explicable.similarities.mean import MeanSimilarity
from xbench_explicable.similarities.similarity_table import SimilarityTable, table_text
from xbench_zoo.losses import CrossEntropy

OPTIONS = {"classes": CLASSES, "epoch": 0, "generator": generator(0)}
PLAIN = (
    (4.0, 3.0, 1.0, 0.0, 0.0),
    (2.0, 4.0, 1.0, 0.5, 0.0),
    (1.0, 1.0, 4.0, 0.0, 0.25),
    (0.0, 0.0, 0.0, 4.0, 3.5),
    (0.0, 0.5, 0.0, 3.0, 4.0),
)


@dataclass(frozen=True)
class Given(Similarity):
    """The matrix that is given."""

    name: ClassVar[str] = "given"

    rows: tuple[tuple[float, ...], ...] = PLAIN

    def matrix(self, dataset):
        COUNTED.append(self)
        return torch.tensor(self.rows, dtype=torch.float64)


COUNTED = []
"""Every time a matrix was made."""


def batch_of(labels, source=True):
    images = torch.zeros(len(labels), 3, 16, 16, dtype=torch.float64)
    where = tiny_images() if source else None
    return Batch(images, tuple(range(len(labels))), torch.tensor(labels), where)


def loss_of(loss, logits, labels):
    return loss.score(logits, loss.targets(batch_of(labels), **OPTIONS))


def slow_loss(rows, preset, scale, logits, labels):
    """L(W_i, p), image by image and class by class."""
    total = 0.0
    for values, label in zip(logits.tolist(), labels, strict=True):
        weights = list(rows[label])
        if preset == "softmax":
            weights = [math.exp(scale * weight) for weight in weights]
        weights = [weight / sum(weights) for weight in weights]
        normaliser = sum(math.exp(value) for value in values)
        for weight, value in zip(weights, values, strict=True):
            total -= weight * math.log(math.exp(value) / normaliser)
    return total / len(labels)


logits_and_labels = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(
            st.lists(st.floats(-20, 20), min_size=CLASSES, max_size=CLASSES),
            min_size=n,
            max_size=n,
        ),
        st.lists(st.integers(0, CLASSES - 1), min_size=n, max_size=n),
    )
)
matrices = st.lists(
    st.lists(st.floats(0, 8), min_size=CLASSES, max_size=CLASSES),
    min_size=CLASSES,
    max_size=CLASSES,
).map(lambda rows: tuple(tuple(row) for row in rows))


@pytest.mark.parametrize(("preset", "scale"), [("normalised", 1.0), ("softmax", 2.5)])
@given(given_=logits_and_labels, rows=matrices)
def test_the_loss_equals_the_slow_loop(preset, scale, given_, rows):
    rows = tuple((row[0] + 0.1, *row[1:]) for row in rows)  # no row of zeros
    logits, labels = torch.tensor(given_[0], dtype=torch.float64), given_[1]
    loss = loss_of(WeightedLoss(Given(rows), preset, scale), logits, labels)
    assert float(loss) == pytest.approx(slow_loss(rows, preset, scale, logits, labels), 1e-9)


def test_the_softmax_takes_rows_as_they_come_and_not_their_shares():
    rows = WeightedLoss(Given(), "softmax").rows(tiny_images().dataset)
    expected = [math.exp(weight) for weight in PLAIN[0]]
    assert rows[0].tolist() == pytest.approx([value / sum(expected) for value in expected], 1e-12)


def test_the_identity_gives_cross_entropy_exactly():
    identity = tuple(tuple(float(a == b) for b in range(CLASSES)) for a in range(CLASSES))
    logits = torch.randn(6, CLASSES, generator=generator("logits"), dtype=torch.float64)
    labels = [0, 1, 2, 3, 4, 4]
    weighted = loss_of(WeightedLoss(Given(identity)), logits, labels)
    assert torch.equal(weighted, loss_of(CrossEntropy(), logits, labels))


def test_a_large_scale_approaches_the_label_and_none_makes_all_classes_equal():
    dataset = tiny_images().dataset
    assert torch.equal(
        WeightedLoss(Given(), "softmax", 1e5).rows(dataset).round(decimals=6),
        torch.eye(CLASSES, dtype=torch.float64),
    )
    flat = WeightedLoss(Given(), "softmax", 0.0).rows(dataset)
    assert torch.allclose(flat, torch.full_like(flat, 1 / CLASSES))


@given(given_=logits_and_labels)
def test_multiplying_a_row_changes_nothing_where_rows_are_normalised(given_):
    logits, labels = torch.tensor(given_[0], dtype=torch.float64), given_[1]
    scaled = tuple(tuple(3.0 * weight for weight in row) for row in PLAIN)
    plain_loss, scaled_loss = (
        loss_of(WeightedLoss(Given(rows)), logits, labels) for rows in (PLAIN, scaled)
    )
    assert float(plain_loss) == pytest.approx(float(scaled_loss), 1e-12)


@given(given_=logits_and_labels, order=st.permutations(range(CLASSES)))
def test_permuting_classes_changes_nothing(given_, order):
    logits, labels = torch.tensor(given_[0], dtype=torch.float64), given_[1]
    rows = tuple(tuple(PLAIN[a][b] for b in order) for a in order)
    plain_loss = loss_of(WeightedLoss(Given()), logits, labels)
    permuted_loss = loss_of(
        WeightedLoss(Given(rows)), logits[:, order], [order.index(i) for i in labels]
    )
    assert float(plain_loss) == pytest.approx(float(permuted_loss), 1e-12)


def test_scores_are_linear_in_targets_so_mixed_targets_have_the_mixed_score():
    loss = WeightedLoss(Given())
    logits = torch.randn(1, CLASSES, generator=generator("logits"), dtype=torch.float64)
    first, second = (loss.targets(batch_of([label]), **OPTIONS) for label in (0, 3))
    mixed = first._replace(distribution=0.3 * first.distribution + 0.7 * second.distribution)
    expected = 0.3 * loss.score(logits, first) + 0.7 * loss.score(logits, second)
    assert float(loss.score(logits, mixed)) == pytest.approx(float(expected), 1e-12)


def test_the_gradient_is_the_prediction_minus_the_target():
    logits = torch.randn(3, CLASSES, generator=generator("logits"), dtype=torch.float64)
    logits.requires_grad_()
    loss = WeightedLoss(Given())
    targets = loss.targets(batch_of([0, 1, 4]), **OPTIONS)
    (gradient,) = torch.autograd.grad(loss.score(logits, targets), logits)
    assert torch.allclose(gradient, (logits.softmax(1) - targets.distribution) / 3)


def test_the_loss_stays_finite_where_probabilities_underflow():
    logits = torch.tensor([[1000.0, -1000, 0, 0, 0]], dtype=torch.float64, requires_grad=True)
    loss = loss_of(WeightedLoss(Given()), logits, [1])
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_targets_have_the_type_of_the_images():
    made = WeightedLoss(Given()).targets(
        Batch(torch.zeros(1, 3, 2, 2), (0,), torch.tensor([1]), tiny_images()), **OPTIONS
    )
    assert made.distribution.dtype == torch.float32
    assert made.source == tiny_images()


def test_the_matrix_is_made_once_for_a_dataset():
    loss = WeightedLoss(Given(tuple((*row[:4], row[4] + 0.125) for row in PLAIN)))
    COUNTED.clear()
    for _ in range(3):
        loss.check(tiny_images())
        loss.targets(tiny_batch_of_a_source(), **OPTIONS)
    assert len(COUNTED) == 1


def test_rows_follow_the_file_they_come_from(tmp_path):
    names, file = tiny_images().dataset.class_names(), tmp_path / "s.csv"
    loss = WeightedLoss(SimilarityTable(str(file)))
    for matrix in (torch.eye(CLASSES).double(), torch.ones(CLASSES, CLASSES).double()):
        file.write_text(table_text(matrix + 0.5, names) + "\n" * int(matrix.sum()))
        assert torch.equal(loss.rows(tiny_images().dataset), normalised_similarity(matrix + 0.5))
        made = loss.targets(tiny_batch_of_a_source(), **OPTIONS)
        assert made.distribution.max() == pytest.approx(
            float(normalised_similarity(matrix + 0.5).max())
        )


def tiny_batch_of_a_source():
    batch = tiny_batch()
    return Batch(batch.images, batch.ids, batch.labels, tiny_images())


@pytest.mark.parametrize("preset", ["normalised", "softmax"])
def test_the_loss_keeps_the_contract_of_its_kind(preset):
    check_component(WeightedLoss(Given(), preset))


def test_images_from_nowhere_are_refused():
    with pytest.raises(MismatchError) as refused:
        WeightedLoss(Given()).targets(batch_of([0], source=False), **OPTIONS)
    assert str(refused.value) == (
        "loss 'weighted' asks a dataset about its classes, and these images are of none; "
        "give the batch its `source`"
    )


def test_another_number_of_classes_is_refused():
    with pytest.raises(MismatchError) as refused:
        WeightedLoss(Given()).targets(batch_of([0]), **{**OPTIONS, "classes": 7})
    assert str(refused.value) == (
        "loss 'weighted': dataset 'tiny' has 5 classes, but targets of 7 are asked for"
    )


def replaced(row, column, value):
    rows = [list(one) for one in PLAIN]
    rows[row][column] = value
    return tuple(map(tuple, rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (PLAIN[:4], "is 4 × 5, but there are 5 classes; it needs one row and one column"),
        (replaced(1, 2, math.nan), "'dog' (true) and 'horse' (predicted) is no number: nan"),
        (replaced(0, 4, -0.5), "'cat' (true) and 'truck' (predicted) is negative: -0.5"),
        ((*PLAIN[:4], (0.0,) * 5), "the row of 'truck' is all zeros"),
    ],
)
@pytest.mark.parametrize("preset", ["normalised", "softmax"])
def test_what_is_no_similarity_is_refused_before_anything_is_trained(preset, rows, message):
    with pytest.raises(MismatchError) as refused:
        WeightedLoss(Given(rows), preset).check(tiny_images())
    assert str(refused.value).startswith("similarity 'given' of dataset 'tiny'")
    assert message in str(refused.value)


@pytest.mark.parametrize("scale", [-1.0, math.inf, math.nan])
def test_a_scale_is_a_finite_number_and_not_negative(scale):
    with pytest.raises(ValueError, match="needs a finite number of at least 0"):
        WeightedLoss(Given(), "softmax", scale)


def test_only_the_softmax_has_a_scale():
    with pytest.raises(ValueError, match=r'scale is 2.0; only preset = "softmax" has a scale'):
        WeightedLoss(Given(), "normalised", 2.0)


@given(rows=matrices, scale=st.floats(0, 50))
def test_targets_are_distributions_in_the_order_of_their_row(rows, scale):
    matrix = torch.tensor(rows, dtype=torch.float64)
    for made in (softmax_rows(matrix, scale), soft_labels(8 - matrix, scale)):
        assert torch.allclose(made.sum(1), torch.ones(CLASSES, dtype=torch.float64))
        order = matrix.argsort(dim=1)
        assert (made.gather(1, order).diff(dim=1) >= -1e-15).all()


@given(rows=matrices)
def test_entropies_equal_the_slow_loop(rows):
    made = softmax_rows(torch.tensor(rows, dtype=torch.float64), 3.0)
    slow = [-sum(p * math.log(p) for p in row if p) for row in made.tolist()]
    assert entropies(made).tolist() == pytest.approx(slow, abs=1e-12)


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.mark.realdata
def test_targets_of_the_papers_similarities_are_those_of_the_authors_code(realdata):
    """Diagonals and entropies at scale 1; the authors normalise EKL's rows beforehand."""
    images = PackedImages(str(realdata / "cifar10"), ("test=test_jpeg.npz",), CIFAR10)
    counts = str(realdata / "cifar10h" / "cifar10h-counts.npy")
    people = InstanceLevelLabels(Cifar10h(images, counts))
    nouns = MeanSimilarity((ExistingKnowledge("official"),))
    for similarity, diagonal, entropy in ((people, 0.223, 2.238), (nouns, 0.151, 2.289)):
        rows = WeightedLoss(similarity, "softmax").rows(images)
        assert float(rows.diagonal().mean()) == pytest.approx(diagonal, abs=5e-4)
        assert float(entropies(rows).mean()) == pytest.approx(entropy, abs=5e-4)


@given(rows=matrices, scale=st.floats(0.1, 5))
def test_the_best_logits_under_the_softmax_differ_by_scaled_differences_of_the_row(rows, scale):
    """So the scale is the margin that a network learns for a class of no similarity."""
    targets = softmax_rows(torch.tensor(rows, dtype=torch.float64), scale)
    best = targets.log()  # the loss is smallest where the prediction is the target
    weights = torch.tensor(rows, dtype=torch.float64)
    margins = best[:, :1] - best
    assert torch.allclose(margins, scale * (weights[:, :1] - weights), atol=1e-9)


def test_the_entropy_of_a_certain_target_is_nothing():
    assert entropies(torch.eye(3)).tolist() == [0, 0, 0]
    assert float(entropies(torch.full((1, 8), 1 / 8))) == pytest.approx(math.log(8))
