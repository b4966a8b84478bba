"""From rows to scores of the explicability protocol."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from xbench import CaseScores, MismatchError, Rows, Tree, Unit
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


class Seen(NamedTuple):
    """What one classifier takes the images of one set for, image by image."""

    repeats: Int64[np.ndarray, " n"]
    cases: Int64[np.ndarray, " n"]
    values: Mapping[str, np.ndarray]

    @property
    def wrong(self) -> Bool[np.ndarray, " n"]:
        """Which images are taken for another class."""
        return self.values["label"] != self.values["predicted"]

    def at(self, chosen: Bool[np.ndarray, " n"]) -> "Seen":
        """These images alone."""
        values = {name: column[chosen] for name, column in self.values.items()}
        return Seen(self.repeats[chosen], self.cases[chosen], values)


class Together(NamedTuple):
    """What several classifiers take the images of one set for that all of them get wrong."""

    labels: tuple[str, ...]
    cases: Int64[np.ndarray, " images"]
    of_each: tuple[Seen, ...]

    def stacked(self, name: str) -> np.ndarray:
        """A column of all classifiers, one row each."""
        return np.stack([seen.values[name] for seen in self.of_each])

    @property
    def several(self) -> bool:
        """Whether there is anything to compare."""
        return len(self.labels) > 1


class Points(NamedTuple):
    """Hard and soft points of each classifier and image, and those of random wrong classes."""

    hard: Float64[np.ndarray, "classifiers images"]
    soft: Float64[np.ndarray, "classifiers images"]
    hard_chance: Float64[np.ndarray, "classifiers images"]
    soft_chance: Float64[np.ndarray, "classifiers images"]


def sets(rows: Mapping[str, Rows]) -> dict[str, dict[str, Seen]]:
    """By set and label what was seen, in the order of cases; all labels saw the same images."""
    by_label = {label: _by_set(table) for label, table in rows.items()}
    first, found = next(iter(by_label)), dict[str, dict[str, Seen]]()
    for label, of_label in by_label.items():
        for name in dict.fromkeys((*by_label[first], *of_label)):
            same, seen = by_label[first].get(name), of_label.get(name)
            if same is None or seen is None or not _same_images(same, seen):
                raise MismatchError(
                    f"{label!r} and {first!r} were evaluated on different images of set {name!r}; "
                    "mistakes are compared on the same images"
                )
            found.setdefault(name, {})[label] = seen
    return found


def _same_images(one: Seen, other: Seen) -> bool:
    cases = np.array_equal(one.cases, other.cases) and np.array_equal(one.repeats, other.repeats)
    return cases and np.array_equal(one.values["label"], other.values["label"])


def _by_set(table: Rows) -> dict[str, Seen]:
    names = table.column("set").cast(pa.string()).combine_chunks().dictionary_encode()
    place = names.indices.to_numpy(zero_copy_only=False)
    repeats, cases = (_plain(table, name) for name in ("repeat", "case"))
    losses = [name for name in table.column_names if name.startswith(LOSS)]
    columns = {name: _plain(table, name) for name in (*NUMBERS, *losses)}
    found = {}
    for number, name in enumerate(names.dictionary.to_pylist()):
        chosen = np.flatnonzero(place == number)
        chosen = chosen[np.lexsort((cases[chosen], repeats[chosen]))]
        values = {name: column[chosen] for name, column in columns.items()}
        found[name] = Seen(repeats[chosen], cases[chosen], values)
    return found


def _plain(table: Rows, name: str) -> np.ndarray:
    return table.column(name).to_numpy()


def together(seen: Mapping[str, Seen]) -> Together:
    """The images that all classifiers get wrong: the paper's M."""
    wrong = np.logical_and.reduce([one.wrong for one in seen.values()])
    of_each = tuple(one.at(wrong) for one in seen.values())
    return Together(tuple(seen), of_each[0].cases, of_each)


def points(common: Together) -> Points:
    """Hard and soft points of each classifier."""
    similarities = common.stacked("similarity")
    if not similarities.shape[1]:
        return Points(*(np.zeros(similarities.shape) for _ in Points._fields))
    wrong = common.of_each[0].values["classes"].astype(np.int64) - 1
    closer, level = (common.stacked(name).astype(np.int64) for name in ("closer", "level"))
    expected = chances(similarities, closer, level, wrong)
    return Points(hard_points(similarities), soft_points(similarities), *expected)


def scored(rows: Mapping[str, Rows], losses: Sequence[str]) -> dict[str, list[CaseScores]]:
    """All scores of each entry, measure by measure and set by set."""
    made: dict[str, list[CaseScores]] = {label: [] for label in rows}
    for name, seen in sets(rows).items():
        common = together(seen)
        given = points(common) if common.several else None
        for place, label in enumerate(common.labels):
            own, shared = seen[label], common.of_each[place]
            tree = not np.isnan(own.values["distance_chance"]).all()  # even without a mistake
            made[label] += _alone(name, own, losses, tree=tree)
            common_mistakes = f"of common mistakes@{name}"
            made[label] += _nearness(common_mistakes, shared, tree=tree, headline=True)
            if given is not None:
                made[label] += _of_points(name, common.cases, given, place)
    return {label: _ordered(scores) for label, scores in made.items()}


def _alone(name: str, seen: Seen, losses: Sequence[str], *, tree: bool) -> Iterator[CaseScores]:
    """What does not depend on other entries."""
    yield _score(f"accuracy@{name}", seen, (~seen.wrong).astype(np.float64))
    yield from _nearness(f"of own mistakes@{name}", seen.at(seen.wrong), tree=tree)
    for label in losses:
        values = seen.values[f"{LOSS}{label}"]
        yield _score(f"{LOSS}{label}@{name}", seen, values, "lower", "number")


def _nearness(of: str, seen: Seen, *, tree: bool, headline: bool = False) -> Iterator[CaseScores]:
    """How near mistakes are to the truth: as D says, as a share of the nearest, in a tree."""
    similarity, chance, best, distance, far = (
        seen.values[name]
        for name in ("similarity", "chance", "best", "distance", "distance_chance")
    )
    yield _score(f"similarity {of}", seen, similarity, chance=chance, headline=headline)
    yield _score(f"closeness {of}", seen, _share(similarity, best), chance=_share(chance, best))
    if tree:
        yield _score(f"distance {of}", seen, distance, "lower", "number", chance=far)


def _share(
    values: Float64[np.ndarray, " n"], best: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """As shares of the best; 1 where no wrong class is like the true one at all."""
    return np.divide(values, best, out=np.ones_like(values), where=best > 0)


def _of_points(
    name: str, cases: Int64[np.ndarray, " images"], given: Points, place: int
) -> Iterator[CaseScores]:
    for kind, values, chance in (
        ("hard", given.hard, given.hard_chance),
        ("soft", given.soft, given.soft_chance),
    ):
        expected = float(chance[place].mean()) if len(cases) else None
        yield CaseScores(f"{kind} score@{name}", "higher", cases, values[place], chance=expected)


def _score(
    name: str,
    seen: Seen,
    values: Float64[np.ndarray, " n"],
    direction: Literal["higher", "lower"] = "higher",
    unit: Unit = "share",
    *,
    chance: Float64[np.ndarray, " n"] | None = None,
    headline: bool = False,
) -> CaseScores:
    expected = float(chance.mean()) if chance is not None and len(chance) else None
    return CaseScores(name, direction, seen.cases, values, headline, unit, expected)


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


def _ordered(scores: Sequence[CaseScores]) -> list[CaseScores]:
    """By measure in the order in which tables show them, and by set within."""

    def place(score: CaseScores) -> int:
        measure = score.name.partition("@")[0]
        return ORDER.index(measure) if measure in ORDER else len(ORDER)

    return sorted(scores, key=place)


def pairs(seen: Mapping[str, Seen]) -> dict[str, dict[str, Pair]]:
    """How the mistakes of each two classifiers compare, where both are wrong."""
    labels, of = tuple(seen), list(seen.values())
    wrong = [one.wrong for one in of]
    predicted = np.stack([one.values["predicted"] for one in of]).astype(np.int64)
    similarities = np.stack([one.values["similarity"] for one in of])
    found: dict[str, dict[str, Pair]] = {label: {} for label in labels}
    for first, second in itertools.combinations(range(len(of)), 2):
        two, both = [first, second], wrong[first] & wrong[second]
        made = pair_counts(predicted[two][:, both], similarities[two][:, both])
        found[labels[first]][labels[second]] = made
        turned = made._replace(closer=made.farther, farther=made.closer)
        found[labels[second]][labels[first]] = turned
    return found


def noted(rows: Mapping[str, Rows]) -> dict[str, Tree]:
    """Of each entry: counts by set and repeat, and pairs over all repeats."""
    found = sets(rows)
    facts: dict[str, Tree] = {
        label: {
            "compared": list(rows),
            "ties": TIE_RULE,
            "labels_needed": _labels_needed(table),
            "sets": {},
        }
        for label, table in rows.items()
    }
    for name, seen in found.items():
        common, of_pairs = together(seen), pairs(seen)
        repeats = np.unique(next(iter(seen.values())).repeats)
        for place, label in enumerate(common.labels):
            facts[label]["sets"][name] = {
                **_counts(common, place, repeats),
                "pairs": {
                    other: _shares(of_pairs[label][other]) for other in seen if other != label
                },
            }
    return facts


def _labels_needed(table: Rows) -> int:
    return int(pc.max(table.column("labels_needed")).as_py() or 0)


def _counts(common: Together, place: int, repeats: Int64[np.ndarray, " r"]) -> Tree:
    """The paper's counts, a list over repeats each."""
    of_repeat = [common.of_each[0].repeats == repeat for repeat in repeats]
    same = (common.stacked("predicted") == common.stacked("predicted")[0]).all(0)
    made: Tree = {
        "common_mistakes": [int(chosen.sum()) for chosen in of_repeat],
        "same_class": [int(same[chosen].sum()) for chosen in of_repeat],
    }
    if not common.several:
        return {**made, "scores": "hard and soft need a second classifier to compare with"}
    given = points(common)
    for kind, values in (("hard", given.hard), ("soft", given.soft)):
        made[kind] = [round(float(values[place][chosen].sum()), 6) for chosen in of_repeat]
    return made


def _shares(of: Pair) -> Tree:
    """A pair's counts as shares of the images that both get wrong."""
    every = of.images
    shares = {name: count / every if every else None for name, count in of._asdict().items()}
    return {"images": every, **shares}
