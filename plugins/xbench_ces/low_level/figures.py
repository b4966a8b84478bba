"""Pictures of the low-level protocol: the paper's Figure 2, and how far each concept rises."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    HEADING,
    INK,
    ORDER,
    PALE,
    WIDE,
    WORDS,
    Curve,
    blank_figure,
    draw_curve,
    draw_curves,
    legend,
    level_words,
    look,
    style_axes,
)
from xbench_ces.low_level.rows import Course, courses
from xbench_ces.low_level.summary import (
    SCALES,
    Scale,
    Scoring,
    case_names,
    of_scale,
    reason_not_scored,
)

MATCHING, RIVALS = look("entry", 0), look("entry", 1)
PROBABILITY = look("ceiling", 0)._replace(dashes=(0, (5, 2)), width=1.8)
HEIGHT = 6.6
ROW, FRAME = 0.24, 1.5
"""Inches: of an image's line, and of what stands above and below all lines."""
MOST = 40
"""How many images the picture of rises has room for."""
SCORES: Mapping[Scale, str] = {"raw": "change of P", "log": "change of log P"}
"""What a score is, in the words of an axis."""
NOTHING = "No image could be scored."


class Line(NamedTuple):
    """One line of the benchmark with the images that were scored, repeat after repeat."""

    label: str
    role: Role
    images: tuple[Course, ...]


class Results(NamedTuple):
    """What every drawing draws from."""

    lines: tuple[Line, ...]
    scoring: Scoring
    draws: Draws

    @property
    def first(self) -> Line:
        """The line that everything else is compared with."""
        return self.lines[0]

    @property
    def across(self) -> str:
        """What the steps are called."""
        return {"grey": "Share of grey (%)", "blur": "Blur (%)", "hue": "Turn of the hue (%)"}[
            self.scoring.perturbation
        ]


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Probability and scores against the perturbation; and how far each concept rises."""
    labels = sorted(rows, key=lambda label: ORDER.index(roles[label]))
    lines = tuple(
        Line(label, roles[label], _scored_images(rows[label], scoring)) for label in labels
    )
    results = Results(lines, scoring, Draws(resampling))
    if not results.first.images:
        return {}
    return {
        "low-level": against_perturbation(results),
        "low-level-rises": rises_of_concepts(results),
    }


def _scored_images(repeats: Sequence[Rows], scoring: Scoring) -> tuple[Course, ...]:
    images = (image for table in repeats for image in courses(table))
    return tuple(image for image in images if not reason_not_scored(image, scoring))


def against_perturbation(results: Results) -> Drawing:
    """One image on the left, the mean of all on the right; raw above, log P below."""
    figure = blank_figure(WIDE, HEIGHT)
    # the engine does not see labels beside a second vertical axis: it gets room for them
    figure.set_layout_engine("constrained", w_pad=0.14)
    axes = figure.subplots(2, 2, sharex=True)
    example = _example(results)
    words = []
    for row, scale in zip(axes, SCALES, strict=True):
        _example_panel(row[0], results, example, scale)
        words.append(_mean_panel(row[1], results, scale))
    for ax in axes[1]:
        ax.set_xlabel(results.across, color=INK)
    count = len({image.case for image in results.first.images})
    titles = f"(a) {fill(example.class_name, 40)}", f"(b) mean of {count} images"
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, color=INK, fontsize=HEADING, parse_math=False)
    legend(figure, *axes.flat, below=True)
    level = level_words(results.draws.resampling)
    caption = (
        f"Probability of the class and scores of concepts while images lose what makes their "
        f"class ({results.first.label}). Above: scores as changes of the probability P, as in the "
        f"paper; below: as changes of log P. Bands are {level} intervals over images."
    )
    return Drawing(figure, "Scores against the perturbation", caption, " ".join(words))


def _example(results: Results) -> Course:
    """An image of the first target that was scored."""
    order = [target.class_name for target in results.scoring.targets]
    return min(results.first.images, key=lambda image: order.index(image.class_name))


def _example_panel(ax: Axes, results: Results, image: Course, scale: Scale) -> None:
    """The probability and the scores of all concepts of one image."""
    across, scores = 100 * image.blends, of_scale(image, scale)
    place = image.concepts.index(image.matching)
    others = np.delete(scores, place, axis=1)
    faint: dict[str, Any] = {"color": PALE, "linewidth": 0.8, "zorder": 1}
    for number, curve in enumerate(others.T):
        ax.plot(across, curve, label="every other concept" if number == 0 else None, **faint)
    ax.plot(across, scores[:, place], label="score of the matching concept", **MATCHING.line())
    ax.annotate(
        image.matching,
        (across[-1], scores[-1, place]),
        xytext=(-4, 6),
        textcoords="offset points",
        color=MATCHING.colour,
        fontsize=WORDS,
        ha="right",
        parse_math=False,
    )
    ax.margins(y=0.12)
    _axes(ax, SCORES[scale])
    _probability(ax, across, Band(*[image.probability] * 3), scale, shaded=False)


def _probability(
    ax: Axes, across: Float64[np.ndarray, " steps"], band: Band, scale: Scale, *, shaded: bool
) -> None:
    """P of the class: on the same axis as raw scores, on one of its own beside log P."""
    probability_ax = ax if scale == "raw" else ax.twinx()
    curve = Curve("probability P of the class", "entry", across, band)
    draw_curve(probability_ax, curve, PROBABILITY, marked=(), shaded=shaded)
    if probability_ax is not ax:
        probability_ax.set_ylim(0, 1.02)
        probability_ax.set_ylabel("P", color=INK)
        probability_ax.tick_params(colors=INK, length=3)
        probability_ax.spines["top"].set_visible(False)


def _mean_panel(ax: Axes, results: Results, scale: Scale) -> str:
    """Means over images: the matching concept, those of other targets, and the floors."""
    images = results.first.images
    across = 100 * images[0].blends
    probability = _mean(results, images, [image.probability for image in images])
    matching = _mean(results, images, [_matching(image, scale) for image in images])
    curves = [Curve("score of the matching concept", "entry", across, matching)]
    rivals = [_rivals(image, scale, results.scoring) for image in images]
    if rivals[0].size:
        others = _mean(results, images, [scores.mean(1) for scores in rivals])
        curves.append(Curve("mean of the other targets' concepts", "entry", across, others))
    for line in results.lines[1:]:
        if line.images and line.role == "floor":
            values = [_matching(image, scale) for image in line.images]
            mean = _mean(results, line.images, values)
            curves.append(Curve(line.label, "floor", across, mean))
    draw_curves(ax, curves)
    _axes(ax, "")
    _probability(ax, across, probability, scale, shaded=True)
    ends = ", ".join(f"{value:.2f}" for value in (matching.values[0], matching.values[-1]))
    fall = " to ".join(f"{value:.2f}" for value in probability.values[[0, -1]])
    return (
        f"{SCORES[scale].capitalize()}: the mean score of the matching concept goes from "
        f"{ends.replace(', ', ' to ')} while the probability goes from {fall}."
    )


def _matching(image: Course, scale: Scale) -> Float64[np.ndarray, " steps"]:
    return of_scale(image, scale)[:, image.concepts.index(image.matching)]


def _rivals(image: Course, scale: Scale, scoring: Scoring) -> Float64[np.ndarray, "steps concepts"]:
    """Scores of the concepts that match other targets' classes."""
    own = {image.matching, *scoring.alike(image)}
    chosen = [name in scoring.matching() and name not in own for name in image.concepts]
    return of_scale(image, scale)[:, chosen]


def _mean(results: Results, images: Sequence[Course], curves: Sequence[np.ndarray]) -> Band:
    return band(case_names(images), np.stack(curves).astype(np.float64), results.draws)


def _axes(ax: Axes, upwards: str) -> None:
    style_axes(ax, upwards=upwards)
    ax.axhline(0, color=INK, linewidth=0.8)


def rises_of_concepts(results: Results) -> Drawing:
    """One line an image: how far the matching concept rises, beside all others."""
    images = results.first.images[:MOST]
    scale = results.scoring.score
    height = FRAME + ROW * len(images)
    figure = blank_figure(WIDE, height, laid_out=True)
    ax = figure.add_subplot()
    for place, image in enumerate(images):
        _line_of_rises(ax, results.scoring, place, image)
    style_axes(ax, f"Rise of the score ({SCORES[scale]}) from the first to the last step")
    names: dict[str, Any] = {"color": INK, "fontsize": WORDS, "parse_math": False}
    ax.set_yticks(range(len(images)), [_name(image) for image in images], **names)
    ax.set_ylim(len(images) - 0.4, -0.6)
    ax.axvline(0, color=INK, linewidth=0.8)
    legend(figure, ax, below=True)
    caption = (
        "How far the score of the matching concept, of the concepts that match other targets, "
        f"and of all other concepts rises in each image ({results.first.label})."
    )
    words = [f"{_name(image)}: {_rises(image, scale)[image.matching]:.2f}" for image in images]
    text = f"Rises of the matching concept. {'; '.join(words)}."
    return Drawing(figure, "How far concepts rise", caption, text)


def _name(image: Course) -> str:
    return f"{image.class_name} ({image.matching})"


def _rises(image: Course, scale: Scale) -> dict[str, float]:
    scores = of_scale(image, scale)
    return dict(zip(image.concepts, (scores[-1] - scores[0]).tolist(), strict=True))


def _line_of_rises(ax: Axes, scoring: Scoring, place: int, image: Course) -> None:
    rises = _rises(image, scoring.score)
    own, alike = {image.matching}, set(scoring.alike(image))
    rivals = set(scoring.matching()) - own - alike
    others = [rise for name, rise in rises.items() if name not in own | alike | rivals]
    targets = [rise for name, rise in rises.items() if name in rivals]
    groups: list[tuple[list[float], str, dict[str, Any]]] = [
        (others, "all other concepts", {"marker": "|", "color": PALE, "s": 36}),
        (targets, "other targets' concepts", {"marker": "s", "color": RIVALS.colour, "s": 20}),
        (
            [rises[image.matching]],
            "the matching concept",
            {"marker": "o", "color": MATCHING.colour},
        ),
    ]
    for values, label, style in groups:
        ax.scatter(values, [place] * len(values), label=None if place else label, **style)
