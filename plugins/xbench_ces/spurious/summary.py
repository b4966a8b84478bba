"""From rows to scores of the spurious-recovery protocol: ranks of the true concept."""

from collections.abc import Callable, Iterator, Sequence
from math import comb
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from xbench import CaseScores, Tree, Unit, derived_seed
from xbench_ces.spurious.rows import Scenario, Which

SATURATED = 1e-6
"""A probability this near to 0 or 1 hardly tells one concept from another."""


class Scoring(NamedTuple):
    """What a summary needs to know of the protocol."""

    scenarios: tuple[Scenario, ...]
    strengths: tuple[float, ...]
    """In ascending order; the last is scored."""
    confidence: float
    batch_sizes: tuple[int, ...]
    batch: int
    tops: tuple[int, ...]
    top: int


class Found(NamedTuple):
    """The explained images of one scenario at one strength, by case."""

    images: Int64[np.ndarray, " n"]
    right: Bool[np.ndarray, " n"]
    probability: Float64[np.ndarray, " n"]
    raw: Float64[np.ndarray, "n concepts"]
    """NaN where an image's bank has not kept the concept."""
    true: tuple[int, ...]
    """Columns of the true concept: one, or none."""
    alike: tuple[int, ...]
    """Columns of the true concept and its synonyms."""

    @property
    def kept(self) -> Int64[np.ndarray, " n"]:
        """How many concepts each image has scores of."""
        return (~np.isnan(self.raw)).sum(1)

    def ranks(self) -> Float64[np.ndarray, " n"]:
        """Rank of the true concept; NaN where it was not kept."""
        return best_rank(self.raw, self.true)


class Part(NamedTuple):
    """Values of one scenario, with what guessing is expected to give each."""

    cases: Int64[np.ndarray, " n"]
    values: Float64[np.ndarray, " n"]
    chance: Float64[np.ndarray, " n"] | None = None


def best_rank(
    raw: Float64[np.ndarray, "n concepts"], columns: Sequence[int]
) -> Float64[np.ndarray, " n"]:
    """The best rank of these concepts in each row, 1 for the highest score; NaN if there is none.

    1 + the number of higher scores + half the number of other equal ones.
    """
    best = np.full(len(raw), np.inf)
    for column in columns:
        own = raw[:, [column]]
        ranks = 1.0 + (raw > own).sum(1) + ((raw == own).sum(1) - 1) / 2
        best = np.fmin(best, np.where(np.isnan(own[:, 0]), np.inf, ranks))
    return np.where(np.isinf(best), np.nan, best)


def among(
    ranks: Float64[np.ndarray, " *n"], top: int | Int64[np.ndarray, " tops"]
) -> Float64[np.ndarray, " *n"]:
    """1 where a rank is at most `top`, else 0; a concept that was not kept is not among them."""
    return np.where(np.isnan(ranks), 0.0, ranks <= top)


def by_guessing(kept: Int64[np.ndarray, " n"], top: int, wanted: int = 1) -> np.ndarray:
    """How often a random order has one of the wanted concepts among the first `top`."""
    chances = [
        1 - comb(max(n - wanted, 0), min(top, n)) / comb(n, min(top, n)) if n else 0.0 for n in kept
    ]
    return np.array(chances, np.float64)


def found_in(table: pa.Table, scenario: Scenario, strength: float) -> Found:
    """The explained images of a scenario at a strength, in the order of their cases."""
    rows = _of(table, scenario, strength, "out")
    first, place = _images(rows)
    names, column = _concepts(rows)
    raw = np.full((len(first), len(names)), np.nan)
    known = column >= 0
    raw[place[known], column[known]] = _plain(rows, "raw")[known]
    alike = dict.fromkeys((scenario.true_concept, *scenario.synonyms))
    places = {name: [names.index(name)] if name in names else [] for name in alike}
    return Found(
        _plain(rows, "image")[first],
        _right(rows)[first],
        _plain(rows, "probability")[first],
        raw,
        tuple(places[scenario.true_concept]),
        tuple(place for of_name in places.values() for place in of_name),
    )


def _images(rows: pa.Table) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " rows"]]:
    """The first row of each image, by repeat and case, and the place of each row's image."""
    key = np.stack([_plain(rows, "repeat"), _plain(rows, "case")])
    _, first, place = np.unique(key, axis=1, return_index=True, return_inverse=True)
    return first, place.reshape(-1)


def _concepts(rows: pa.Table) -> tuple[list[str], Int64[np.ndarray, " rows"]]:
    """Names of the concepts there are, and the place of each row's; −1 where it has none."""
    whole = rows.column("concept").cast(pa.string()).combine_chunks().dictionary_encode()
    names: list[str] = whole.dictionary.to_pylist()
    return names, whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)


def accuracy_in(table: pa.Table, scenario: Scenario, strength: float, which: Which) -> Part:
    """Whether each image of a set is classified rightly."""
    rows = _of(table, scenario, strength, which)
    first, _ = _images(rows)
    return Part(_plain(rows, "image")[first], _right(rows)[first].astype(np.float64))


def _right(rows: pa.Table) -> Bool[np.ndarray, " rows"]:
    return _plain(rows, "label") == _plain(rows, "predicted")


def _of(table: pa.Table, scenario: Scenario, strength: float, which: Which) -> pa.Table:
    rows = table.filter(pc.equal(table.column("strength"), strength))
    for column, word in (("scenario", scenario.label), ("set", which)):
        rows = rows.filter(pc.equal(rows.column(column).cast(pa.string()), word))
    return rows


def _plain(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy()


def singles(found: Found, scoring: Scoring, top: int) -> Part:
    """Whether the true concept is among the top k of each image."""
    return Part(found.images, among(found.ranks(), top), by_guessing(found.kept, top))


def batched(found: Found, scenario: Scenario, size: int, top: int) -> Part:
    """The same of scores summed over batches of images, each in one batch at most.

    A batch is named by its first image; images that fill no batch are left out.
    """
    order = np.random.default_rng(derived_seed("batches", scenario.label)).permutation
    places = order(len(found.images))[: len(found.images) // size * size].reshape(-1, size)
    together = found._replace(raw=found.raw[places].sum(1))
    named = found.images[places[:, 0]]
    return Part(named, among(together.ranks(), top), by_guessing(together.kept, top))


def kinds(found: Found, confidence: float) -> dict[str, Bool[np.ndarray, " n"]]:
    """Which images are misclassified, and which are rightly classified with what confidence."""
    unsure = found.right & (found.probability < confidence)
    return {
        "wrong or unsure": ~found.right | unsure,
        "misclassified": ~found.right,
        "right with low confidence": unsure,
        "right and confident": found.right & ~unsure,
    }


def scored(table: pa.Table, scoring: Scoring) -> list[CaseScores]:
    """All scores of one entry; the first decides comparisons."""
    strongest = scoring.strengths[-1]
    found = [found_in(table, scenario, strongest) for scenario in scoring.scenarios]
    tops = (scoring.top, *(top for top in scoring.tops if top != scoring.top))
    made: list[CaseScores] = []
    for top in tops:
        of_top = [singles(one, scoring, top) for one in found]
        made += _family(f"recovery at {top}", of_top, scoring, headline=top == scoring.top)
    ranks = [Part(one.images, one.ranks(), (one.kept + 1) / 2) for one in found]
    made += _family("mean rank", ranks, scoring, direction="lower", unit="number")
    made += _in_batches(found, scoring)
    made += _by_prediction(found, scoring)
    made += _with_synonyms(found, scoring)
    made += _by_strength(table, scoring)
    names: dict[Which, str] = {"in": "in distribution", "out": "out of distribution"}
    for which, name in names.items():
        seen = [accuracy_in(table, one, strongest, which) for one in scoring.scenarios]
        made += _family(f"accuracy {name}", seen, scoring)
    return made


def _in_batches(found: Sequence[Found], scoring: Scoring) -> Iterator[CaseScores]:
    yield from _family(
        f"recovery at {scoring.top} in batches of {scoring.batch}",
        list(of_batches(found, scoring, scoring.batch)),
        scoring,
    )
    for size in scoring.batch_sizes:
        name = f"recovery at {scoring.top} by images together@{size}"
        yield _score(name, list(of_batches(found, scoring, size)))


def of_batches(found: Sequence[Found], scoring: Scoring, size: int) -> Iterator[Part]:
    """Recovery in batches of one size, scenario by scenario."""
    for one, scenario in zip(found, scoring.scenarios, strict=True):
        yield batched(one, scenario, size, scoring.top)


def _by_prediction(found: Sequence[Found], scoring: Scoring) -> Iterator[CaseScores]:
    parts = [singles(one, scoring, scoring.top) for one in found]
    of_each = [kinds(one, scoring.confidence) for one in found]
    for kind in of_each[0]:
        chosen = [_where(part, of[kind]) for part, of in zip(parts, of_each, strict=True)]
        yield _score(f"recovery at {scoring.top} by prediction@{kind}", chosen)


def _where(part: Part, chosen: Bool[np.ndarray, " n"]) -> Part:
    chance = None if part.chance is None else part.chance[chosen]
    return Part(part.cases[chosen], part.values[chosen], chance)


def _with_synonyms(found: Sequence[Found], scoring: Scoring) -> list[CaseScores]:
    """Of the scenarios that list synonyms; nothing where none does."""
    pairs = [
        (scenario, of)
        for scenario, of in zip(scoring.scenarios, found, strict=True)
        if scenario.synonyms
    ]
    parts = [
        Part(
            of.images,
            among(best_rank(of.raw, of.alike), scoring.top),
            by_guessing(of.kept, scoring.top, len(of.alike)),
        )
        for _, of in pairs
    ]
    some = scoring._replace(scenarios=tuple(scenario for scenario, _ in pairs))
    name = f"recovery at {scoring.top} with synonyms"
    return _family(name, parts, some) if pairs else []


def _by_strength(table: pa.Table, scoring: Scoring) -> Iterator[CaseScores]:
    for strength in scoring.strengths if len(scoring.strengths) > 1 else ():
        found = (found_in(table, scenario, strength) for scenario in scoring.scenarios)
        parts = [singles(one, scoring, scoring.top) for one in found]
        yield _score(f"recovery at {scoring.top} by strength@{100 * strength:g} %", parts)


def _family(
    name: str,
    parts: Sequence[Part],
    scoring: Scoring,
    *,
    headline: bool = False,
    direction: Literal["higher", "lower"] = "higher",
    unit: Unit = "share",
) -> list[CaseScores]:
    """The mean over all images, and each scenario's."""
    average = _score(f"average {name}", parts, direction, unit, headline=headline)
    each = zip(scoring.scenarios, parts, strict=True)
    return [average, *(_score(f"{name}@{s.label}", [p], direction, unit) for s, p in each)]


def _score(
    name: str,
    parts: Sequence[Part],
    direction: Literal["higher", "lower"] = "higher",
    unit: Unit = "share",
    *,
    headline: bool = False,
) -> CaseScores:
    cases = np.concatenate([part.cases for part in parts]).astype(np.int64)
    values = np.concatenate([part.values for part in parts]).astype(np.float64)
    known = [part.chance for part in parts if part.chance is not None and len(part.chance)]
    chance = float(np.concatenate(known).mean()) if known else None
    return CaseScores(name, direction, cases, values, headline, unit, chance)


def noted(table: pa.Table, scoring: Scoring) -> Tree:
    """Per scenario what its scores rest on, and which true concepts no bank kept."""
    facts = {s.label: _facts(table, s, scoring) for s in scoring.scenarios}
    lost = [label for label, of in facts.items() if of["explained"] and not of["true_concept_kept"]]
    return {"scenarios": facts, "true_concepts_not_kept": lost}


def _facts(table: pa.Table, scenario: Scenario, scoring: Scoring) -> Tree:
    strongest = scoring.strengths[-1]
    found = found_in(table, scenario, strongest)
    inside = accuracy_in(table, scenario, strongest, "in").values
    after = found.probability[:, None] + found.raw
    saturated = (after < SATURATED) | (after > 1 - SATURATED)
    mean: Callable[[np.ndarray], float | None] = lambda of: float(of.mean()) if of.size else None  # noqa: E731
    return {
        "explained": len(found.images),
        "true_concept": scenario.true_concept,
        "true_concept_kept": mean(~np.isnan(found.ranks())),
        "concepts_kept": mean(found.kept),
        "saturated_concepts": mean(saturated[~np.isnan(after)]),
        "accuracy_in_distribution": mean(inside),
        "accuracy_out_of_distribution": mean(found.right),
        "predictions": {k: int(of.sum()) for k, of in kinds(found, scoring.confidence).items()},
    }
