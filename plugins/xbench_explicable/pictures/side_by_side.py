"""Grad-CAM of two classifiers side by side: where each looks when it is right or wrong."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from xbench import Artefacts, Drawing, Entry, Rows, Workplace
from xbench.figures import FAINT, GREEN, HEADING, RED, SMALL, TINY, WORDS, blank_figure
from xbench_explicable.pictures.caption import frame, short, write_at
from xbench_explicable.pictures.paired_answers import (
    Group,
    PairedAnswer,
    class_names,
    grouped,
    in_words,
    paired_answers,
    written,
)
from xbench_saliency.grad_cam import GradCam
from xbench_saliency.map_figure import enlarged_pixels, overlaid, show
from xbench_saliency.saliency_map import SaliencyMap

CELL, GAP, BETWEEN, MARGIN = 1.2, 0.07, 0.35, 0.12
CAPTION, HEAD, KEY = 0.42, 0.66, 0.3
"""Inches: side of a picture, beside it, between groups, around; below it, above groups, key."""
NAMED = 17
"""Letters of a class name that fit below a picture."""

Maps = Mapping[int, SaliencyMap]
"""Maps by case."""


def side_by_side(
    entries: Mapping[str, Entry],
    rows: Mapping[str, Rows],
    artefacts: Mapping[str, Artefacts],
    workplace: Workplace,
    *,
    a: str,
    b: str,
    count: int = 5,
) -> Drawing:
    """What speaks for the class that each classifier predicts, for images of three groups.

    Both wrong and b nearer to the truth (both wrong, if there is no such image); b right and
    a wrong; both right. `rows` has one row per case with the columns case, set, image, label,
    predicted and similarity; `artefacts` of each entry has its `weights`. Grad-CAM is taken at
    the layer where the entry's classifier is cut.
    """
    names = class_names(entries, a)
    groups = answer_groups(paired_answers(rows, a, b), count)
    shown = [one for group in groups for one in group.shown]
    maps = [maps_of(entries[label], artefacts[label], shown, workplace) for label in (a, b)]
    figure, digits = _figure(groups), written(groups)
    _key(figure, (a, b))
    for place, group in enumerate(groups):
        left = MARGIN + place * (3 * CELL + 2 * GAP + BETWEEN)
        _heading(figure, group, left)
        for row, one in enumerate(group.shown):
            image = entries[a].datasets[one.set].batch([one.image]).images[0]
            pictures = [enlarged_pixels(image), *(overlaid(of[one.case], image) for of in maps)]
            top = figure.get_figheight() - MARGIN - KEY - HEAD - row * (CELL + CAPTION)
            _row(figure, one, pictures, (left, top), names, digits)
    caption = (
        f"Grad-CAM of {a} and {b}, each for the class that it predicts: red regions speak for "
        "it, each map on its own scale. Below the maps the predicted class and the similarity of "
        "the true class to it. Of each group the images whose similarities differ most, "
        "then by number; no true class again before all others."
    )
    title = f"Where {a} and {b} look"
    text = f"a is {a}, b is {b}. {in_words(groups, names, a, b)}"
    return Drawing(figure, title, caption, text)


def answer_groups(answers: Sequence[PairedAnswer], count: int) -> list[Group]:
    """The three groups of the paper's figure."""
    wrong = [one for one in answers if one.right == (False, False)]
    nearer = [one for one in wrong if one.gain > 0]
    title = "Both wrong, b nearer to the truth" if nearer else "Both wrong"
    mended = [one for one in answers if one.right == (False, True)]
    right = [one for one in answers if one.right == (True, True)]
    return [
        grouped(title, nearer or wrong, count),
        grouped("b right, a wrong", mended, count),
        grouped("Both right", right, count),
    ]


def maps_of(
    entry: Entry, artefacts: Artefacts, shown: Sequence[PairedAnswer], workplace: Workplace
) -> Maps:
    """Grad-CAM of the class that the entry's network predicts, for each of the images."""
    network = workplace.network(entry.classifier, artefacts["weights"])
    explainer = GradCam()
    found: dict[int, SaliencyMap] = {}
    for name in dict.fromkeys(one.set for one in shown):
        cases = [one for one in shown if one.set == name]
        for start in range(0, len(cases), workplace.batch_size):
            some = cases[start : start + workplace.batch_size]
            batch = entry.datasets[name].batch([one.image for one in some])
            moved = batch.to(workplace.device)
            maps = explainer.explain(network, moved, artefacts, entry.source())
            found |= {one.case: map_ for one, map_ in zip(some, maps, strict=True)}
    return found


def _figure(groups: Sequence[Group]) -> Figure:
    rows = max(1, *(len(group.shown) for group in groups))
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
    if not group.shown:
        return
    for column, name in enumerate(("image", "a", "b")):
        at = left + column * (CELL + GAP), top - HEAD + 0.2
        write_at(figure, at, name, fontsize=SMALL, color=FAINT)


def _row(
    figure: Figure,
    one: PairedAnswer,
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
    true = short(names[one.label], NAMED)
    write_at(figure, (at[0], below), true, fontsize=SMALL, fontweight="bold")
    write_at(figure, (at[0], below - 0.155), f"{one.set} {one.image}", fontsize=TINY, color=FAINT)
    answers = zip(one.predicted, one.similarity, one.right, strict=True)
    for column, (label, value, right) in enumerate(answers, start=1):
        left, colour = at[0] + column * (CELL + GAP), GREEN if right else RED
        write_at(figure, (left, below), short(names[label], NAMED), fontsize=SMALL, color=colour)
        verdict = f"{'right' if right else 'wrong'} · {value:.{digits}f}"
        write_at(figure, (left, below - 0.155), verdict, fontsize=TINY, color=FAINT)
