"""Grad-CAM of two classifiers side by side: where each looks when it is right or wrong."""

from collections.abc import Mapping, Sequence
from typing import cast

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from xbench import Bench, Case, Drawing, Entry, Rows, subject_of
from xbench.figures import FAINT, GREEN, HEADING, RED, SMALL, TINY, WORDS, blank_figure
from xbench_explicable.pictures.caption import frame, short, write_at
from xbench_explicable.pictures.paired_answers import (
    Group,
    PairedAnswer,
    class_names,
    group_words,
    grouped,
    paired_answers,
    similarity_digits,
)
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.maps.map_figure import enlarged_pixels, overlaid, show
from xbench_saliency.maps.saliency_map import SaliencyMap

CELL, GAP, BETWEEN, MARGIN = 1.2, 0.07, 0.35, 0.12
CAPTION, HEAD, KEY = 0.42, 0.66, 0.3
"""Inches: side of a picture, beside it, between groups, around; below it, above groups, key."""
NAMED = 17
"""Letters of a class name that fit below a picture."""

Maps = Mapping[Case, SaliencyMap]
"""Maps by case."""


def side_by_side(
    entries: Mapping[str, Entry],
    rows: Mapping[str, Rows],
    bench: Bench,
    *,
    a: str,
    b: str,
    count: int = 5,
) -> Drawing:
    """What speaks for the class that each classifier predicts, for images of three groups.

    Both wrong and b nearer to the truth (both wrong, if there is no such image); b right and
    a wrong; both right. `rows` has one row per case with the columns case, set, image, label,
    predicted and similarity. Grad-CAM is taken at the layer where the entry's classifier is cut.
    """
    names = class_names(entries, a)
    groups = answer_groups(paired_answers(rows, a, b), count)
    answers = [answer for group in groups for answer in group.answers]
    maps = [maps_of(entries[label], answers, bench) for label in (a, b)]
    figure, digits = _figure(groups), similarity_digits(groups)
    _key(figure, (a, b))
    for place, group in enumerate(groups):
        left = MARGIN + place * (3 * CELL + 2 * GAP + BETWEEN)
        _heading(figure, group, left)
        for row, answer in enumerate(group.answers):
            image = entries[a].datasets[answer.set].batch([answer.image]).images[0]
            overlays = [overlaid(by_case[answer.case], image) for by_case in maps]
            top = figure.get_figheight() - MARGIN - KEY - HEAD - row * (CELL + CAPTION)
            _row(figure, answer, [enlarged_pixels(image), *overlays], (left, top), names, digits)
    caption = (
        f"Grad-CAM of {a} and {b}, each for the class that it predicts: red regions speak for "
        "it, each map on its own scale. Below the maps the predicted class and the similarity of "
        "the true class to it. Of each group the images whose similarities differ most, "
        "then by number; no true class again before all others."
    )
    title = f"Where {a} and {b} look"
    text = f"a is {a}, b is {b}. {group_words(groups, names, a, b)}"
    return Drawing(figure, title, caption, text)


def answer_groups(answers: Sequence[PairedAnswer], count: int) -> list[Group]:
    """The three groups of the paper's figure."""
    mistakes = [answer for answer in answers if answer.right == (False, False)]
    nearer = [answer for answer in mistakes if answer.gain > 0]
    title = "Both wrong, b nearer to the truth" if nearer else "Both wrong"
    mended = [answer for answer in answers if answer.right == (False, True)]
    right = [answer for answer in answers if answer.right == (True, True)]
    return [
        grouped(title, nearer or mistakes, count),
        grouped("b right, a wrong", mended, count),
        grouped("Both right", right, count),
    ]


def maps_of(entry: Entry, answers: Sequence[PairedAnswer], bench: Bench) -> Maps:
    """Grad-CAM of the class that the entry's network predicts, for each of the images."""
    subject, maps = subject_of(entry), dict[Case, SaliencyMap]()
    for name in dict.fromkeys(answer.set for answer in answers):
        set_answers = [answer for answer in answers if answer.set == name]
        ids = [answer.image for answer in set_answers]
        explanations = bench.explanations(GradCam(), subject, entry.datasets[name], ids)
        saliency_maps = cast("Sequence[SaliencyMap]", explanations)
        maps |= dict(zip((answer.case for answer in set_answers), saliency_maps, strict=True))
    return maps


def _figure(groups: Sequence[Group]) -> Figure:
    rows = max(1, *(len(group.answers) for group in groups))
    width = 2 * MARGIN + len(groups) * (3 * CELL + 2 * GAP + BETWEEN) - BETWEEN
    height = 2 * MARGIN + KEY + HEAD + rows * (CELL + CAPTION)
    return blank_figure(width, height)


def _key(figure: Figure, labels: tuple[str, str]) -> None:
    """Which classifiers a and b are."""
    text = ",   ".join(f"{letter}: {label}" for letter, label in zip("ab", labels, strict=True))
    write_at(figure, (MARGIN, figure.get_figheight() - MARGIN), text, fontsize=WORDS, color=FAINT)


def _heading(figure: Figure, group: Group, left: float) -> None:
    """The group's title and what its columns show."""
    top = figure.get_figheight() - MARGIN - KEY
    write_at(figure, (left, top), group.title, fontsize=HEADING, fontweight="bold")
    images = "1 image" if group.total == 1 else f"{group.total} images"
    write_at(figure, (left, top - 0.2), images if group.total else "no such image", fontsize=SMALL)
    if not group.answers:
        return
    for column, name in enumerate(("image", "a", "b")):
        at = left + column * (CELL + GAP), top - HEAD + 0.2
        write_at(figure, at, name, fontsize=SMALL, color=FAINT)


def _row(
    figure: Figure,
    answer: PairedAnswer,
    pictures: Sequence[Float[Tensor, "3 _ _"]],
    at: tuple[float, float],
    names: Sequence[str],
    digits: int,
) -> None:
    """The image and the two maps, with captions below."""
    below = at[1] - CELL - 0.04
    for column, picture in enumerate(pictures):
        place = at[0] + column * (CELL + GAP), at[1]
        show(figure.add_axes(frame(figure, place, CELL)), picture)
    true = short(names[answer.label], NAMED)
    write_at(figure, (at[0], below), true, fontsize=SMALL, fontweight="bold")
    write_at(
        figure, (at[0], below - 0.155), f"{answer.set} {answer.image}", fontsize=TINY, color=FAINT
    )
    predictions = zip(answer.predicted, answer.similarity, answer.right, strict=True)
    for column, (label, value, right) in enumerate(predictions, start=1):
        left, colour = at[0] + column * (CELL + GAP), GREEN if right else RED
        write_at(figure, (left, below), short(names[label], NAMED), fontsize=SMALL, color=colour)
        verdict = f"{'right' if right else 'wrong'} · {value:.{digits}f}"
        write_at(figure, (left, below - 0.155), verdict, fontsize=TINY, color=FAINT)
