"""Results as tables: what a terminal prints and what a page shows."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xbench.benchmark import Benchmark, Contrast
from xbench.protocol import Role
from xbench.record import DifferenceRecord, Record, ScoreRecord


class Row(NamedTuple):
    """One line of a table."""

    label: str
    cells: tuple[str, ...]
    """One for each column but the first; what stands below a cell's first line explains it."""
    role: Role = "entry"


class Table(NamedTuple):
    """A title, the heads of the columns (that of the labels first), and rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(benchmark: Benchmark, records: Sequence[Record]) -> list[Table]:
    """Scores of all entries by what they measure, differences, and what contrasts answer."""
    made = [_score_table(family, records) for family in _families(records[0])]
    made.append(_difference_table(records))
    if benchmark.contrasts:
        made.append(_contrast_table(benchmark.contrasts, records))
    return made


def heading(benchmark: Benchmark, record: Record) -> list[str]:
    """What was run, and what is to be said of the artefacts it made."""
    dataset = benchmark.datasets["test"].dataset
    repeats = "1 repeat" if benchmark.repeats == 1 else f"{benchmark.repeats} repeats"
    explained = (
        f"benchmark {benchmark.name} {benchmark.version}, dataset {dataset.name}, "
        f"{record.cases} images explained, {repeats}"
    )
    return [benchmark.title or benchmark.name, explained, *artefact_lines(record)]


def artefact_lines(record: Record) -> list[str]:
    """What the artefacts of a record say of themselves."""
    return [str(line) for facts in record.artefact_facts for line in facts.get("summary", [])]


def unscored(records: Sequence[Record]) -> list[str]:
    """Which entries have images that a score could not be computed for, and how many."""
    counts = {r.label: max((s.n_unscored for s in r.scores), default=0) for r in records}
    return [
        f"{label}: {n} images could not be scored by one of these scores"
        for label, n in counts.items()
        if n
    ]


def _families(record: Record) -> list[str]:
    """What the scores measure, in order: a name up to its `@`, without `average`."""
    return list(dict.fromkeys(_family(score.name) for score in record.scores))


def _family(name: str) -> str:
    return name.partition("@")[0].removeprefix("average ")


def _score_table(family: str, records: Sequence[Record]) -> Table:
    level = f"{records[0].intervals.level:.0%}".replace("%", " %")
    names = [score.name for score in records[0].scores if _family(score.name) == family]
    return Table(
        f"{family} in per cent, with {level} intervals over images",
        ("", *(name.partition("@")[2] or "average" for name in names)),
        tuple(
            Row(r.label, tuple(_cell(_score(r, name)) for name in names), r.role) for r in records
        ),
    )


def _score(record: Record, name: str) -> ScoreRecord | None:
    return next((score for score in record.scores if score.name == name), None)


def _cell(score: ScoreRecord | None) -> str:
    if score is None or score.value is None:
        return "–"
    text = f"{_percent(score.value)}\n{_percent(score.low)}–{_percent(score.high)}"
    return text if score.deviation is None else f"{text}\n±{_percent(score.deviation)}"


def _difference_table(records: Sequence[Record]) -> Table:
    columns = ("", "score", "difference", "interval", "images", "")
    entries = (record for record in records if record.role == "entry")
    rows = (Row(f"{r.label} − {d.minus}", _compared(d)) for r in entries for d in r.differences)
    return Table("Differences in the headline score, paired by image", columns, tuple(rows))


def _compared(difference: DifferenceRecord) -> tuple[str, ...]:
    verdict = _verdict(difference) if difference.paired else f"{_verdict(difference)} (unpaired)"
    return (*_interval(difference), str(difference.n), verdict)


def _interval(difference: DifferenceRecord) -> tuple[str, ...]:
    interval = f"[{_signed(difference.low)}, {_signed(difference.high)}]"
    return difference.score, _signed(difference.value), interval


def _verdict(difference: DifferenceRecord) -> str:
    if difference.low is None or difference.high is None:
        return "not computable"
    return "a tie" if difference.low <= 0 <= difference.high else "differs"


def _contrast_table(contrasts: Sequence[Contrast], records: Sequence[Record]) -> Table:
    columns = ("", "score", "difference", "interval")
    rows = tuple(row for contrast in contrasts for row in _contrast_rows(contrast, records))
    return Table("Where the difference comes from", columns, rows)


def _contrast_rows(contrast: Contrast, records: Sequence[Record]) -> Iterator[Row]:
    record = next(record for record in records if record.label == contrast.of)
    for difference in record.differences:
        if difference.minus == contrast.minus:
            yield Row(contrast.title, _interval(difference))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f}"
