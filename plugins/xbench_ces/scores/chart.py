"""The picture of concept scores: the images, and signed bars of the strongest concepts."""

from typing import Any, NamedTuple

from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torchvision.transforms.v2 import functional

from xbench import Batch, ConceptExamples, ImageSet, generator
from xbench.figures import (
    BLUE,
    FAINT,
    HEADING,
    INK,
    RED,
    SMALL,
    TINY,
    TITLE,
    WORDS,
    blank_figure,
    share_text,
    shortened,
    show_pixels,
    write,
)
from xbench_ces.scores.concept_scores import ConceptScores, ScoredConcept

MOST_CONCEPTS = 6
"""How many concepts are drawn of each sign at most."""
MOST_PHOTOS = 4
"""How many of several images are drawn."""
_PICTURE = 64

FOR, AGAINST = RED, BLUE
WIDTH, HEAD, ROW, FOOT, LEAST = 10.0, 0.95, 0.42, 0.75, 3.0
"""Inches."""
LEFT, NAMES, PICTURES, BARS, RIGHT = 0.02, 0.345, 0.525, 0.585, 0.985
"""Where columns begin, and where the last ends, as shares of the width."""


class Row(NamedTuple):
    """A concept in the picture."""

    score: ScoredConcept
    picture: UInt8[Tensor, "3 s s"] | None


def scores_figure(
    scores: ConceptScores, batch: Batch, examples: ImageSet | None, names: tuple[str, ...]
) -> Figure:
    """The strongest concepts of both signs; `batch` holds the images that are explained."""
    rows = [Row(score, picture_of(scores, score, examples)) for score in strongest_scores(scores)]
    body = max(LEAST, ROW * (len(rows) + 1))
    height = HEAD + body + FOOT
    figure = blank_figure(WIDTH, height)
    bottom, top = FOOT / height, 1 - HEAD / height
    _title(figure, scores, batch, names)
    _photos(figure, batch, (bottom, top))
    extent = ROW * max(len(rows), 1) / height
    _bars(figure, rows, (top - ROW / height - extent, extent))
    words = [legend_words(scores, names) if rows else "", *warning_lines(scores)]
    for line, text in enumerate(words):
        at = LEFT, (FOOT - 0.25 - 0.18 * line) / height
        write(figure, at, text, fontsize=SMALL, color=RED if line else FAINT)
    return figure


def strongest_scores(scores: ConceptScores) -> list[ScoredConcept]:
    """The strongest positive concepts, then the strongest negative ones, largest score first."""
    positive = [score for score in scores.strongest(MOST_CONCEPTS) if score.raw > 0]
    negative = [score for score in scores.opposing(MOST_CONCEPTS) if score.raw < 0]
    return positive + negative[::-1]


def legend_words(scores: ConceptScores, names: tuple[str, ...]) -> str:
    """What bars and numbers mean."""
    summed = f", summed over {scores.images} images" if scores.images > 1 else ""
    words = "Bars: score, the largest scaled to 1. Numbers: change of "
    return f"{words}P({names[scores.label]}) when the concept is added{summed}."


def warning_lines(scores: ConceptScores) -> list[str]:
    """What a reader has to be warned of."""
    warnings = []
    if not scores.verified:
        warnings.append("Unverified bank: it is not known that it belongs to this network.")
    if not scores.known:
        warnings.append("Label unknown: these are scores of the predicted class.")
    return warnings and ["  ".join(warnings)]


def picture_of(
    scores: ConceptScores, score: ScoredConcept, examples: ImageSet | None
) -> UInt8[Tensor, "3 s s"] | None:
    """The explanation's own picture of a concept, else one of the data set's, else none."""
    if scores.examples is not None:
        return scores.examples[score.place].cpu()
    dataset = None if examples is None else examples.dataset
    if not isinstance(dataset, ConceptExamples) or score.concept not in dataset.concepts():
        return None
    source = generator("picture of a concept", score.concept.name)
    picture = dataset.concept_examples(score.concept.name, 1, source).positive[0]
    return functional.resize(picture, [_PICTURE, _PICTURE], antialias=True)


def _title(figure: Figure, scores: ConceptScores, batch: Batch, names: tuple[str, ...]) -> None:
    height = figure.get_figheight()
    name = names[scores.label] if scores.known else f"predicted: {names[scores.label]}"
    if scores.images > 1:
        name += f"  ·  {scores.images} images"
    elif batch.source is not None:
        name += f"  ·  image {batch.ids[0]}"
    write(figure, (LEFT, 1 - 0.34 / height), name, fontsize=TITLE, fontweight="bold", va="center")
    mean = "mean " if scores.images > 1 else ""
    prediction = f"{mean}P({names[scores.label]}) = {share_text(scores.probability)}"
    if scores.known:
        right = "rightly" if scores.predicted == scores.label else "wrongly"
        mostly = "mostly " if scores.images > 1 else ""
        prediction += f"  ·  {mostly}predicted, {right}: {names[scores.predicted]}"
    write(figure, (LEFT, 1 - 0.66 / height), prediction, fontsize=HEADING, va="center")


def _photos(figure: Figure, batch: Batch, span: tuple[float, float]) -> None:
    """The images below the title, from `span[0]` to `span[1]` of the height at most."""
    photos = batch.images[:MOST_PHOTOS].detach().cpu().permute(0, 2, 3, 1)
    side = 1 if len(photos) == 1 else 2
    tallest = (span[1] - span[0]) * figure.get_figheight()
    inches = min((NAMES - LEFT - 0.02) * WIDTH, tallest) / side
    width, height = inches / WIDTH, inches / figure.get_figheight()
    for place, photo in enumerate(photos):
        row, column = divmod(place, side)
        frame = (LEFT + column * width, span[1] - (row + 1) * height, 0.97 * width, 0.97 * height)
        _show(figure.add_axes(frame), photo)


def _bars(figure: Figure, rows: list[Row], span: tuple[float, float]) -> None:
    """Names, pictures, bars and numbers; `span` is the lower end and the extent in the height."""
    if not rows:
        write(figure, (NAMES, span[0] + span[1] / 2), "No concept changes the probability.")
        return
    ax = figure.add_axes((BARS, span[0], RIGHT - BARS, span[1]))
    ax.set_axis_off()
    ax.set_xlim(-1.45, 1.45)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.axvline(0, color=INK, lw=0.8)
    _heading(ax)
    for place, row in enumerate(rows):
        length, colour = row.score.normalised, FOR if row.score.raw > 0 else AGAINST
        ax.barh(place, length, height=0.62, color=colour)
        side, beside = ("left", length + 0.04) if length > 0 else ("right", length - 0.04)
        number = f"{row.score.raw:+.2g}".replace("-", "−")
        write(ax, (beside, place), number, ha=side, va="center", fontsize=WORDS)
        _concept_label(figure, row, span[0] + span[1] * (1 - (place + 0.5) / len(rows)))


def _heading(ax: Axes) -> None:
    for x, text, colour in ((-1.4, "less probable", AGAINST), (1.4, "more probable", FOR)):
        side = "left" if x < 0 else "right"
        style: dict[str, Any] = {"ha": side, "va": "bottom", "transform": ax.get_xaxis_transform()}
        write(ax, (x, 1.01), text, color=colour, fontsize=WORDS, **style)


def _concept_label(figure: Figure, row: Row, middle: float) -> None:
    """The concept's name and picture at a height of the figure."""
    name, family = row.score.concept
    place = "bottom" if family else "center"
    write(figure, (NAMES, middle), _short(name), fontsize=HEADING, va=place)
    write(figure, (NAMES, middle), _short(family, 30), fontsize=TINY, color=FAINT, va="top")
    if row.picture is None:
        return
    side = 0.9 * ROW
    width, height = side / WIDTH, side / figure.get_figheight()
    ax = figure.add_axes((PICTURES, middle - height / 2, width, height))
    _show(ax, row.picture.permute(1, 2, 0) / 255)


def _short(name: str, most: int = 24) -> str:
    return shortened(name.replace("_", " "), most)


def _show(ax: Axes, image: Float[Tensor, "h w 3"]) -> None:
    show_pixels(ax, image)
    ax.set_anchor("NW")
