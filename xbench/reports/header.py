"""A header above a picture that somebody else has drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench.reports.style import FAINT, HEADING, TITLE, blank_figure, shortened, write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD, LINE = 0.52, 0.24
"""Inches: of a title with the room around it, and of a line below it."""
LEFT = 0.02
"""Where words begin, as a share of the width."""
_LETTERS = 72 / (0.52 * HEADING)
"""Letters an inch."""


def with_header(figure: "Figure", title: str, line: str, remark: str = "") -> "Figure":
    """The figure, made higher by a title and what is said below it; nothing in it is resized."""
    from matplotlib.transforms import Affine2D

    words = [text for text in (line, remark) if text]
    width, height = map(float, figure.get_size_inches())
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


def _write(figure: "Figure", width: float, height: float, title: str, words: list[str]) -> None:
    most = int(width * _LETTERS)
    at = LEFT, 1 - 0.34 / height
    write(figure, at, shortened(title, most * 2 // 3), fontsize=TITLE, weight="bold", va="center")
    for place, text in enumerate(words):
        at = LEFT, 1 - (0.34 + 0.28 + LINE * place) / height
        style = {"color": FAINT} if place else {}
        write(figure, at, shortened(text, most), fontsize=HEADING, va="center", **style)


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
