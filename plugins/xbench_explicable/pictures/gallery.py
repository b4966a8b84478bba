"""The gallery of mistakes: what two classifiers took images for that both got wrong."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from xbench import Drawing, Entry, Rows
from xbench.figures import COLOURS, HEADING, SMALL, TINY, blank_figure, share_text
from xbench_explicable.pictures.caption import LEAST, frame, short, write_at
from xbench_explicable.pictures.paired_answers import (
    Group,
    PairedAnswer,
    class_names,
    group_words,
    grouped,
    paired_answers,
    similarity_digits,
)
from xbench_saliency.maps.map_figure import enlarged_pixels, show

CELL, GAP, CAPTION, HEAD, KEY, MARGIN = 1.5, 0.14, 0.66, 0.42, 0.24, 0.12
"""Inches: side of a photograph, between two, below one, above a group, of the key, around all."""
NAMED = 19
"""Letters of a class name that fit below a photograph."""
A, B = COLOURS[:2]


def gallery(
    entries: Mapping[str, Entry], rows: Mapping[str, Rows], *, a: str, b: str, count: int = 6
) -> Drawing:
    """Images that both classifiers get wrong: b nearer to the truth, a nearer, the same class.

    `rows` has one row per case with the columns case, set, image, label, predicted and
    similarity. Shown are those whose similarities differ most, ties in the order of rows.
    """
    names = class_names(entries, a)
    mistakes = [answer for answer in paired_answers(rows, a, b) if not any(answer.right)]
    groups = mistake_groups(mistakes, a, b, count)
    digits = similarity_digits(groups)
    figure = _figure(groups)
    top = figure.get_figheight() - MARGIN
    _key(figure, (a, b), top)
    top -= KEY
    for group in groups:
        _heading(figure, group, len(mistakes), top)
        top -= HEAD
        for place, answer in enumerate(group.answers):
            image = entries[a].datasets[answer.set].batch([answer.image]).images[0]
            at = MARGIN + place * (CELL + GAP), top
            show(figure.add_axes(frame(figure, at, CELL)), enlarged_pixels(image))
            _caption(figure, answer, (at[0], top - CELL), names, digits)
        top -= _height(group)
    caption = (
        f"Images that both {a} and {b} get wrong, with the true class and what each took them "
        "for; numbers are similarities of the true class to that. Of each group the images whose "
        "similarities differ most, then by number; no true class again before all others. Other "
        "classes that are equally near are not shown."
    )
    title = f"Mistakes of {a} and {b}"
    return Drawing(figure, title, caption, group_words(groups, names, a, b))


def mistake_groups(mistakes: Sequence[PairedAnswer], a: str, b: str, count: int) -> list[Group]:
    """Mistakes of both, by whose is nearer to the truth; equally near ones are left out."""
    same = [answer for answer in mistakes if answer.predicted[0] == answer.predicted[1]]
    nearer_b = [answer for answer in mistakes if answer.gain > 0]
    nearer_a = [answer for answer in mistakes if answer.gain < 0]
    return [
        grouped(f"{b} is nearer to the truth", nearer_b, count),
        grouped(f"{a} is nearer to the truth", nearer_a, count),
        grouped("Both say the same", same, count),
    ]


def _height(group: Group) -> float:
    return CELL + CAPTION if group.answers else 0.0


def _figure(groups: Sequence[Group]) -> Figure:
    columns = max(4, *(len(group.answers) for group in groups))
    width = 2 * MARGIN + columns * (CELL + GAP) - GAP
    height = 2 * MARGIN + KEY + sum(HEAD + _height(group) for group in groups)
    return blank_figure(width, height)


def _heading(figure: Figure, group: Group, mistake_count: int, top: float) -> None:
    share = (
        f"{group.total} of {mistake_count} images ({share_text(group.total / mistake_count, 0)})"
        if mistake_count
        else "no image"
    )
    text = f"{group.title}: {share}"
    write_at(
        figure, (MARGIN, top - HEAD / 2), text, fontsize=HEADING, fontweight="bold", va="center"
    )


def _key(figure: Figure, labels: tuple[str, str], top: float) -> None:
    """What the lines below an image are."""
    write_at(figure, (MARGIN, top), "true class", fontsize=SMALL, fontweight="bold")
    for place, (letter, label, colour) in enumerate(zip("ab", labels, (A, B), strict=True)):
        text = f"{letter}: {short(label, 30)}, similarity"
        write_at(figure, (MARGIN + 0.9 + place * 2.9, top), text, fontsize=SMALL, color=colour)


def _caption(
    figure: Figure, answer: PairedAnswer, at: tuple[float, float], names: Sequence[str], digits: int
) -> None:
    """The true class, and below it what a and b said."""
    left, top = at[0], at[1] - 0.05
    true = short(names[answer.label], NAMED)
    write_at(figure, (left, top), true, fontsize=SMALL, fontweight="bold")
    room = NAMED + LEAST - digits  # longer numbers leave less
    predictions = zip("ab", answer.predicted, answer.similarity, (A, B), strict=True)
    for line, (letter, label, value, colour) in enumerate(predictions, start=1):
        text = f"{letter}: {short(names[label], room)} {value:.{digits}f}"
        write_at(figure, (left, top - 0.165 * line), text, fontsize=TINY, color=colour)
