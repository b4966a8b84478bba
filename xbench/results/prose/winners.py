"""Winners: which of several entries is best in a score, and in which benchmarks of a suite."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xbench.results.comparison import Comparison, every_comparison, headlines, score_of
from xbench.results.numbers import listed, spoken
from xbench.results.prose.sentences import beside_value, difference_text, quoted, value_of
from xbench.results.record import Record, ScoreRecord


class Winner(NamedTuple):
    """The entry with the best value of a score, beside all others."""

    record: Record
    score: ScoreRecord
    others: tuple[Record, ...]
    """The other entries that have a value, the best first."""

    def comparison(self, other: Record) -> Comparison | None:
        """The winner's difference to another entry, where it is known."""
        compared = every_comparison(self.record)
        known = (one for one in compared if one.difference.score == self.score.name)
        return next((one for one in known if one.minus == other.label), None)

    @property
    def is_clear(self) -> bool:
        """Whether it is better than every other entry."""
        compared = map(self.comparison, self.others)
        return all(one is not None and one.verdict == "better" for one in compared)


def winner(records: Sequence[Record], name: str) -> Winner | None:
    """The best entry in a score; None where fewer than two have a value."""
    scored = [
        (record, score)
        for record in records
        if record.role == "entry"
        if (score := score_of(record, name)) is not None and score.value is not None
    ]
    if len(scored) <= 1:
        return None
    upwards = scored[0][1].direction == "lower"
    scored.sort(key=lambda pair: pair[1].value or 0.0, reverse=not upwards)
    (first, score), *others = scored
    return Winner(first, score, tuple(record for record, _ in others))


def winner_sentence(best: Winner) -> str:
    """Who is best, and which other entries it is not told apart from."""
    if len(best.others) == 1:
        return _of_two(best)
    score, label = best.score, best.record.label
    verdicts = [(other.label, best.comparison(other)) for other in best.others]
    tied = [other for other, one in verdicts if one is None or one.verdict != "better"]
    value = f"In {score.name} '{label}' has the best value of {len(best.others) + 1} entries"
    value += f" ({spoken(score.value, score.unit)})"
    if not tied:
        return f"{value} and is better than all others; {_next(best)}."
    if len(tied) == len(best.others):
        return f"{value}, and is not told apart from any other."
    better = len(best.others) - len(tied)
    return f"{value}, is better than {better}, and is not told apart from {quoted(tied)}."


def _next(best: Winner) -> str:
    """The second, and how far behind it is."""
    second = best.others[0]
    score, compared = score_of(second, best.score.name), best.comparison(second)
    value = spoken(value_of(score), best.score.unit)
    difference = f": {difference_text(compared.difference)}" if compared else ""
    return f"next is '{second.label}' ({value}{difference})"


def _of_two(best: Winner) -> str:
    score, (other,) = best.score, best.others
    first, compared = best.record.label, best.comparison(other)
    theirs = score_of(other, score.name)
    if compared is None or compared.verdict == "not computable":
        values = spoken(score.value, score.unit), spoken(value_of(theirs), score.unit)
        numbers = " against ".join(values)
        return f"In {score.name} '{first}' and '{other.label}' cannot be compared ({numbers})."
    numbers = beside_value(score.value, value_of(theirs), compared.difference)
    if compared.verdict == "better":
        return f"In {score.name} '{first}' is better than '{other.label}' ({numbers})."
    return f"In {score.name} '{first}' and '{other.label}' tie ({numbers})."


def suite_sentences(runs: Sequence[Sequence[Record]]) -> Iterator[str]:
    """Which entry is better than all others in which benchmarks, by the score that ranks."""
    ranked = [(of[0].benchmark, winner(of, name)) for of in runs for name in headlines(of)[:1]]
    contests = [(benchmark, best) for benchmark, best in ranked if best is not None]
    clear: dict[str, list[str]] = {}
    for benchmark, best in contests:
        if best.is_clear:
            clear.setdefault(best.record.label, []).append(benchmark)
    for label, benchmarks in clear.items():
        share = f"{len(benchmarks)} of {len(contests)} benchmarks with several entries"
        yield f"'{label}' is better than all other entries in {share}: {listed(benchmarks)}."
    undecided = [benchmark for benchmark, best in contests if not best.is_clear]
    if undecided:
        yield f"No entry is better than all others in {listed(undecided)}."
