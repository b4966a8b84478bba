"""The picture of differences over folds."""

import numpy as np
import pytest

from xbench import Resampling
from xbench_softlabels.fit.fold_figure import FoldLine, over_folds
from xbench_softlabels.kernels.resampled_t import corrected_reach, corrected_resampled_t

ONE_HOT = FoldLine("one-hot", "entry", np.array([0.60, 0.62, 0.58, 0.61]))
NEAR = FoldLine("people", "entry", np.array([0.55, 0.58, 0.52, 0.57]))
FLOOR = FoldLine("trained", "floor", np.array([0.58, 0.61, 0.59, 0.60]))
FAR_OFF = FoldLine("published", "entry", np.array([1.30, 1.41, 1.22, 1.35]))
RESAMPLING = Resampling(level=0.9)


def drawn(*lines, folds=4):
    return over_folds(lines, folds, "people", RESAMPLING)


def test_each_line_has_its_folds_and_the_corrected_interval():
    (ax,) = drawn(ONE_HOT, NEAR, FLOOR)["over-folds"].figure.axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["people", "trained (floor)"]
    of_folds = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 4]
    np.testing.assert_allclose(of_folds, [NEAR.means - ONE_HOT.means, FLOOR.means - ONE_HOT.means])
    ends = [segment[:, 0] for group in ax.collections for segment in group.get_segments()]
    for line, found in zip((NEAR, FLOOR), ends, strict=True):
        values = line.means - ONE_HOT.means
        reach = corrected_reach(values, 1 / 3, RESAMPLING.level)
        np.testing.assert_allclose(found, [values.mean() - reach, values.mean() + reach])


def test_its_words_are_the_numbers_and_its_caption_says_how_sure_they_are():
    drawing = drawn(ONE_HOT, NEAR)["over-folds"]
    test = corrected_resampled_t(NEAR.means - ONE_HOT.means, 1 / 3)
    assert f"people: {test.difference:+.3f} [" in drawing.text
    assert drawing.text.endswith(f"p = {test.p:.4f}.")
    assert "90 %" in drawing.caption
    assert "'one-hot'" in drawing.title


def test_what_lies_far_out_is_told_at_the_edge_and_the_others_stay_apart():
    nearest = FoldLine("sampled", "entry", np.array([0.56, 0.59, 0.55, 0.58]))
    (ax,) = drawn(ONE_HOT, NEAR, nearest, FAR_OFF)["over-folds"].figure.axes
    assert ax.get_xlim()[1] < 0.2
    (text,) = ax.texts
    assert text.get_text().startswith("+0.718 [")
    assert text.get_text().endswith("→")
    (ax,) = drawn(FAR_OFF, NEAR, nearest, FAR_OFF)["over-folds"].figure.axes
    assert not ax.texts  # two of three are far from the first: that is the scale


def test_the_first_may_be_the_far_one_and_lines_may_be_equal():
    (ax,) = drawn(ONE_HOT, ONE_HOT._replace(label="the same"))["over-folds"].figure.axes
    assert ax.get_xlim()[0] < 0 < ax.get_xlim()[1]
    left = FoldLine("far", "entry", ONE_HOT.means - 0.5)
    (ax,) = drawn(ONE_HOT, NEAR, FLOOR, left)["over-folds"].figure.axes
    assert ax.texts[0].get_text().startswith("← -0.500")


@pytest.mark.parametrize(
    "lines",
    [
        [ONE_HOT],
        [of._replace(means=of.means[:1]) for of in (ONE_HOT, NEAR)],
        [ONE_HOT, NEAR._replace(means=NEAR.means[:3])],
    ],
)
def test_without_a_second_line_or_fold_there_is_no_picture(lines):
    assert drawn(*lines) == {}
