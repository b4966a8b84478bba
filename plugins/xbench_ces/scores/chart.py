"""The picture of concept scores: the images, and signed bars of the strongest concepts."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torchvision.transforms.v2 import functional

from xbench import Batch, ConceptExamples, ImageSet, generator
from xbench_ces.scores.concept_scores import ConceptScores, Scored

SHOWN = 6
"""How many concepts are drawn of each sign at most."""
PHOTOS = 4
"""How many of several images are drawn."""
_PICTURE = 64

FOR, AGAINST, INK, FAINT = "#2e7d9e", "#d1495b", "#222222", "#777777"
WIDTH, TITLE, ROW, FOOT, LEAST = 10.0, 0.95, 0.42, 0.75, 3.0
"""Inches."""
LEFT, NAMES, PICTURES, BARS, RIGHT = 0.02, 0.345, 0.525, 0.585, 0.985
"""Where columns begin, and where the last ends, as shares of the width."""


class Row(NamedTuple):
    """A concept in the picture."""

    scored: Scored
    picture: UInt8[Tensor, "3 s s"] | None


def scores_figure(
    found: ConceptScores, batch: Batch, examples: ImageSet | None, names: tuple[str, ...]
) -> Figure:
    """The strongest concepts of both signs; `batch` holds the images that are explained."""
    rows = [Row(one, picture_of(found, one, examples)) for one in shown(found)]
    body = max(LEAST, ROW * (len(rows) + 1))
    height = TITLE + body + FOOT
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    bottom, top = FOOT / height, 1 - TITLE / height
    _title(figure, found, batch, names)
    _photos(figure, batch, (bottom, top))
    extent = ROW * max(len(rows), 1) / height
    _bars(figure, rows, (top - ROW / height - extent, extent))
    words = [legend(found, names) if rows else "", *notes(found)]
    for line, text in enumerate(words):
        colour = AGAINST if line else FAINT
        at = LEFT, (FOOT - 0.25 - 0.18 * line) / height
        _text(figure, at, text, fontsize=8.5, color=colour)
    return figure


def shown(found: ConceptScores) -> list[Scored]:
    """The strongest positive concepts, then the strongest negative ones, largest score first."""
    positive = [one for one in found.strongest(SHOWN) if one.raw > 0]
    negative = [one for one in found.opposing(SHOWN) if one.raw < 0]
    return positive + negative[::-1]


def legend(found: ConceptScores, names: tuple[str, ...]) -> str:
    """What bars and numbers mean."""
    summed = f", summed over {found.images} images" if found.images > 1 else ""
    words = "Bars: score, the largest scaled to 1. Numbers: change of "
    return f"{words}P({names[found.label]}) when the concept is added{summed}."


def notes(found: ConceptScores) -> list[str]:
    """What a reader has to be warned of."""
    warnings = []
    if not found.verified:
        warnings.append("Unverified bank: it is not known that it belongs to this network.")
    if not found.known:
        warnings.append("Label unknown: these are scores of the predicted class.")
    return warnings and ["  ".join(warnings)]


def picture_of(
    found: ConceptScores, one: Scored, examples: ImageSet | None
) -> UInt8[Tensor, "3 s s"] | None:
    """The explanation's own picture of a concept, else one of the data set's, else none."""
    if found.examples is not None:
        return found.examples[one.place].cpu()
    dataset = None if examples is None else examples.dataset
    if not isinstance(dataset, ConceptExamples) or one.concept not in dataset.concepts():
        return None
    source = generator("picture of a concept", one.concept.name)
    picture = dataset.concept_examples(one.concept.name, 1, source).positive[0]
    return functional.resize(picture, [_PICTURE, _PICTURE], antialias=True)


def _title(figure: Figure, found: ConceptScores, batch: Batch, names: tuple[str, ...]) -> None:
    height = figure.get_figheight()
    name = names[found.label] if found.known else f"predicted: {names[found.label]}"
    if found.images > 1:
        name += f"  ·  {found.images} images"
    elif batch.source is not None:
        name += f"  ·  image {batch.ids[0]}"
    _text(figure, (LEFT, 1 - 0.34 / height), name, fontsize=14, fontweight="bold", va="center")
    mean = "mean " if found.images > 1 else ""
    said = f"{mean}P({names[found.label]}) = {found.probability:.1%}"
    if found.known:
        right = "rightly" if found.predicted == found.label else "wrongly"
        mostly = "mostly " if found.images > 1 else ""
        said += f"  ·  {mostly}predicted, {right}: {names[found.predicted]}"
    _text(figure, (LEFT, 1 - 0.66 / height), said, fontsize=10, va="center")


def _photos(figure: Figure, batch: Batch, span: tuple[float, float]) -> None:
    """The images below the title, from `span[0]` to `span[1]` of the height at most."""
    photos = batch.images[:PHOTOS].detach().cpu().permute(0, 2, 3, 1)
    side = 1 if len(photos) == 1 else 2
    tallest = (span[1] - span[0]) * figure.get_figheight()
    inches = min((NAMES - LEFT - 0.02) * WIDTH, tallest) / side
    width, height = inches / WIDTH, inches / figure.get_figheight()
    for place, photo in enumerate(photos):
        row, column = divmod(place, side)
        frame = (LEFT + column * width, span[1] - (row + 1) * height, 0.97 * width, 0.97 * height)
        _picture(figure.add_axes(frame), photo)


def _bars(figure: Figure, rows: list[Row], span: tuple[float, float]) -> None:
    """Names, pictures, bars and numbers; `span` is the lower end and the extent in the height."""
    if not rows:
        figure.text(NAMES, span[0] + span[1] / 2, "No concept changes the probability.", color=INK)
        return
    ax = figure.add_axes((BARS, span[0], RIGHT - BARS, span[1]))
    ax.set_axis_off()
    ax.set_xlim(-1.45, 1.45)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.axvline(0, color=INK, lw=0.8)
    _heading(ax)
    for place, row in enumerate(rows):
        score, colour = row.scored.normalised, FOR if row.scored.raw > 0 else AGAINST
        ax.barh(place, score, height=0.62, color=colour)
        side, beside = ("left", score + 0.04) if score > 0 else ("right", score - 0.04)
        number = f"{row.scored.raw:+.2g}".replace("-", "−")
        ax.text(beside, place, number, ha=side, va="center", fontsize=9, color=INK)
        _named(figure, row, span[0] + span[1] * (1 - (place + 0.5) / len(rows)))


def _heading(ax: Axes) -> None:
    for x, text, colour in ((-1.4, "less probable", AGAINST), (1.4, "more probable", FOR)):
        side = "left" if x < 0 else "right"
        across = ax.get_xaxis_transform()
        ax.text(x, 1.01, text, color=colour, fontsize=9.5, ha=side, va="bottom", transform=across)


def _named(figure: Figure, row: Row, middle: float) -> None:
    """The concept's name and picture at a height of the figure."""
    name, family = row.scored.concept
    _text(figure, (NAMES, middle), _short(name), fontsize=10, va="bottom")
    _text(figure, (NAMES, middle), _short(family, 30), fontsize=7.5, color=FAINT, va="top")
    if row.picture is None:
        return
    side = 0.9 * ROW
    width, height = side / WIDTH, side / figure.get_figheight()
    ax = figure.add_axes((PICTURES, middle - height / 2, width, height))
    _picture(ax, row.picture.permute(1, 2, 0) / 255)


def _text(figure: Figure, at: tuple[float, float], text: str, **style: Any) -> None:
    """Write as it stands: names are no formulas."""
    figure.text(*at, text, **{"color": INK, "parse_math": False, **style})


def _short(text: str, most: int = 24) -> str:
    words = text.replace("_", " ")
    return words if len(words) <= most else words[: most - 1] + "…"


def _picture(ax: Axes, image: Float[Tensor, "h w 3"]) -> None:
    pixels: np.ndarray = image.clamp(0, 1).numpy()
    ax.imshow(pixels, interpolation="lanczos")
    ax.set_axis_off()
    ax.set_anchor("NW")
