"""A header above a picture that somebody else has drawn."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench.reports.style import FAINT, HEADING, INK, TITLE, blank_figure, shortened, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD, LINE = 0.52, 0.24
"""Inches: of a title with the room around it, and of a line below it."""
LEFT = 0.02
"""Where words begin, as a share of the width."""
_LETTERS = 72 / (0.52 * HEADING)
"""Letters an inch."""
_MOST_LINES = 3
"""How many lines a text below the title takes, before it is cut."""


def with_header(figure: "Figure", title: str, line: str, remark: str = "") -> "Figure":
    """The figure, made higher by a title and what is said below it; nothing in it is resized."""
    from matplotlib.transforms import Affine2D

    width, height = map(float, figure.get_size_inches())
    words = [(part, INK) for part in _wrapped(line, width)]
    words += [(part, FAINT) for part in _wrapped(remark, width)]
    added = HEAD + LINE * len(words)
    share = height / (height + added)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0, 0, 1, share))  # type: ignore[call-arg]
    else:
        for axes in figure.axes:
            left, bottom, wide, high = axes.get_position(original=True).bounds
            axes.set_position((left, bottom * share, wide, high * share))
    for artist in (*figure.texts, *figure.lines, *figure.patches, *figure.legends):
        if artist.get_transform() == figure.transFigure:
            artist.set_transform(Affine2D().scale(1, share) + figure.transFigure)
    figure.set_size_inches(width, height + added)
    _write(figure, width, height + added, title, words)
    return figure


def _wrapped(text: str, width: float) -> list[str]:
    """The text in lines that fit into so many inches."""
    most = int(width * _LETTERS)
    return textwrap.wrap(text, most, max_lines=_MOST_LINES, placeholder="…")


def _write(
    figure: "Figure", width: float, height: float, title: str, words: list[tuple[str, str]]
) -> None:
    most = int(width * _LETTERS) * 2 // 3
    at = LEFT, 1 - 0.34 / height
    write(figure, at, shortened(title, most), fontsize=TITLE, weight="bold", va="center")
    for place, (text, colour) in enumerate(words):
        at = LEFT, 1 - (0.34 + 0.28 + LINE * place) / height
        write(figure, at, text, fontsize=HEADING, va="center", color=colour)


def stacked(pictures: Sequence[bytes], dots: int) -> "Figure":
    """PNG pictures below each other in one figure, each as large as it is."""
    import io

    import numpy as np
    from PIL import Image

    images = [np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures]
    high, wide = sum(image.shape[0] for image in images), max(image.shape[1] for image in images)
    figure, top = blank_figure(wide / dots, high / dots), high
    for image in images:
        rows, columns = image.shape[:2]
        top -= rows
        axes = figure.add_axes((0, top / high, columns / wide, rows / high))
        axes.imshow(image, aspect="auto")
        axes.axis("off")
    return figure
