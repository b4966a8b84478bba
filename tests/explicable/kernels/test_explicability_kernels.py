"""Points for the nearest mistake: against plain loops, and by their properties."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench_explicable.kernels.explicability import (
    TIE,
    Pair,
    chances,
    hard_points,
    nearest,
    order,
    pair_counts,
    soft_points,
    wrong_class_mean_and_max,
)


def slow_winners(column) -> list[int]:
    """Places of the classifiers that reach the largest similarity, one by one."""
    best = max(column)
    return [place for place, value in enumerate(column) if value == best]


def slow_points(similarities) -> tuple[np.ndarray, np.ndarray]:
    """The paper's hard and soft scores, image by image."""
    hard, soft = np.zeros(similarities.shape), np.zeros(similarities.shape)
    for image, column in enumerate(similarities.T):
        winners = slow_winners(column.tolist())
        for place in winners:
            soft[place, image] = 1 / len(winners)
        if len(winners) == 1:
            hard[winners[0], image] = 1
    return hard, soft


def slow_chances(matrix, labels, predicted, place) -> tuple[list[Fraction], list[Fraction]]:
    """Mean points of a classifier over all wrong classes that it might predict."""
    hard, soft = [], []
    for image, true in enumerate(labels):
        classes = [c for c in range(len(matrix)) if c != true]
        points = []
        for c in classes:
            column = [matrix[true][classes_of[image]] for classes_of in predicted]
            column[place] = matrix[true][c]
            winners = slow_winners(column)
            won = place in winners
            points.append((won and len(winners) == 1, Fraction(won, len(winners))))
        hard.append(Fraction(sum(h for h, _ in points), len(classes)))
        soft.append(sum((s for _, s in points), Fraction(0)) / len(classes))
    return hard, soft


def random_mistakes(
    seed: int, classes: int = 5, classifiers: int = 3, images: int = 40, levels: int = 4
):
    """A matrix with many ties, and classifiers that are wrong in all images."""
    source = np.random.default_rng(seed)
    matrix = source.integers(0, levels, (classes, classes)) / 7
    labels = source.integers(0, classes, images)
    shift = source.integers(1, classes, (classifiers, images))
    return matrix, labels, (labels + shift) % classes


@st.composite
def mistakes(draw):
    sizes = {
        "classes": draw(st.integers(2, 7)),
        "classifiers": draw(st.integers(2, 5)),
        "images": draw(st.integers(1, 12)),
        "levels": draw(st.integers(1, 5)),
    }
    return random_mistakes(draw(st.integers(0, 10**6)), **sizes)


def similarities_of(case) -> np.ndarray:
    matrix, labels, predicted = case
    return matrix[labels, predicted]


@given(mistakes())
def test_points_equal_those_of_plain_loops(case) -> None:
    similarities = similarities_of(case)
    hard, soft = slow_points(similarities)
    np.testing.assert_array_equal(hard_points(similarities), hard)
    np.testing.assert_array_equal(soft_points(similarities), soft)


@given(mistakes())
def test_every_image_gives_one_soft_point_and_no_hard_one_more(case) -> None:
    similarities = similarities_of(case)
    np.testing.assert_allclose(soft_points(similarities).sum(0), 1, rtol=1e-12)
    assert (hard_points(similarities) <= soft_points(similarities)).all()
    assert set(hard_points(similarities).sum(0)) <= {0.0, 1.0}


@given(mistakes(), st.randoms(use_true_random=False))
def test_the_order_of_classifiers_does_not_matter(case, random) -> None:
    similarities = similarities_of(case)
    turn = list(range(len(similarities)))
    random.shuffle(turn)
    for points in (hard_points, soft_points):
        np.testing.assert_array_equal(points(similarities[turn]), points(similarities)[turn])


@given(mistakes())
def test_a_copy_takes_all_hard_points_and_its_part_of_the_soft_ones(case) -> None:
    similarities = similarities_of(case)
    copied = np.vstack([similarities, similarities[:1]])
    assert not hard_points(copied)[[0, -1]].any()
    np.testing.assert_array_equal(soft_points(copied)[0], soft_points(copied)[-1])
    winners = nearest(similarities).sum(0) * nearest(similarities)[0]
    expected = np.divide(1, winners + 1, out=np.zeros(len(winners)), where=winners > 0)
    np.testing.assert_allclose(soft_points(copied)[0], expected)


@given(mistakes(), st.floats(1e-6, 1e6))
def test_the_scale_of_similarities_does_not_matter(case, scale: float) -> None:
    similarities = similarities_of(case)
    np.testing.assert_array_equal(soft_points(similarities * scale), soft_points(similarities))


@given(mistakes())
def test_chances_are_means_over_all_wrong_classes(case) -> None:
    matrix, labels, predicted = case
    ranks = order(matrix)
    wrong = np.full(len(labels), len(matrix) - 1)
    fast = chances(
        similarities_of(case),
        ranks.closer[labels, predicted],
        ranks.level[labels, predicted],
        wrong,
    )
    for place in range(len(predicted)):
        hard, soft = slow_chances(matrix.tolist(), labels, predicted, place)
        np.testing.assert_allclose(fast.hard[place], np.array(hard, float), atol=1e-12)
        np.testing.assert_allclose(fast.soft[place], np.array(soft, float), atol=1e-12)


@given(mistakes())
def test_the_order_of_wrong_classes_is_counted_class_by_class(case) -> None:
    matrix, _, _ = case
    ranks = order(matrix)
    for true, row in enumerate(matrix):
        wrong = [c for c in range(len(row)) if c != true]
        for c in wrong:
            assert ranks.closer[true, c] == sum(row[d] > row[c] for d in wrong)
            assert ranks.level[true, c] == sum(row[d] == row[c] for d in wrong)


@given(mistakes())
def test_pairs_are_counted_image_by_image_and_turn_around(case) -> None:
    matrix, labels, predicted = case
    predictions, similarities = predicted[:2], similarities_of(case)[:2]
    slow = {"same": 0, "closer": 0, "farther": 0, "level": 0}
    for true, a, b in zip(labels, *predictions, strict=True):
        if a == b:
            slow["same"] += 1
        elif matrix[true][a] == matrix[true][b]:
            slow["level"] += 1
        else:
            slow["closer" if matrix[true][a] > matrix[true][b] else "farther"] += 1
    fast = pair_counts(predictions, similarities)
    assert fast == Pair(**slow)
    assert fast.images == len(labels)
    turned = pair_counts(predictions[::-1].copy(), similarities[::-1].copy())
    assert turned == Pair(fast.same, fast.farther, fast.closer, fast.level)


@pytest.mark.parametrize(("gap", "tie"), [(TIE / 2, True), (3 * TIE, False)])
def test_a_tie_is_a_relative_difference_below_a_billionth(gap: float, tie: bool) -> None:
    for scale in (1e-4, 1.0, 3e5):
        similarities = scale * np.array([[1.0], [1.0 - gap]])
        assert hard_points(similarities).sum() == (0 if tie else 1)
        assert soft_points(similarities)[1, 0] == (0.5 if tie else 0)
        row = scale * np.array([[9.0, 1.0, 1.0 - gap]])
        ranks = order(np.vstack([row, row, row]))
        assert ranks.closer[0, 2] == (0 if tie else 1)
        assert ranks.level[0].tolist()[1:] == ([2, 2] if tie else [1, 1])


def test_two_classes_leave_one_mistake_and_nothing_to_choose() -> None:
    matrix = np.array([[0.7, 0.3], [0.4, 0.6]])
    labels = np.array([0, 1, 1])
    predicted = np.stack([1 - labels] * 3)
    similarities = matrix[labels, predicted]
    assert not hard_points(similarities).any()
    np.testing.assert_allclose(soft_points(similarities), 1 / 3)
    ranks = order(matrix)
    expected = chances(
        similarities,
        ranks.closer[labels, predicted],
        ranks.level[labels, predicted],
        np.array([1, 1, 1]),
    )
    np.testing.assert_allclose(expected.soft, 1 / 3)
    assert not expected.hard.any()


def test_classes_that_are_all_unlike_tie() -> None:
    similarities = np.zeros((3, 2))
    assert not hard_points(similarities).any()
    np.testing.assert_allclose(soft_points(similarities), 1 / 3)


def test_chance_and_best_of_wrong_classes() -> None:
    mean, best = wrong_class_mean_and_max(np.array([[9.0, 1, 3], [0, 9, 0], [2, 2, 0]]))
    assert mean.tolist() == [2, 0, 2]
    assert best.tolist() == [3, 0, 2]


def test_one_class_alone_has_no_wrong_ones() -> None:
    mean, best = wrong_class_mean_and_max(np.ones((1, 1)))
    assert np.isnan([*mean, *best]).all()
