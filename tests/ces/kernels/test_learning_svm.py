"""The Gram matrix gives the hyperplane that a solver on the features gives, or a better one."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import SVC

from xbench_ces.kernels.svm import CHUNK, accuracy, gram, linear_svm, stratified_split

SEEDS = st.integers(0, 10_000)


def examples(seed, count=40, width=600, shift=0.4, mean=0.0):
    """Sparse positive features like activations; the positive examples are shifted in some."""
    source = torch.Generator().manual_seed(seed)
    features = torch.rand(count, width, generator=source)
    features *= torch.rand(width, generator=source) < 0.4
    labels = torch.arange(count) < count // 2
    features[labels, : width // 10] += shift
    return features + mean, labels


def on_features(features, labels, regularisation):
    return SVC(C=regularisation, kernel="linear").fit(
        features.double().numpy(), labels.numpy().astype(int)
    )


@pytest.mark.parametrize("regularisation", [1e-4, 1e-3, 1e-1, 10.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_direction_is_that_of_a_solver_on_the_features(seed, regularisation):
    features, labels = examples(seed)
    ours, theirs = (
        linear_svm(features, labels, regularisation),
        on_features(features, labels, regularisation),
    )
    other = torch.tensor(theirs.coef_[0])
    assert torch.cosine_similarity(ours.normal.double(), other, dim=0) > 0.9999
    assert float(ours.normal.double().norm()) == pytest.approx(float(other.norm()), rel=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=2e-3)
    held, kinds = examples(seed + 100)
    assert accuracy(ours, held, kinds) == theirs.score(held.double().numpy(), kinds.numpy())


def objective(w, b, features, labels, regularisation):
    """½‖w‖² + C Σ max(0, 1 − y (w·x + b)), in plain loops."""
    total = sum(float(x) ** 2 for x in w) / 2
    for row, label in zip(features.double(), labels.tolist(), strict=True):
        y = 1 if label else -1
        total += regularisation * max(0.0, 1 - y * (float(w @ row) + b))
    return total


@pytest.mark.parametrize("regularisation", [1e-3, 1e-1])
def test_no_step_in_any_direction_lowers_the_objective(regularisation):
    features, labels = examples(5, width=60)
    svm = linear_svm(features, labels, regularisation)
    w, b = svm.normal.double(), svm.intercept
    least = objective(w, b, features, labels, regularisation)
    source = torch.Generator().manual_seed(1)
    for _ in range(60):
        way = torch.randn(61, generator=source, dtype=torch.float64)
        for length in (1e-3, 1e-2, 0.1):
            moved = way * length * float(w.norm()) / float(way.norm())
            other = objective(
                w + moved[:60], b + float(moved[60]), features, labels, regularisation
            )
            assert other >= least * (1 - 1e-4)


def test_the_dual_gap_is_closed():
    """Σα − ½‖w‖² of the dual variables equals the primal objective at the optimum."""
    features, labels = examples(6, width=60)
    y = torch.where(labels, 1.0, -1.0).double()
    svm = linear_svm(features, labels, 1e-2)
    primal = objective(svm.normal.double(), svm.intercept, features, labels, 1e-2)
    solver = SVC(C=1e-2, kernel="precomputed").fit(
        gram(features, features.mean(0)).numpy(), labels.numpy()
    )
    alpha = torch.zeros(len(y), dtype=torch.float64)
    alpha[torch.tensor(solver.support_)] = torch.tensor(solver.dual_coef_[0])
    alpha *= y
    slow = sum(
        float(alpha[i] * alpha[j] * y[i] * y[j] * (features[i].double() @ features[j].double()))
        for i in range(len(y))
        for j in range(len(y))
    )
    assert float(alpha.sum()) - slow / 2 == pytest.approx(primal, rel=1e-3)
    assert torch.all((alpha >= 0) & (alpha <= 1e-2 + 1e-12))


@given(SEEDS, st.sampled_from([7, CHUNK, CHUNK + 3]))
def test_the_gram_matrix_is_that_of_the_examples_without_their_mean(seed, width):
    features = examples(seed, count=6, width=width)[0]
    centred = features.double() - features.double().mean(0)
    slow = torch.tensor([[float(a @ b) for a in centred] for b in centred], dtype=torch.float64)
    products = gram(features, features.mean(0))
    torch.testing.assert_close(products, slow, rtol=1e-5, atol=1e-4)


def test_the_gram_matrix_is_symmetric_where_a_matrix_product_is_not(monkeypatch):
    """Products are made uneven, for some processors round i·j and j·i alike."""
    product = torch.Tensor.__matmul__

    def uneven(one, other):
        products = product(one, other)
        return products + 1e-4 * products.triu(1)

    monkeypatch.setattr(torch.Tensor, "__matmul__", uneven)
    features = examples(0, count=6)[0]
    centred = features - features.mean(0)
    products = gram(features, features.mean(0))
    assert not torch.equal(centred @ centred.T, (centred @ centred.T).T)
    assert torch.equal(products, products.T)
    torch.testing.assert_close(products, product(centred, centred.T).double(), rtol=1e-3, atol=1e-3)


@given(SEEDS, st.sampled_from([-3.0, 10.0, 1000.0]))
def test_a_common_offset_changes_neither_direction_nor_distances(seed, mean):
    features, labels = examples(seed)
    plain, moved = linear_svm(features, labels, 1e-2), linear_svm(features + mean, labels, 1e-2)
    assert torch.cosine_similarity(plain.normal, moved.normal, dim=0) > 0.9999
    torch.testing.assert_close(plain.distances, moved.distances, rtol=1e-2, atol=1e-2)


@given(SEEDS)
def test_distances_are_those_of_the_examples_from_the_hyperplane(seed):
    features, labels = examples(seed)
    svm = linear_svm(features, labels, 1e-3)
    length = math.sqrt(sum(float(x) ** 2 for x in svm.normal))
    for row, distance in zip(features.double(), svm.distances.tolist(), strict=True):
        slow = (float(svm.normal.double() @ row) + svm.intercept) / length
        assert distance == pytest.approx(slow, abs=1e-4)
    assert svm.margin == max(svm.distances.tolist())


@given(SEEDS)
def test_exchanging_the_labels_turns_the_direction_round(seed):
    features, labels = examples(seed)
    svm, other = linear_svm(features, labels, 1e-2), linear_svm(features, ~labels, 1e-2)
    # the solver stops within 1e-3 of the optimum, from another side
    assert float((svm.normal + other.normal).norm()) < 3e-3 * float(svm.normal.norm())


@given(SEEDS)
def test_the_order_of_the_examples_changes_nothing(seed):
    features, labels = examples(seed)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    svm = linear_svm(features, labels, 1e-2)
    other = linear_svm(features[order], labels[order], 1e-2)
    assert torch.cosine_similarity(svm.normal, other.normal, dim=0) > 0.9999


def test_accuracy_counts_the_examples_on_their_own_side():
    features, labels = examples(3)
    svm = linear_svm(features, labels, 1e-2)
    correct = 0
    for row, label in zip(features.double(), labels.tolist(), strict=True):
        correct += ((float(svm.normal.double() @ row) + svm.intercept) > 0) == label
    assert accuracy(svm, features, labels) == correct / len(labels)
    assert accuracy(svm, features, labels) == 1.0
    assert accuracy(svm, features, ~labels) == 0.0


def test_equal_examples_have_no_direction():
    svm = linear_svm(torch.zeros(10, 5), torch.arange(10) < 5, 1e-3)
    assert torch.equal(svm.normal, torch.zeros(5))
    assert bool(svm.distances.isnan().all())


@given(st.integers(2, 60), st.integers(2, 60), st.floats(0.01, 0.99), SEEDS)
def test_a_split_holds_out_the_same_share_of_both_kinds(positive, negative, share, seed):
    labels = torch.arange(positive + negative) < positive
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    split = stratified_split(labels, share, torch.Generator().manual_seed(seed))
    assert sorted([*split.fitted.tolist(), *split.held_out.tolist()]) == list(range(len(labels)))
    for kind, count in ((True, positive), (False, negative)):
        held = int((labels[split.held_out] == kind).sum())
        assert 1 <= held < count
        assert abs(held - share * count) <= 1 or held in (1, count - 1)


def test_a_split_is_a_function_of_the_generator():
    labels = torch.arange(200) < 100
    splits = [
        stratified_split(labels, 0.25, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    ]
    assert torch.equal(splits[0].held_out, splits[1].held_out)
    assert not torch.equal(splits[0].held_out, splits[2].held_out)
    assert len(splits[0].held_out) == 50
    assert np.isin(splits[0].held_out[:25].numpy(), np.arange(100)).all()
