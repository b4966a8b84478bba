import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench_study.kernels.accuracies import image_accuracies, paired_accuracies
from xbench_study.kernels.category_mix import category_mix, standardised_difference


def slow_accuracies(images, right):
    of = {}
    for image, value in zip(images, right, strict=True):
        if not np.isnan(value):
            of.setdefault(image, []).append(value)
    return {image: sum(values) / len(values) for image, values in of.items()}


ANSWERS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([0.0, 1.0, float("nan")])), min_size=1
)


@given(ANSWERS)
def test_accuracies_of_images_are_those_of_a_loop(answers):
    images, right = (np.array(column) for column in zip(*answers, strict=True))
    found = image_accuracies(images, right)
    expected = slow_accuracies(images.tolist(), right.tolist())
    assert dict(zip(found.images.tolist(), found.accuracies.tolist(), strict=True)) == (
        pytest.approx(expected, abs=1e-12)
    )
    assert found.answers.sum() == np.isfinite(right).sum()


def test_only_images_of_both_conditions_are_paired():
    first = image_accuracies(np.array([5, 5, 3, 9]), np.array([1.0, 0.0, 1.0, np.nan]))
    second = image_accuracies(np.array([9, 5, 4]), np.array([1.0, 1.0, 0.0]))
    paired = paired_accuracies(first, second)
    assert (paired.images, paired.first, paired.second) == ([5], [0.5], [1.0])


WITH, WITHOUT = [0.77, 0.83, 0.71, 0.54, 0.71], [0.76, 0.77, 0.87, 0.75, 0.78]
WITH_IMAGES, WITHOUT_IMAGES = [29, 23, 28, 15, 5], [25, 10, 47, 12, 6]


def test_the_published_difference_of_experiment_1_shrinks_at_the_mix_with_maps():
    means, without = np.array(WITH), np.array(WITHOUT)
    mix, other = (np.array(counts) / 100 for counts in (WITH_IMAGES, WITHOUT_IMAGES))
    assert means @ mix - without @ other == pytest.approx(-0.0832, abs=1e-9)
    assert standardised_difference(means, without, mix) == pytest.approx(-0.0631, abs=1e-9)


def test_a_mix_counts_images_not_answers():
    images = np.array([1, 1, 1, 2, 3, 4])
    categories = np.array([0, 0, 0, 1, 1, -1])
    np.testing.assert_allclose(category_mix(images, categories, 3), [1 / 3, 2 / 3, 0])
    assert np.isnan(category_mix(images, np.full(6, -1), 2)).all()


def test_equal_mixes_leave_the_difference_alone_and_unused_categories_need_no_mean():
    mix = np.array([0.5, 0.5, 0.0])
    a, b = np.array([0.2, 0.4, np.nan]), np.array([0.1, 0.1, 0.3])
    assert standardised_difference(a, b, mix) == pytest.approx(0.2)
    assert np.isnan(standardised_difference(a, b, np.array([0.5, 0.0, 0.5])))
