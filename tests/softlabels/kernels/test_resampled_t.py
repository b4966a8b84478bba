"""The corrected resampled t: by hand, against the plain test, and where folds do not differ."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from xbench_softlabels.kernels.resampled_t import corrected_reach, corrected_resampled_t


def test_it_is_the_formula_of_the_paper():
    differences = [0.1, 0.3, 0.2, 0.4]
    mean = sum(differences) / 4
    variance = sum((value - mean) ** 2 for value in differences) / 3
    expected = mean / math.sqrt((1 / 4 + 1 / 3) * variance)
    found = corrected_resampled_t(np.array(differences), 1 / 3)
    assert found.difference == pytest.approx(0.25)
    assert found.t == pytest.approx(expected)
    assert found.p == pytest.approx(2 * scipy.stats.t.sf(expected, 3))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=10, unique=True))
def test_without_shared_images_it_is_the_plain_test_and_with_them_it_doubts_more(values):
    differences = np.array(values)
    plain = scipy.stats.ttest_1samp(differences, 0)
    free, shared = (corrected_resampled_t(differences, share) for share in (0.0, 0.5))
    if differences.std() > 1e-9:
        assert free.t == pytest.approx(plain.statistic, abs=1e-9)
        assert free.p == pytest.approx(plain.pvalue, abs=1e-9)
        assert shared.p >= free.p - 1e-12


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=10, unique=True), st.floats(0.5, 0.99))
def test_the_interval_is_that_of_the_plain_test_and_leaves_out_0_where_p_is_small(values, level):
    differences = np.array(values)
    if differences.std() > 1e-9:
        plain = scipy.stats.ttest_1samp(differences, 0).confidence_interval(level)
        reach = corrected_reach(differences, 0.0, level)
        assert differences.mean() + reach == pytest.approx(plain.high, rel=1e-6, abs=1e-9)
        wide = corrected_reach(differences, 0.5, level)
        p = corrected_resampled_t(differences, 0.5).p
        assert wide >= reach
        if abs(p - (1 - level)) > 1e-9:
            assert (abs(differences.mean()) > wide) == (p < 1 - level)


@pytest.mark.parametrize("differences", [[0.2, 0.2, 0.2], [0.2, 0.2, 0.2 + 1e-200], [0, 1e-243]])
def test_folds_that_do_not_differ_have_no_t(differences):
    found = corrected_resampled_t(np.array(differences), 0.5)
    assert (found.difference, found.deviation) == (pytest.approx(np.mean(differences)), 0.0)
    assert math.isnan(found.t)
    assert math.isnan(found.p)
    assert corrected_reach(np.array(differences), 0.5, 0.95) == 0


def test_one_fold_cannot_say():
    with pytest.raises(ValueError, match="1 folds; at least 2 are needed"):
        corrected_resampled_t(np.array([0.1]), 0.5)
    with pytest.raises(ValueError, match="1 folds; at least 2 are needed"):
        corrected_reach(np.array([0.1]), 0.5, 0.95)
