import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xbench_study.kernels.class_degrees import class_degrees
from xbench_study.kernels.label_counts import label_counts
from xbench_study.kernels.mistake_ratings import rank_correlation, rated_mistakes

NAN = float("nan")
RATED = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([0.0, 1.0, 4.0, NAN])),
    min_size=1,
)


def slow_means(rows):
    of = {}
    for a, b, degree in rows:
        if not np.isnan(degree):
            of.setdefault((a, b), []).append(degree)
    return {key: sum(values) / len(values) for key, values in of.items()}


@given(RATED)
def test_means_of_mistakes_are_those_of_a_loop_and_cannot_tell_is_in_none(rows):
    images, classifiers, degrees = (np.array(column) for column in zip(*rows, strict=True))
    found = rated_mistakes(images + 100, classifiers, degrees, 3)
    expected = slow_means(rows)
    for row, image in enumerate(found.images.tolist()):
        for classifier in range(3):
            value = expected.get((image - 100, classifier), NAN)
            assert found.degrees[row, classifier] == pytest.approx(value, nan_ok=True)
    assert found.ratings.sum() == np.isfinite(degrees).sum()


@given(RATED)
def test_degrees_between_classes_are_those_of_a_loop(rows):
    true, predicted, degrees = (np.array(column) for column in zip(*rows, strict=True))
    found = class_degrees(true, predicted, degrees, classes=4, highest=4)
    expected = slow_means(rows)
    for (row, column), value in np.ndenumerate(found.means):
        wanted = 4 if row == column else expected.get((row, column), NAN)
        assert value == pytest.approx(wanted, nan_ok=True)


def test_degrees_have_a_direction():
    found = class_degrees(np.array([0]), np.array([1]), np.array([3.0]), classes=2, highest=4)
    assert found.means[0].tolist() == [4, 3]
    assert np.isnan(found.means[1, 0])
    assert found.ratings.tolist() == [[0, 1], [0, 0]]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=15))
def test_rank_correlation_is_that_of_scipy(pairs):
    a, b = np.array(pairs, dtype=float).T
    ours = rank_correlation(np.append(a, NAN), np.append(b, 1.0))
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)


def test_two_values_are_needed_for_a_correlation():
    assert np.isnan(rank_correlation(np.array([1.0]), np.array([2.0])))


def test_labels_are_counted_for_each_image_in_its_order():
    images, labels = np.array([7, 5, 7, 7, 8, 5]), np.array([1, 0, 1, 2, 1, -1])
    counts = label_counts(images, labels, [5, 6, 7], 3)
    assert counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 2, 1]]
