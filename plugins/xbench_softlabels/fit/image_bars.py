"""Images beside bars of what people and networks say of them: Figures 1 and 3B of the paper."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xbench import Drawing, ImageSet
from xbench.figures import (
    BLUE,
    FAINT,
    INK,
    SMALL,
    TINY,
    blank_figure,
    number_words,
    share_text,
    shortened,
    show_pixels,
    style_axes,
    write,
)
from xbench_softlabels.fit.chosen_images import (
    Answering,
    Choice,
    Line,
    ShownImage,
    choices,
    shown_images,
)

MOST_LINES = 8
"""Lines of a benchmark that have a column."""
CLASSES = 5
"""That have a bar; all others together have one more."""
OTHERS = "all others"
PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
"""Behind a number that may stand on a bar."""
NAME, HEAD = 18, 13
"""Letters of a class's name, and of a line above a column."""
IMAGE, COLUMN, NAMES, ROW, TOP = 1.3, 0.85, 1.1, 1.35, 1.0
"""Inches: width of an image, of a column, of classes' names; heights of a row and of headings."""


def image_drawings(lines: Sequence[Line], answering: Answering) -> Mapping[str, Drawing]:
    """Pictures of a few images each: those that people doubt, and those that divide networks."""
    drawn = lines[:MOST_LINES]
    pictures = {}
    for stem, choice in choices(drawn).items():
        shown = shown_images(drawn, choice.cases, answering)
        pictures[stem] = _drawing(choice, drawn, shown, len(lines))
    return pictures


def _drawing(
    choice: Choice, lines: Sequence[Line], shown: Sequence[ShownImage], count: int
) -> Drawing:
    images = lines[0].entry.datasets["test"]
    figure, axes = _grid(lines, len(shown))
    for row, image in zip(axes, shown, strict=True):
        _row(row, images, image)
    for ax in axes[-1, 1:]:
        ax.tick_params(labelbottom=True)
    first = f" Of {count} lines the first {len(lines)} are drawn." if count > len(lines) else ""
    caption = f"{choice.rule}, the true class in bold. {_reading(lines[0].columns.whom)}{first}"
    return Drawing(figure, choice.title, caption, " ".join(_in_words(images, lines, shown)))


def _reading(whom: str) -> str:
    return (
        f"Grey bars are shares of {whom}, blue ones a network's probabilities (%), and marks "
        f"repeat the shares of {whom}: a network whose bars end at its marks says what {whom} say. "
        f"Numbers are cross-entropies to {whom}; a network may be right and far from them all "
        "the same."
    )


def _grid(lines: Sequence[Line], rows: int) -> tuple[Figure, np.ndarray]:
    """Axes for images, and for people and each line with their names above."""
    width = IMAGE + NAMES + COLUMN * (1 + len(lines))
    figure = blank_figure(width, TOP + ROW * rows, laid_out=True)
    widths = [IMAGE, *[COLUMN] * (1 + len(lines))]
    axes = figure.subplots(rows, len(widths), squeeze=False, width_ratios=widths)
    heads = [lines[0].columns.whom, *(line.label for line in lines)]
    for ax, head in zip(axes[0, 1:], heads, strict=True):
        ax.set_title(_head(head), color=INK, fontsize=SMALL, parse_math=False)
    return figure, axes


def _head(label: str) -> str:
    return "\n".join(textwrap.wrap(label, HEAD)[:4])


def _row(row: Sequence[Axes], images: ImageSet, shown: ShownImage) -> None:
    """The image, people's bars with the names of classes, and those of each network."""
    names = images.dataset.class_names()
    picture, first, *others = row
    show_pixels(picture, images.batch([shown.id]).images[0].permute(1, 2, 0))
    picture.set_xlabel(f"image {shown.id}", color=FAINT, fontsize=TINY)
    classes = _classes(shown)
    people = _bars(shown.people, classes)
    _panel(first, people, FAINT)
    words = [*(shortened(names[label], NAME) for label in classes), OTHERS]
    first.set_yticks(np.arange(len(words)), words, fontsize=TINY, parse_math=False)
    for text, label in zip(first.get_yticklabels(), classes, strict=False):
        text.set_fontweight("bold" if label == shown.label else "normal")
    for ax, network, distance in zip(others, shown.networks, shown.distances, strict=True):
        _panel(ax, _bars(network, classes), BLUE)
        ax.plot(100 * people, np.arange(len(people)), "|", color=INK, markersize=8, mew=1.6)
        corner = {"transform": ax.transAxes, "ha": "right", "va": "bottom", "bbox": PAPER}
        write(ax, (0.98, 0.03), number_words(distance, 2), fontsize=TINY, **corner)


def _panel(ax: Axes, shares: Float64[np.ndarray, " bars"], colour: str) -> None:
    style_axes(ax, grid="x")
    ax.barh(np.arange(len(shares)), 100 * shares, color=colour, height=0.7)
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set_xlim(0, 104)
    ax.set_xticks([0, 50, 100])
    ax.set_yticks([])
    ax.tick_params(labelbottom=False, labelsize=TINY)


def _classes(shown: ShownImage) -> Int64[np.ndarray, " bars"]:
    """The true class, and those to which people or a network give most, people's shares first."""
    largest = np.maximum(shown.people, shown.networks.max(0))
    largest[shown.label] = np.inf
    chosen = np.argsort(-largest, kind="stable")[:CLASSES]
    return chosen[np.lexsort((-largest[chosen], -shown.people[chosen]))]


def _bars(
    shares: Float64[np.ndarray, " classes"], classes: Int64[np.ndarray, " shown"]
) -> Float64[np.ndarray, " bars"]:
    """Of these classes, and of all others together."""
    own = shares[classes]
    return np.append(own, max(shares.sum() - own.sum(), 0.0))


def _in_words(
    images: ImageSet, lines: Sequence[Line], shown: Sequence[ShownImage]
) -> Iterator[str]:
    names, whom = images.dataset.class_names(), lines[0].columns.whom
    for image in shown:
        heads = [whom, *(line.label for line in lines)]
        parts = zip(heads, [image.people, *image.networks], strict=True)
        said = "; ".join(f"{head}: {_two(shares, names)}" for head, shares in parts)
        yield f"Image {image.id} ({names[image.label]}). {said}."


def _two(shares: Float64[np.ndarray, " classes"], names: Sequence[str]) -> str:
    """The two classes with the largest shares."""
    first = np.argsort(-shares, kind="stable")[:2]
    return ", ".join(f"{names[label]} {share_text(shares[label], 0)}" for label in first)
