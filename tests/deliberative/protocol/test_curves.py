"""Curves over coverages and how they are drawn."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pytest
import torch
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

from xbench import Case, Resampling, summarised
from xbench_deliberative.protocol.curves import PERCENT, figures, lines_of
from xbench_deliberative.protocol.rows import COVERAGES, ImageRows, Measured, joined
from xbench_deliberative.protocol.summary import REPORTED, Scoring, scored

POINTS = Scoring(("precision", "recall"), "left-out", "points")
MASKS = Scoring(("iou",), "left-out", "masks")
PLAN = Resampling(resamples=60)
ROLES = {"ours": "entry", "random": "floor", "known": "ceiling", "other": "entry"}


def table(
    seed: int, images: Sequence[int] = range(9), measures: Sequence[str] = POINTS.measures
) -> pa.Table:
    """Random rows: up to three pairs an image, some values missing."""
    source = torch.Generator().manual_seed(seed)
    return joined([rows_of(image, measures, source) for image in images], measures)


def rows_of(image: int, measures: Sequence[str], source: torch.Generator) -> ImageRows:
    pairs = int(torch.randint(0, 4, (1,), generator=source))
    shape = (pairs, len(COVERAGES))
    values = {m: torch.rand(shape, generator=source, dtype=torch.float64) for m in measures}
    for of_measure in values.values():
        of_measure[torch.rand(shape, generator=source) < 0.2] = torch.nan
    parts = torch.randint(0, 3, (2, pairs), generator=source)
    classes = torch.tensor([[1, 2]]).expand(pairs, 2)
    return ImageRows(Case("test", image), classes, torch.ones(pairs), Measured(*parts, values))


@pytest.fixture
def rows() -> dict[str, list[pa.Table]]:
    """Two repeats of four lines; the repeats share some of their images."""
    labels = enumerate(ROLES)
    return {label: [table(2 * n), table(2 * n + 1, range(5, 16))] for n, label in labels}


def lines(figure: Figure) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for line in figure.axes[0].get_lines():
        yield str(line.get_label()), line.get_xdata(), line.get_ydata()


def test_a_band_is_the_interval_of_the_score_at_each_reported_coverage(rows) -> None:
    for curve in lines_of(rows, ROLES, POINTS, PLAN):
        repeats = [scored(one, POINTS) for one in rows[curve.label]]
        for measure in POINTS.measures:
            for percent in REPORTED:
                name = f"{measure}@{percent}%"
                score = summarised(
                    [next(s for s in one if s.name == name) for one in repeats], PLAN
                )
                ours = [values[percent - 1] for values in curve.bands[measure]]
                np.testing.assert_allclose(ours, [score.value, score.low, score.high], atol=1e-12)


def test_curves_come_in_the_order_entries_ceilings_floors(rows) -> None:
    labels = [curve.label for curve in lines_of(rows, ROLES, POINTS, PLAN)]
    assert labels == ["ours", "other", "known", "random"]


def test_points_give_precision_against_recall_and_each_against_coverage(rows) -> None:
    made = figures(rows, ROLES, POINTS, PLAN)
    assert list(made) == ["precision-recall", "precision", "recall"]
    assert made["precision"].figure.axes[0].get_xlabel() == "Coverage of the image (%)"


def test_masks_give_iou_against_coverage() -> None:
    rows = {"ours": [table(1, measures=["iou"])]}
    made = figures(rows, {"ours": "entry"}, MASKS, PLAN)
    assert list(made) == ["iou"]
    assert made["iou"].title == "IoU against coverage"
    assert made["iou"].figure.axes[0].get_ylabel() == "IoU (%)"


def test_every_line_and_its_band_are_drawn_at_all_90_coverages(rows) -> None:
    curves = lines_of(rows, ROLES, POINTS, PLAN)
    figure = figures(rows, ROLES, POINTS, PLAN)["recall"].figure
    shown = list(lines(figure))
    bands = [c for c in figure.axes[0].collections if isinstance(c, FillBetweenPolyCollection)]
    assert len(shown) == len(bands) == len(curves) == 4
    for (label, x, y), curve, shade in zip(shown, curves, bands, strict=True):
        assert label.startswith(curve.label)
        np.testing.assert_array_equal(x, np.arange(1, 91))
        np.testing.assert_allclose(y, 100 * curve.bands["recall"].values)
        heights = shade.get_datalim(figure.axes[0].transData).intervaly
        low, high = curve.bands["recall"].low, curve.bands["recall"].high
        np.testing.assert_allclose(heights, [100 * low.min(), 100 * high.max()])


def test_precision_is_drawn_over_recall_with_intervals_of_recall_at_the_markers(rows) -> None:
    ours = lines_of(rows, ROLES, POINTS, PLAN)[0].bands
    figure = figures(rows, ROLES, POINTS, PLAN)["precision-recall"].figure
    _, x, y = next(lines(figure))
    np.testing.assert_allclose(x, 100 * ours["recall"].values)
    np.testing.assert_allclose(y, 100 * ours["precision"].values)
    bars = next(
        c for c in figure.axes[0].collections if not isinstance(c, FillBetweenPolyCollection)
    )
    for percent, segment in zip(REPORTED, bars.get_segments(), strict=True):
        ends = [ours["recall"].low[percent - 1], ours["recall"].high[percent - 1]]
        np.testing.assert_allclose(segment[:, 0], 100 * np.array(ends))
        np.testing.assert_allclose(segment[:, 1], 100 * ours["precision"].values[percent - 1])


@pytest.mark.parametrize(("height", "cut"), [(0.2, True), (0.5, False), (0.0, False)])
def test_a_ceiling_far_above_all_else_is_cut_and_the_caption_says_so(height, cut) -> None:
    def flat(value: float) -> list[pa.Table]:
        values = {"iou": torch.full((1, len(COVERAGES)), value, dtype=torch.float64)}
        measured = Measured(torch.ones(1), torch.ones(1), values)
        image = ImageRows(Case("test", 0), torch.tensor([[0, 1]]), torch.ones(1), measured)
        return [joined([image], ["iou"])]

    made = figures({"ours": flat(height), "known": flat(1.0)}, ROLES, MASKS, PLAN)["iou"]
    _, top = made.figure.axes[0].get_ylim()
    assert ("goes on above the frame" in made.caption) == cut
    assert top == pytest.approx(110 * height) if cut else top > 100


def test_the_legend_names_roles_and_lies_beside_the_axes(rows) -> None:
    figure = figures(rows, ROLES, POINTS, PLAN)["precision"].figure
    figure.draw_without_rendering()
    legend = figure.legends[0]
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["ours", "other", "known (ceiling)", "random (floor)"]
    assert legend.get_window_extent().x0 >= figure.axes[0].get_window_extent().x1


def test_a_long_list_of_lines_still_fits_its_figure() -> None:
    labels = [f"a floor with quite a long name, number {n}" for n in range(20)]
    rows = {label: [table(1, range(3))] for label in labels}
    figure = figures(rows, dict.fromkeys(labels, "floor"), POINTS, PLAN)["precision"].figure
    figure.draw_without_rendering()
    assert figure.legends[0].get_window_extent().y0 >= 0


def test_the_text_says_the_values_at_the_markers(rows) -> None:
    ours = lines_of(rows, ROLES, POINTS, PLAN)[0].bands["precision"].values
    text = figures(rows, ROLES, POINTS, PLAN)["precision"].text
    values = ", ".join(f"{100 * ours[percent - 1]:.1f}" for percent in REPORTED)
    assert f"at 10, 20, 30, 40, 50 % coverage. ours: precision {values};" in text


def test_a_line_without_any_value_is_drawn_as_nothing() -> None:
    nothing = torch.full((1, len(COVERAGES)), torch.nan, dtype=torch.float64)
    values = dict.fromkeys(POINTS.measures, nothing)
    image = ImageRows(
        Case("test", 0),
        torch.tensor([[0, 1]]),
        torch.ones(1),
        Measured(torch.ones(1), torch.ones(1), values),
    )
    made = figures({"ours": [joined([image], POINTS.measures)]}, ROLES, POINTS, PLAN)
    assert "ours: precision none, none, none, none, none" in made["precision"].text
    made["precision-recall"].figure.draw_without_rendering()


def test_markers_stand_at_the_coverages_of_the_table(rows) -> None:
    figure = figures({"ours": rows["ours"]}, ROLES, POINTS, PLAN)["recall"].figure
    (line,) = figure.axes[0].get_lines()
    assert [PERCENT[place] for place in line.get_markevery()] == list(REPORTED)
