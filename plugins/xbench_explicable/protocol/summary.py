"""From rows to scores of the explicability protocol."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64, Shaped

from xbench import CaseScores, MismatchError, Rows, Tree, Unit, case_places
from xbench_explicable.kernels.explicability import (
    TIE,
    Pair,
    chances,
    hard_points,
    pair_counts,
    soft_points,
)
from xbench_explicable.protocol.rows import LOSS

NUMBERS = (
    "label",
    "predicted",
    "similarity",
    "chance",
    "best",
    "closer",
    "level",
    "classes",
    "distance",
    "distance_chance",
)
TIE_RULE = f"similarities are equal if they differ by at most {TIE:g} of the larger"


class AnswerColumns(NamedTuple):
    """What one classifier takes the images of one set for, image by image."""

    repeats: Int64[np.ndarray, " n"]
    cases: Shaped[np.ndarray, " n"]
    values: Mapping[str, np.ndarray]

    @property
    def wrong(self) -> Bool[np.ndarray, " n"]:
        """Which images are taken for another class."""
        return self.values["label"] != self.values["predicted"]

    def masked(self, mask: Bool[np.ndarray, " n"]) -> "AnswerColumns":
        """These images alone."""
        values = {name: column[mask] for name, column in self.values.items()}
        return AnswerColumns(self.repeats[mask], self.cases[mask], values)


class CommonMistakes(NamedTuple):
    """What several classifiers take the images of one set for that all of them get wrong."""

    labels: tuple[str, ...]
    cases: Shaped[np.ndarray, " images"]
    mistakes: tuple[AnswerColumns, ...]

    def stacked(self, name: str) -> np.ndarray:
        """A column of all classifiers, one row each."""
        return np.stack([columns.values[name] for columns in self.mistakes])

    @property
    def comparable(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.labels) > 1


class Points(NamedTuple):
    """Hard and soft points of each classifier and image, and those of random wrong classes."""

    hard: Float64[np.ndarray, "classifiers images"]
    soft: Float64[np.ndarray, "classifiers images"]
    hard_chance: Float64[np.ndarray, "classifiers images"]
    soft_chance: Float64[np.ndarray, "classifiers images"]


def answers_by_set(rows: Mapping[str, Rows]) -> dict[str, dict[str, AnswerColumns]]:
    """By set and label what was seen, in the order of cases; all labels saw the same images."""
    by_label = {label: _by_set(table) for label, table in rows.items()}
    first, by_set = next(iter(by_label)), dict[str, dict[str, AnswerColumns]]()
    for label, own_sets in by_label.items():
        for name in dict.fromkeys((*by_label[first], *own_sets)):
            first_columns, columns = by_label[first].get(name), own_sets.get(name)
            if first_columns is None or columns is None or not _same_images(first_columns, columns):
                raise MismatchError(
                    f"{label!r} and {first!r} were evaluated on different images of set {name!r}; "
                    "mistakes are compared on the same images"
                )
            by_set.setdefault(name, {})[label] = columns
    return by_set


def _same_images(first: AnswerColumns, second: AnswerColumns) -> bool:
    columns = zip(
        (first.cases, first.repeats, first.values["label"]),
        (second.cases, second.repeats, second.values["label"]),
        strict=True,
    )
    return all(np.array_equal(column, other) for column, other in columns)


def _by_set(table: Rows) -> dict[str, AnswerColumns]:
    names = table.column("set").cast(pa.string()).combine_chunks().dictionary_encode()
    numbers = names.indices.to_numpy(zero_copy_only=False)
    repeats, cases = _array(table, "repeat"), case_places(table)
    losses = [name for name in table.column_names if name.startswith(LOSS)]
    columns = {name: _array(table, name) for name in (*NUMBERS, *losses)}
    by_set = {}
    for number, name in enumerate(names.dictionary.to_pylist()):
        rows = np.flatnonzero(numbers == number)
        rows = rows[np.lexsort((cases.places[rows], repeats[rows]))]
        values = {name: column[rows] for name, column in columns.items()}
        by_set[name] = AnswerColumns(repeats[rows], cases.rows[rows], values)
    return by_set


def _array(table: Rows, name: str) -> np.ndarray:
    return table.column(name).to_numpy()


def common_mistakes(answers: Mapping[str, AnswerColumns]) -> CommonMistakes:
    """The images that all classifiers get wrong: the paper's M."""
    wrong = np.logical_and.reduce([columns.wrong for columns in answers.values()])
    mistakes = tuple(columns.masked(wrong) for columns in answers.values())
    return CommonMistakes(tuple(answers), mistakes[0].cases, mistakes)


def common_points(common: CommonMistakes) -> Points:
    """Hard and soft points of each classifier."""
    similarities = common.stacked("similarity")
    if not similarities.shape[1]:
        return Points(*(np.zeros(similarities.shape) for _ in Points._fields))
    wrong = common.mistakes[0].values["classes"].astype(np.int64) - 1
    closer, level = (common.stacked(name).astype(np.int64) for name in ("closer", "level"))
    expected = chances(similarities, closer, level, wrong)
    return Points(hard_points(similarities), soft_points(similarities), *expected)


def scores_by_label(rows: Mapping[str, Rows], losses: Sequence[str]) -> dict[str, list[CaseScores]]:
    """All scores of each entry, measure by measure and set by set."""
    scores: dict[str, list[CaseScores]] = {label: [] for label in rows}
    for name, answers in answers_by_set(rows).items():
        common = common_mistakes(answers)
        points = common_points(common) if common.comparable else None
        for place, label in enumerate(common.labels):
            columns, mistakes = answers[label], common.mistakes[place]
            # chances are there even without a mistake
            has_tree = not np.isnan(columns.values["distance_chance"]).all()
            scores[label] += _own_scores(name, columns, losses, has_tree=has_tree)
            scores[label] += _nearness_scores(
                f"of common mistakes@{name}", mistakes, has_tree=has_tree, headline=True
            )
            if points is not None:
                scores[label] += _point_scores(name, common.cases, points, place)
    return {label: _sorted_scores(own_scores) for label, own_scores in scores.items()}


def _own_scores(
    name: str, columns: AnswerColumns, losses: Sequence[str], *, has_tree: bool
) -> Iterator[CaseScores]:
    """What does not depend on other entries."""
    right = _score(f"accuracy@{name}", columns, (~columns.wrong).astype(np.float64), headline=True)
    yield replace(right, ranking=False)
    yield from _nearness_scores(
        f"of own mistakes@{name}", columns.masked(columns.wrong), has_tree=has_tree
    )
    for label in losses:
        values = columns.values[f"{LOSS}{label}"]
        yield _score(f"{LOSS}{label}@{name}", columns, values, "lower", "number")


def _nearness_scores(
    mistakes: str, columns: AnswerColumns, *, has_tree: bool, headline: bool = False
) -> Iterator[CaseScores]:
    """How near mistakes are to the truth: as D says, as a share of the nearest, in a tree."""
    similarity, chance, best, distance, distance_chance = (
        columns.values[name]
        for name in ("similarity", "chance", "best", "distance", "distance_chance")
    )
    yield _score(f"similarity {mistakes}", columns, similarity, chance=chance, headline=headline)
    yield _score(
        f"closeness {mistakes}",
        columns,
        _closeness(similarity, best),
        chance=_closeness(chance, best),
    )
    if has_tree:
        yield _score(
            f"distance {mistakes}", columns, distance, "lower", "number", chance=distance_chance
        )


def _closeness(
    values: Float64[np.ndarray, " n"], best: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """As shares of the best; 1 where no wrong class is like the true one at all."""
    return np.divide(values, best, out=np.ones_like(values), where=best > 0)


def _point_scores(
    name: str, cases: Shaped[np.ndarray, " images"], points: Points, place: int
) -> Iterator[CaseScores]:
    for kind, values, chance in (
        ("hard", points.hard, points.hard_chance),
        ("soft", points.soft, points.soft_chance),
    ):
        expected = float(chance[place].mean()) if len(cases) else None
        yield CaseScores(f"{kind} score@{name}", "higher", cases, values[place], chance=expected)


def _score(
    name: str,
    columns: AnswerColumns,
    values: Float64[np.ndarray, " n"],
    direction: Literal["higher", "lower"] = "higher",
    unit: Unit = "share",
    *,
    chance: Float64[np.ndarray, " n"] | None = None,
    headline: bool = False,
) -> CaseScores:
    expected = float(chance.mean()) if chance is not None and len(chance) else None
    return CaseScores(name, direction, columns.cases, values, headline, unit, expected)


ORDER = (
    "accuracy",
    "hard score",
    "soft score",
    "similarity of common mistakes",
    "closeness of common mistakes",
    "distance of common mistakes",
    "similarity of own mistakes",
    "closeness of own mistakes",
    "distance of own mistakes",
)


def _sorted_scores(scores: Sequence[CaseScores]) -> list[CaseScores]:
    """By measure in the order in which tables show them, and by set within."""

    def place(score: CaseScores) -> int:
        measure = score.name.partition("@")[0]
        return ORDER.index(measure) if measure in ORDER else len(ORDER)

    return sorted(scores, key=place)


def pairs(answers: Mapping[str, AnswerColumns]) -> dict[str, dict[str, Pair]]:
    """How the mistakes of each two classifiers compare, where both are wrong."""
    labels, columns = tuple(answers), list(answers.values())
    wrong = [own.wrong for own in columns]
    predicted = np.stack([own.values["predicted"] for own in columns]).astype(np.int64)
    similarities = np.stack([own.values["similarity"] for own in columns])
    comparisons: dict[str, dict[str, Pair]] = {label: {} for label in labels}
    for first, second in itertools.combinations(range(len(columns)), 2):
        members, both_wrong = [first, second], wrong[first] & wrong[second]
        pair = pair_counts(predicted[members][:, both_wrong], similarities[members][:, both_wrong])
        comparisons[labels[first]][labels[second]] = pair
        turned = pair._replace(closer=pair.farther, farther=pair.closer)
        comparisons[labels[second]][labels[first]] = turned
    return comparisons


def notes_by_label(rows: Mapping[str, Rows]) -> dict[str, Tree]:
    """Of each entry: counts by set and repeat, and pairs over all repeats."""
    by_set = answers_by_set(rows)
    notes: dict[str, Tree] = {
        label: {
            "compared": list(rows),
            "ties": TIE_RULE,
            "labels_needed": _labels_needed(table),
            "sets": {},
        }
        for label, table in rows.items()
    }
    for name, answers in by_set.items():
        common, comparisons = common_mistakes(answers), pairs(answers)
        repeats = np.unique(next(iter(answers.values())).repeats)
        for place, label in enumerate(common.labels):
            notes[label]["sets"][name] = {
                **_counts(common, place, repeats),
                "pairs": {
                    other: _pair_shares(comparisons[label][other])
                    for other in answers
                    if other != label
                },
            }
    return notes


def _labels_needed(table: Rows) -> int:
    return int(pc.max(table.column("labels_needed")).as_py() or 0)


def _counts(common: CommonMistakes, place: int, repeats: Int64[np.ndarray, " r"]) -> Tree:
    """The paper's counts, a list over repeats each."""
    masks = [common.mistakes[0].repeats == repeat for repeat in repeats]
    same = (common.stacked("predicted") == common.stacked("predicted")[0]).all(0)
    counts: Tree = {
        "common_mistakes": [int(mask.sum()) for mask in masks],
        "same_class": [int(same[mask].sum()) for mask in masks],
    }
    if not common.comparable:
        return {**counts, "scores": "hard and soft need a second classifier to compare with"}
    points = common_points(common)
    for kind, values in (("hard", points.hard), ("soft", points.soft)):
        counts[kind] = [round(float(values[place][mask].sum()), 6) for mask in masks]
    return counts


def _pair_shares(pair: Pair) -> Tree:
    """A pair's counts as shares of the images that both get wrong."""
    images = pair.images
    shares = {name: count / images if images else None for name, count in pair._asdict().items()}
    return {"images": images, **shares}
