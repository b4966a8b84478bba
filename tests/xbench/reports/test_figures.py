"""The style of all figures, curves and bars with intervals, and saving."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure

import xbench.figures
from xbench.interfaces.resampling import Resampling
from xbench.reports.figures import (
    Curve,
    draw_bars,
    draw_curve,
    draw_curves,
    joined,
    level_words,
    number_words,
    percent,
    save_figure,
)
from xbench.reports.style import (
    COLOURS,
    GREYS,
    INK,
    blank_figure,
    chart,
    legend,
    look,
    looks,
    shortened,
    show_pixels,
    style_axes,
    write,
)
from xbench.results.statistics import Band

ROLES = ("entry", "floor", "entry", "ceiling")


def band(height: float = 1.0, points: int = 5) -> Band:
    values = height * np.arange(1.0, points + 1)
    return Band(values, values - 0.5, values + 0.25)


def curves(roles=ROLES, points: int = 5) -> list[Curve]:
    across = np.arange(points, dtype=np.float64)
    return [Curve(f"line {n}", role, across, band(n + 1, points)) for n, role in enumerate(roles)]


def axes(figure=None):
    return (figure or Figure()).add_subplot()


def bands(ax):
    return [c for c in ax.collections if isinstance(c, FillBetweenPolyCollection)]


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_no_two_lines_look_alike_without_colour() -> None:
    made = looks(["entry"] * 7 + ["ceiling"] * 3 + ["floor"] * 5)
    assert len({(one.marker, str(one.dashes), one.width) for one in made}) == len(made)


def test_no_two_lines_have_one_colour_and_one_marker() -> None:
    made = looks(["entry"] * 21)
    assert len({(one.colour, one.marker) for one in made}) == len(made)


def test_no_two_bars_look_alike() -> None:
    made = looks(["entry"] * 20 + ["floor"] * 12)
    assert len({(one.colour, one.hatch) for one in made}) == len(made)


def test_places_are_counted_role_by_role() -> None:
    found = looks(ROLES)
    assert found == [look("entry", 0), look("floor", 0), look("entry", 1), look("ceiling", 0)]
    assert [one.colour for one in found] == [COLOURS[0], GREYS[0], COLOURS[1], INK]


def test_a_curve_is_its_values_over_its_band() -> None:
    ax, given = axes(), curves()
    found = draw_curves(ax, given)
    assert found == looks(ROLES)
    for line, shade, curve, own in zip(ax.get_lines(), bands(ax), given, found, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), curve.across)
        np.testing.assert_array_equal(line.get_ydata(), curve.band.values)
        heights = shade.get_datalim(ax.transData).intervaly
        np.testing.assert_allclose(heights, [curve.band.low.min(), curve.band.high.max()])
        assert line.get_color() == own.colour
        assert shade.get_zorder() < line.get_zorder()


def test_labels_say_the_role_of_what_is_no_entry() -> None:
    figure, ax = chart("across", "upwards")
    draw_curves(ax, curves())
    legend(figure, ax)
    assert legend_texts(figure) == ["line 0", "line 1 (floor)", "line 2", "line 3 (ceiling)"]


@pytest.mark.parametrize(
    ("marked", "at", "marker"), [(None, None, "o"), ([1, 3], [1, 3], "o"), ((), None, "none")]
)
def test_markers_stand_everywhere_or_where_they_are_asked_for(marked, at, marker) -> None:
    ax = axes()
    draw_curves(ax, curves(["entry"]), marked=marked)
    (line,) = ax.get_lines()
    assert (line.get_markevery(), line.get_marker().lower()) == (at, marker)


def test_a_curve_can_have_a_look_of_its_own_and_no_band() -> None:
    ax = axes()
    draw_curve(ax, curves()[0], look("floor", 2)._replace(width=7), shaded=False)
    (line,) = ax.get_lines()
    assert (line.get_linewidth(), line.get_color(), bands(ax)) == (7, GREYS[2], [])


def test_curves_without_values_are_drawn_as_nothing() -> None:
    figure, nothing = Figure(), np.full(5, np.nan)
    ax = axes(figure)
    given = [one._replace(band=Band(nothing, nothing, nothing)) for one in curves()]
    draw_curves(ax, given)
    draw_bars(ax, given)
    figure.draw_without_rendering()
    ends = [np.array(line.get_data(), dtype=float) for line in ax.get_lines()]
    assert ends
    assert all(np.isnan(end).any(axis=0).all() for end in ends)


def test_bars_stand_in_groups_that_do_not_meet() -> None:
    ax = axes()
    places = np.array(draw_bars(ax, curves(points=3)))
    assert places.shape == (4, 3)
    np.testing.assert_allclose(places.mean(0), [0, 1, 2])
    edges = sorted((bar.get_y(), bar.get_y() + bar.get_height()) for bar in ax.patches)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(edges))
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    np.testing.assert_allclose(widths, [one.band.values for one in curves(points=3)])


def test_bars_have_their_intervals() -> None:
    ax = axes()
    draw_bars(ax, curves(["entry"], 2))
    (lines,) = ax.collections
    ends = [segment[:, 0].tolist() for segment in lines.get_segments()]
    assert ends == [[0.5, 1.25], [1.5, 2.25]]


def test_bands_are_joined_and_made_per_cent() -> None:
    both = percent(joined([band(1, 2), band(2, 1)]))
    assert [part.tolist() for part in both] == [[100, 200, 200], [50, 150, 150], [125, 225, 225]]


def test_a_legend_names_a_thing_once_and_the_last_one_last() -> None:
    figure = Figure(layout="constrained")
    one, other = figure.subplots(2)
    for ax, labels in ((one, ("chance", "a")), (other, ("a", "b"))):
        for label in labels:
            ax.plot([0, 1], label=label)
    legend(figure, one, other, last="chance")
    assert legend_texts(figure) == ["a", "b", "chance"]


def test_a_legend_beside_lies_right_of_the_axes_and_fits_the_figure() -> None:
    given = curves(["floor"] * 20)
    long = [one._replace(label=f"{one.label} with a name of some length") for one in given]
    figure, ax = chart("across", "upwards", lines=len(long))
    draw_curves(ax, long)
    legend(figure, ax)
    figure.draw_without_rendering()
    extent = figure.legends[0].get_window_extent()
    assert extent.x0 >= ax.get_window_extent().x1
    assert extent.y0 >= 0


@pytest.mark.parametrize("count", [1, 2, 4, 7, 12])
@pytest.mark.parametrize("width", [3.0, 9.4])
@pytest.mark.parametrize("name", ["net", "a line of some forty letters, as some are"])
def test_a_legend_below_takes_as_many_columns_as_fit(count, width, name) -> None:
    figure = blank_figure(width, 6, laid_out=True)
    ax = axes(figure)
    for place in range(count):
        ax.plot([0, 1], label=f"{name} {place}")
    legend(figure, ax, below=True)
    figure.draw_without_rendering()
    extent = figure.legends[0].get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.x1
    assert extent.y1 <= ax.get_window_extent().y0


def test_names_are_no_formulas(tmp_path) -> None:
    figure, ax = chart("across", "upwards")
    ax.plot([0, 1], label=r"$\frac$")
    legend(figure, ax)
    write(figure, (0.5, 0.5), r"$\nonsense$")
    write(ax, (0.5, 0.5), r"$\nonsense$", color="red")
    save_figure(figure, tmp_path / "figure.png")  # a formula that is none could not be drawn
    assert (tmp_path / "figure.png").stat().st_size


def test_axes_are_open_at_the_top_and_the_right() -> None:
    ax = axes()
    style_axes(ax, "across", "upwards", grid="x")
    assert [ax.spines[side].get_visible() for side in ("top", "right", "left", "bottom")] == [
        False,
        False,
        True,
        True,
    ]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("across", "upwards")


def test_a_pixel_of_an_image_is_one_unit() -> None:
    ax = axes()
    show_pixels(ax, torch.tensor([[[2.0, 0.5, -1.0]] * 3] * 2))
    assert tuple(ax.images[0].get_extent()) == (0, 3, 2, 0)
    assert ax.images[0].get_array()[0, 0].tolist() == [1.0, 0.5, 0.0]
    assert not len(ax.get_xticks())


def test_texts_are_shortened_to_so_many_letters() -> None:
    assert shortened("four", 4) == "four"
    assert shortened("two words", 5) == "two…"


def test_numbers_and_levels_are_told_in_words() -> None:
    assert (number_words(12.345), number_words(12.345, 0)) == ("12.3", "12")
    assert number_words(float("nan")) == "none"
    assert level_words(Resampling(level=0.9)) == "90 %"


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(suffix, tmp_path, monkeypatch) -> None:
    written = []
    for place, time in enumerate(("0", "1000000")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", time)
        figure, ax = chart("across", "upwards")
        draw_curves(ax, curves())
        save_figure(figure, tmp_path / f"{place}.{suffix}", title="A title")
        written.append((tmp_path / f"{place}.{suffix}").read_bytes())
    assert written[0] == written[1]
    assert (b"A title" in written[0]) == (suffix != "png")


def test_a_saved_figure_is_cut_to_what_is_drawn(tmp_path) -> None:
    from PIL import Image

    figure = blank_figure(10, 10)
    write(figure, (0.5, 0.5), "a few words")
    save_figure(figure, tmp_path / "figure.png", dots=50)
    with Image.open(tmp_path / "figure.png") as image:
        assert image.width < 150
        assert image.height < 50


def test_everything_public_is_there() -> None:
    for name in xbench.figures.__all__:
        assert getattr(xbench.figures, name) is not None, name


def test_asking_for_the_style_loads_no_matplotlib() -> None:
    """What is not drawn costs nothing."""
    code = (
        "import sys, xbench.figures; assert 'numpy' not in sys.modules; xbench.figures.look; "
        "xbench.figures.draw_curves; assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
