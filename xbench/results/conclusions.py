"""Conclusions: what a run's numbers say, in a few sentences that stand before any table."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.results.comparison import Comparison, comparisons, family_of, headlines
from xbench.results.numbers import counted, level_text, listed, spoken
from xbench.results.prose.sentences import amount, beside_all, difference_text, faults, of_many
from xbench.results.prose.standing import Standing, standing
from xbench.results.prose.terms import Term, terms
from xbench.results.prose.winners import winner, winner_sentence
from xbench.results.record import Record, ScoreRecord
from xbench.results.tables import awaited, claims, heading, not_comparable

FEW = 3
"""Up to so many entries each get sentences of their own; of more it is said how many are better."""


NOT_RANKED = "Scores without a better side are shown next to each other, and rank nobody."


class Conclusions(NamedTuple):
    """What a run's numbers say, for people, in plain sentences."""

    title: str
    measured: tuple[str, ...]
    """What was run, and what the artefacts say of themselves."""
    terms: tuple[Term, ...]
    """What the words mean that the sentences and the tables use."""
    standings: tuple[str, ...]
    """Who wins, and where entries stand against floors, ceilings and chance."""
    weaknesses: tuple[str, ...]
    """What entries are bad at."""
    detectable: str
    """The smallest difference that could be told; "" where nothing was compared."""
    remarks: tuple[str, ...]
    """What is to be known before the numbers are used."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """All but title, what was run, and terms, in the order in which they are read."""
        detectable = filter(None, [self.detectable])
        return (*self.standings, *self.weaknesses, *detectable, *self.remarks)


def conclusions(benchmark: Benchmark, records: Sequence[Record]) -> Conclusions:
    """What the records of one run of a benchmark say; there must be at least one."""
    title, *measured = heading(benchmark, records)
    compared = comparisons(benchmark, records)
    standings = _standings(records)
    return Conclusions(
        title=title,
        measured=tuple(measured),
        terms=tuple(terms(benchmark, records)),
        standings=(
            *_stand(records, standings),
            *_sources(benchmark, records),
            *_claims(benchmark, records),
        ),
        weaknesses=tuple(_weaknesses(records, standings)),
        detectable=_detectable(records[0].intervals.level, compared, headlines(records)),
        remarks=tuple(_remarks(benchmark, records)),
    )


def _standings(records: Sequence[Record]) -> list[list[Standing]]:
    """By score, the one that ranks first, where each entry that has it stands."""
    entries = [record for record in records if record.role == "entry"]
    by_score = [
        [one for record in entries if (one := standing(record, name, records)) is not None]
        for name in headlines(records)
    ]
    return [of_score for of_score in by_score if of_score]


def _stand(records: Sequence[Record], standings: Sequence[Sequence[Standing]]) -> Iterator[str]:
    """Who is best among the entries, and then each entry, or all of many, beside the rest."""
    for of_score in standings:
        best = winner(records, of_score[0].score.name)
        if best is not None:
            yield winner_sentence(best)
    for of_score in standings:
        alone = [one for one in of_score if _speaks_alone(one, len(of_score))]
        yield from map(beside_all, alone)
        yield from of_many([one for one in of_score if one not in alone])
    if any(score.direction == "none" for record in records for score in record.scores):
        yield NOT_RANKED
    elif not any(record.role == "ceiling" for record in records):
        yield "There is no ceiling: how much better a method could be is not known."


def _speaks_alone(one: Standing, entries: int) -> bool:
    """Whether an entry gets a sentence of its own: the only one, or one of a few with floors."""
    compared = one.floors or one.ceilings or one.score.value is None
    return entries == 1 or bool(compared and entries <= FEW)


def _sources(benchmark: Benchmark, records: Sequence[Record]) -> Iterator[str]:
    """What the benchmark's contrasts answer, where they are few."""
    for contrast in benchmark.contrasts if len(benchmark.contrasts) <= FEW else ():
        parts = [
            f"{difference_text(difference)} in {difference.score}"
            for record in records
            for difference in record.differences
            if (record.label, difference.minus) == (contrast.of, contrast.minus)
        ]
        if parts:
            yield f"{contrast.title[:1].upper()}{contrast.title[1:]}: {listed(parts)}."


def _claims(benchmark: Benchmark, records: Sequence[Record]) -> Iterator[str]:
    """What becomes of each order that the paper beside the benchmark claims."""
    published = benchmark.published
    if published is not None:
        for claim in claims(published, records):
            _, ours, interval, word = claim.cells
            yield f"{published.source} claims {claim.label}: it {_claim(word)} ({ours} {interval})."


def _claim(word: str) -> str:
    return "cannot be computed here" if word == "not computable" else f"{word} here"


def _weaknesses(
    records: Sequence[Record], standings: Sequence[Sequence[Standing]]
) -> Iterator[str]:
    """What each of a few entries is bad at, and where its scores are lowest."""
    entries = [record for record in records if record.role == "entry"]
    for record in entries if len(entries) <= FEW else ():
        own = [one for of_score in standings for one in of_score if one.label == record.label]
        found = [fault for one in own for fault in faults(one)]
        if found:
            yield f"'{record.label}' is bad at: {'; '.join(found)}."
        elif len(own) > 1 and all(one.floors for one in own):
            yield f"'{record.label}' is better than every floor in every headline score."
        lowest = [text for one in own if (text := _weakest(record, one.score))]
        if lowest:
            yield f"'{record.label}' is at its weakest with {listed(lowest)}."


def _weakest(record: Record, headline: ScoreRecord) -> str:
    """The worst of the scores that a headline is the average of; "" where all are the same."""
    family, average = family_of(headline.name), headline.name.startswith("average ")
    parts = [
        (one, one.value)
        for one in record.scores
        if average and one.name.startswith(f"{family}@") and one.value is not None
    ]
    if len({spoken(value, one.unit) for one, value in parts}) <= 1:
        return ""
    worst = (max if headline.direction == "lower" else min)(parts, key=lambda part: part[1])[0]
    return f"{worst.name} ({spoken(worst.value, worst.unit)})"


def _detectable(level: float, compared: Sequence[Comparison], names: Sequence[str]) -> str:
    """The smallest difference that every comparison of a score could have told from none."""
    parts = []
    for name in names:
        widths = [
            (one.difference.high - one.difference.low, one.difference.unit)
            for one in compared
            if one.difference.score == name
            if one.difference.low is not None and one.difference.high is not None
        ]
        if widths:
            parts.append(f"{amount(max(widths)[0] / 2, widths[0][1])} in {name}")
    if not parts:
        return ""
    how = f"half of the widest {level_text(level)} interval of a difference"
    return f"Smallest detectable difference: {listed(parts)} ({how})."


def _remarks(benchmark: Benchmark, records: Sequence[Record]) -> Iterator[str]:
    """Limits of the run, answers that are still to come, and what could not be scored."""
    case, limits = benchmark.protocol.case, [r.limited_to for r in records if r.limited_to]
    if limits:
        yield f"Limited to {counted(max(limits), case)}: a try, not a result."
    published = benchmark.published
    if published is not None and (reason := not_comparable(published, records[0])):
        yield f"Not comparable with {published.source}: {reason}."
    yield from (f"{line}." for line in awaited(records))
    worst = max(records, key=_unscored)
    if _unscored(worst):
        yield (
            f"Not everything could be scored: '{worst.label}' lacks a score of "
            f"{_unscored(worst)} of {counted(_asked(worst), case)}, the most of all; differences "
            f"are of the {case}s that both have."
        )
    if any(not one.difference.paired for one in comparisons(benchmark, records)):
        yield f"Unpaired differences are of different {case}s, and less sharp."


def _asked(record: Record) -> int:
    """How many cases there are in all repeats together, some of them in several."""
    return max((score.n + score.n_unscored for score in record.scores), default=0)


def _unscored(record: Record) -> int:
    return max((score.n_unscored for score in record.scores), default=0)
