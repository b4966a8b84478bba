"""Scores and differences of all entries, as their records have them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from xbench.errors import PluginError
from xbench.interfaces.protocol import CaseScores
from xbench.results.record import DifferenceRecord, ScoreRecord, number
from xbench.results.statistics import Draws, difference, scores_by_name, summarised

Scores = Mapping[str, Sequence[Sequence[CaseScores]]]
"""Per label, per repeat, the scores."""


def score_records(repeats: Sequence[Sequence[CaseScores]], draws: Draws) -> list[ScoreRecord]:
    """All scores of one entry over its repeats."""
    named, ranking = [scores_by_name(scores) for scores in repeats], ranking_score(repeats[0])
    scores = [
        summarised([of_repeat[name] for of_repeat in named], draws.resampling, draws)
        for name in named[0]
    ]
    return [
        ScoreRecord(ranking=score.name == ranking, **finite_numbers(asdict(score)))
        for score in scores
    ]


def ranking_score(scores: Sequence[CaseScores]) -> str | None:
    """The name of the one score that ranks: the one that says so, else the first headline."""
    chosen = [score.name for score in scores if score.ranking]
    if len(chosen) > 1:
        names = ", ".join(chosen)
        raise PluginError(f"{len(chosen)} scores want to rank ({names}); only one can")
    headlines = (score.name for score in scores if score.headline and score.ranking is None)
    return chosen[0] if chosen else next(headlines, None)


def difference_records(
    label: str, scores: Scores, keys: Mapping[str, str], draws: Draws
) -> Iterator[DifferenceRecord]:
    """The headline scores of an entry minus those of every other entry."""
    headlines = [score.name for score in scores[label][0] if score.headline]
    for other in scores:
        for name in headlines if other != label else ():
            ours = [scores_by_name(repeat)[name] for repeat in scores[label]]
            theirs = [
                scores_by_name(repeat)[name]
                for repeat in scores[other]
                if name in scores_by_name(repeat)
            ]
            if theirs:
                made = difference((label, other), ours, theirs, draws.resampling, draws)
                values = asdict(made)
                del values["of"]
                yield DifferenceRecord(minus_key=keys[other], **finite_numbers(values))


def finite_numbers(values: dict[str, Any]) -> dict[str, Any]:
    """The values, None in the place of numbers that are not finite."""
    return {
        key: number(value) if isinstance(value, float) else value for key, value in values.items()
    }
