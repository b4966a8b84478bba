"""From rows to scores of the spurious-recovery protocol: ranks of the true concept."""

from collections.abc import Iterator, Sequence
from math import comb
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64, Shaped

from xbench import CaseScores, Tree, Unit, case_places, derived_seed
from xbench_ces.kernels.scores import SATURATED
from xbench_ces.spurious.rows import Scenario, Which


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


class ScenarioScores(NamedTuple):
    """The explained images of one scenario at one strength, by place."""

    cases: Shaped[np.ndarray, " n"]
    correct: Bool[np.ndarray, " n"]
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

    cases: Shaped[np.ndarray, " n"]
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
        scores = raw[:, [column]]
        ranks = 1.0 + (raw > scores).sum(1) + ((raw == scores).sum(1) - 1) / 2
        best = np.fmin(best, np.where(np.isnan(scores[:, 0]), np.inf, ranks))
    return np.where(np.isinf(best), np.nan, best)


def among(
    ranks: Float64[np.ndarray, " *n"], top: int | Int64[np.ndarray, " tops"]
) -> Float64[np.ndarray, " *n"]:
    """1 where a rank is at most `top`, else 0; a concept that was not kept is not among them."""
    return np.where(np.isnan(ranks), 0.0, ranks <= top)


def by_guessing(kept: Int64[np.ndarray, " n"], top: int, targets: int = 1) -> np.ndarray:
    """How often a random order has one of the target concepts among the first `top`."""
    chances = [
        1 - comb(max(n - targets, 0), min(top, n)) / comb(n, min(top, n)) if n else 0.0
        for n in kept
    ]
    return np.array(chances, np.float64)


def scores_in(table: pa.Table, scenario: Scenario, strength: float) -> ScenarioScores:
    """The explained images of a scenario at a strength, in the order of their places."""
    rows = _rows_of(table, scenario, strength, "out")
    first, image_of_row = _images(rows)
    names, concept_of_row = _concepts(rows)
    raw = np.full((len(first), len(names)), np.nan)
    is_kept = concept_of_row >= 0
    raw[image_of_row[is_kept], concept_of_row[is_kept]] = _column(rows, "raw")[is_kept]
    alike = dict.fromkeys((scenario.true_concept, *scenario.synonyms))
    columns = {name: [names.index(name)] if name in names else [] for name in alike}
    return ScenarioScores(
        case_places(rows).rows[first],
        _correct(rows)[first],
        _column(rows, "probability")[first],
        raw,
        tuple(columns[scenario.true_concept]),
        tuple(column for of_name in columns.values() for column in of_name),
    )


def _images(rows: pa.Table) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " rows"]]:
    """The first row of each image, by repeat and place, and which image each row is of."""
    key = np.stack([_column(rows, "repeat"), _column(rows, "place")])
    _, first, place = np.unique(key, axis=1, return_index=True, return_inverse=True)
    return first, place.reshape(-1)


def _concepts(rows: pa.Table) -> tuple[list[str], Int64[np.ndarray, " rows"]]:
    """Names of the concepts there are, and the place of each row's; −1 where it has none."""
    whole = rows.column("concept").cast(pa.string()).combine_chunks().dictionary_encode()
    names: list[str] = whole.dictionary.to_pylist()
    return names, whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)


def accuracy_in(table: pa.Table, scenario: Scenario, strength: float, which: Which) -> Part:
    """Whether each image of a set is classified rightly."""
    rows = _rows_of(table, scenario, strength, which)
    first, _ = _images(rows)
    return Part(case_places(rows).rows[first], _correct(rows)[first].astype(np.float64))


def _correct(rows: pa.Table) -> Bool[np.ndarray, " rows"]:
    return _column(rows, "label") == _column(rows, "predicted")


def _rows_of(table: pa.Table, scenario: Scenario, strength: float, which: Which) -> pa.Table:
    rows = table.filter(pc.equal(table.column("strength"), strength))
    for column, word in (("scenario", scenario.label), ("set", which)):
        rows = rows.filter(pc.equal(rows.column(column).cast(pa.string()), word))
    return rows


def _column(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy()


def singles(scores: ScenarioScores, scoring: Scoring, top: int) -> Part:
    """Whether the true concept is among the top k of each image."""
    return Part(scores.cases, among(scores.ranks(), top), by_guessing(scores.kept, top))


def batch_recovery(scores: ScenarioScores, scenario: Scenario, size: int, top: int) -> Part:
    """The same of scores summed over batches of images, each in one batch at most.

    A batch is named by its first image; images that fill no batch are left out.
    """
    permutation = np.random.default_rng(derived_seed("batches", scenario.label)).permutation
    places = permutation(len(scores.cases))[: len(scores.cases) // size * size].reshape(-1, size)
    sums = scores._replace(raw=scores.raw[places].sum(1))
    first_images = scores.cases[places[:, 0]]
    return Part(first_images, among(sums.ranks(), top), by_guessing(sums.kept, top))


def kinds(scores: ScenarioScores, confidence: float) -> dict[str, Bool[np.ndarray, " n"]]:
    """Which images are misclassified, and which are rightly classified with what confidence."""
    unsure = scores.correct & (scores.probability < confidence)
    return {
        "wrong or unsure": ~scores.correct | unsure,
        "misclassified": ~scores.correct,
        "right with low confidence": unsure,
        "right and confident": scores.correct & ~unsure,
    }


def case_scores(table: pa.Table, scoring: Scoring) -> list[CaseScores]:
    """All scores of one entry; the first decides comparisons."""
    strongest = scoring.strengths[-1]
    scenario_scores = [scores_in(table, scenario, strongest) for scenario in scoring.scenarios]
    tops = (scoring.top, *(top for top in scoring.tops if top != scoring.top))
    summary: list[CaseScores] = []
    for top in tops:
        parts = [singles(scores, scoring, top) for scores in scenario_scores]
        summary += _family(f"recovery at {top}", parts, scoring, headline=top == scoring.top)
    ranks = [
        Part(scores.cases, scores.ranks(), (scores.kept + 1) / 2) for scores in scenario_scores
    ]
    summary += _family("mean rank", ranks, scoring, direction="lower", unit="number")
    summary += _in_batches(scenario_scores, scoring)
    summary += _by_prediction(scenario_scores, scoring)
    summary += _with_synonyms(scenario_scores, scoring)
    summary += _by_strength(table, scoring)
    names: dict[Which, str] = {"in": "in distribution", "out": "out of distribution"}
    for which, name in names.items():
        accuracies = [accuracy_in(table, s, strongest, which) for s in scoring.scenarios]
        summary += _family(f"accuracy {name}", accuracies, scoring)
    return summary


def _in_batches(
    scenario_scores: Sequence[ScenarioScores], scoring: Scoring
) -> Iterator[CaseScores]:
    yield from _family(
        f"recovery at {scoring.top} in batches of {scoring.batch}",
        list(of_batches(scenario_scores, scoring, scoring.batch)),
        scoring,
    )
    for size in scoring.batch_sizes:
        name = f"recovery at {scoring.top} by images together@{size}"
        yield _score(name, list(of_batches(scenario_scores, scoring, size)))


def of_batches(
    scenario_scores: Sequence[ScenarioScores], scoring: Scoring, size: int
) -> Iterator[Part]:
    """Recovery in batches of one size, scenario by scenario."""
    for scores, scenario in zip(scenario_scores, scoring.scenarios, strict=True):
        yield batch_recovery(scores, scenario, size, scoring.top)


def _by_prediction(
    scenario_scores: Sequence[ScenarioScores], scoring: Scoring
) -> Iterator[CaseScores]:
    parts = [singles(scores, scoring, scoring.top) for scores in scenario_scores]
    masks_by_scenario = [kinds(scores, scoring.confidence) for scores in scenario_scores]
    for kind in masks_by_scenario[0]:
        kind_parts = [
            _where(part, masks[kind]) for part, masks in zip(parts, masks_by_scenario, strict=True)
        ]
        yield _score(f"recovery at {scoring.top} by prediction@{kind}", kind_parts)


def _where(part: Part, mask: Bool[np.ndarray, " n"]) -> Part:
    chance = None if part.chance is None else part.chance[mask]
    return Part(part.cases[mask], part.values[mask], chance)


def _with_synonyms(scenario_scores: Sequence[ScenarioScores], scoring: Scoring) -> list[CaseScores]:
    """Of the scenarios that list synonyms; nothing where none does."""
    pairs = zip(scoring.scenarios, scenario_scores, strict=True)
    parts = {s: _synonym_part(scores, scoring.top) for s, scores in pairs if s.synonyms}
    synonym_scoring = scoring._replace(scenarios=tuple(parts))
    name = f"recovery at {scoring.top} with synonyms"
    return _family(name, list(parts.values()), synonym_scoring) if parts else []


def _synonym_part(scores: ScenarioScores, top: int) -> Part:
    """Whether the true concept or one of its synonyms is among the top k of each image."""
    chance = by_guessing(scores.kept, top, len(scores.alike))
    return Part(scores.cases, among(best_rank(scores.raw, scores.alike), top), chance)


def _by_strength(table: pa.Table, scoring: Scoring) -> Iterator[CaseScores]:
    for strength in scoring.strengths if len(scoring.strengths) > 1 else ():
        scenario_scores = (scores_in(table, scenario, strength) for scenario in scoring.scenarios)
        parts = [singles(scores, scoring, scoring.top) for scores in scenario_scores]
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
    cases = np.concatenate([part.cases for part in parts])
    values = np.concatenate([part.values for part in parts]).astype(np.float64)
    chances = [part.chance for part in parts if part.chance is not None and len(part.chance)]
    chance = float(np.concatenate(chances).mean()) if chances else None
    clusters = (image_names(cases),)
    return CaseScores(name, direction, cases, values, headline, unit, chance, clusters=clusters)


def image_names(cases: Shaped[np.ndarray, " n"]) -> Shaped[np.ndarray, " n"]:
    """What is resampled together: an image in whichever scenarios it is."""
    images = [f"{name.partition('/')[0]}/{name.rpartition('/')[2]}" for name in cases]
    return np.array(images, object)


def table_notes(table: pa.Table, scoring: Scoring) -> Tree:
    """Per scenario what its scores rest on, and which true concepts no bank kept."""
    facts = {scenario.label: _facts(table, scenario, scoring) for scenario in scoring.scenarios}
    lost_labels = [
        label
        for label, values in facts.items()
        if values["explained"] and not values["true_concept_kept"]
    ]
    return {"scenarios": facts, "true_concepts_not_kept": lost_labels}


def _facts(table: pa.Table, scenario: Scenario, scoring: Scoring) -> Tree:
    strongest = scoring.strengths[-1]
    scores = scores_in(table, scenario, strongest)
    accuracies = accuracy_in(table, scenario, strongest, "in").values
    after = scores.probability[:, None] + scores.raw
    saturated = (after < SATURATED) | (after > 1 - SATURATED)
    return {
        "explained": len(scores.cases),
        "true_concept": scenario.true_concept,
        "true_concept_kept": _mean(~np.isnan(scores.ranks())),
        "concepts_kept": _mean(scores.kept),
        "saturated_concepts": _mean(saturated[~np.isnan(after)]),
        "accuracy_in_distribution": _mean(accuracies),
        "accuracy_out_of_distribution": _mean(scores.correct),
        "predictions": {
            kind: int(mask.sum()) for kind, mask in kinds(scores, scoring.confidence).items()
        },
    }


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None
