"""Pictures of the shift protocol."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    INK,
    WIDE,
    WORDS,
    Curve,
    blank_figure,
    draw_curves,
    legend,
    level_words,
    number_words,
    percent,
    style_axes,
)
from xbench_softlabels.shift.summary import BASE, SetAnswers, answers_by_set

HEIGHT = 3.4
"""Inches."""
PANELS = (("correct", "Accuracy (%)"), ("cross_entropy", "Cross-entropy (nats)"))
IDEAL = "ideal observer"


def figures(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], resampling: Resampling
) -> dict[str, Drawing]:
    """Both measures of every entry, from the known set to the one that is farthest."""
    sets = {label: _all_repeats(tables) for label, tables in rows.items()}
    names = _order(next(iter(sets.values())))
    if len(names) < 2:
        return {}
    draws, words = Draws(resampling), list[str]()
    figure = blank_figure(WIDE, HEIGHT, laid_out=True)
    for ax, (key, upwards) in zip(figure.subplots(1, 2), PANELS, strict=True):
        curves = [_curve(label, roles[label], of, names, key, draws) for label, of in sets.items()]
        curves += _ideal(sets, names, draws) if key == "correct" else []
        draw_curves(ax, curves, marked=range(len(names)))
        _axes(ax, names, upwards)
        words += [_in_words(curve, names, upwards) for curve in curves]
    legend(figure, *figure.axes, below=True)
    caption = (
        "The known images, then sets that come from elsewhere, ordered by how often the first "
        "entry is right. An entry that gains by people's uncertainty lies lower on the right, and "
        f"the more so the farther a set is. Bands are {level_words(resampling)} intervals over "
        "images."
    )
    return {"shift": Drawing(figure, "Where images come from elsewhere", caption, " ".join(words))}


def _all_repeats(tables: Sequence[Rows]) -> dict[str, SetAnswers]:
    """The answers of all repeats, by set."""
    parts: dict[str, list[SetAnswers]] = {}
    for table in tables:
        for of in answers_by_set(table):
            parts.setdefault(of.name, []).append(of)
    return {name: _joined(name, every) for name, every in parts.items()}


def _joined(name: str, every: Sequence[SetAnswers]) -> SetAnswers:
    values = {key: np.concatenate([of.values[key] for of in every]) for key in every[0].values}
    return SetAnswers(name, np.concatenate([of.cases for of in every]), values)


def _order(sets: Mapping[str, SetAnswers]) -> list[str]:
    return sorted(sets, key=lambda name: (name != BASE, -sets[name].values["correct"].mean()))


def _curve(
    label: str,
    role: Role,
    sets: Mapping[str, SetAnswers],
    names: Sequence[str],
    key: str,
    draws: Draws,
) -> Curve:
    """The mean of a measure over each set."""
    bands = [band(sets[name].cases, sets[name].values[key][:, None], draws) for name in names]
    mean = Band(*(np.concatenate(parts) for parts in zip(*bands, strict=True)))
    return Curve(label, role, np.arange(len(names)), percent(mean) if key != PANELS[1][0] else mean)


def _ideal(
    sets: Mapping[str, Mapping[str, SetAnswers]], names: Sequence[str], draws: Draws
) -> list[Curve]:
    """How often the ideal observer is right, where it is known of all sets."""
    first = next(iter(sets.values()))
    if any(np.isnan(first[name].values["ideal"]).any() for name in names):
        return []
    return [_curve(IDEAL, "ceiling", first, names, "ideal", draws)]


def _axes(ax: Axes, names: Sequence[str], upwards: str) -> None:
    style_axes(ax, "", upwards)
    ax.set_xticks(range(len(names)), names, color=INK, fontsize=WORDS, parse_math=False)
    ax.tick_params(axis="x", labelrotation=30)


def _in_words(curve: Curve, names: Sequence[str], measure: str) -> str:
    pairs = zip(names, curve.band.values, strict=True)
    values = ", ".join(f"{number_words(float(value))} on {name}" for name, value in pairs)
    return f"{curve.label}: {measure} is {values}."
