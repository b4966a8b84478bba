"""A header above a picture that somebody else has drawn."""

import pytest

from xbench.reports.header import with_header
from xbench.reports.style import blank_figure, write


@pytest.mark.parametrize("laid_out", [False, True])
def test_nothing_that_was_drawn_changes_its_size_or_its_place_from_below(laid_out):
    figure = blank_figure(4, 3, laid_out=laid_out)
    axes = figure.add_subplot() if laid_out else figure.add_axes((0.1, 0.2, 0.5, 0.6))
    text = write(figure, (0.5, 0.9), "drawn")
    figure.draw_without_rendering()
    before = axes.get_window_extent().bounds, text.get_window_extent().bounds
    with_header(figure, "a title", "a line")
    figure.draw_without_rendering()
    after = axes.get_window_extent().bounds, text.get_window_extent().bounds
    tolerance = 8 if laid_out else 0.01  # pixels; a layout has its own rounding
    for own, moved in zip(before, after, strict=True):
        assert moved == pytest.approx(own, abs=tolerance)
    assert figure.get_figheight() > 3.5


def test_long_words_are_wrapped_and_cut_after_three_lines():
    figure = with_header(
        blank_figure(4, 3), "t" * 300, "great white shark, " * 30, "tiger shark, " * 8
    )
    title, *lines = [text.get_text() for text in figure.texts]
    assert title.endswith("…")
    assert [line.endswith("…") for line in lines] == [False, False, True, False, False]
    figure.draw_without_rendering()
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in figure.texts)
