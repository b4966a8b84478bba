"""Results as tables: what a terminal prints and what a page shows."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.contrasts import Contrast
from xbench.benchmark.published import Published, PublishedOrder, PublishedRow
from xbench.interfaces.protocol import Role, Unit
from xbench.results.comparison import (
    Comparison,
    comparisons,
    family_of,
    headlines,
    score_of,
    winning_floors,
)
from xbench.results.numbers import (
    NONE,
    counted,
    level_text,
    signed_interval,
    signed_text,
    value_text,
)
from xbench.results.record import DifferenceRecord, Number, Record, ScoreRecord

MARK = "!"
"""Stands before the score of a floor that is better than an entry."""
LEGEND = f"{MARK} a floor that is better than an entry in this score"


class Row(NamedTuple):
    """One line of a table."""

    label: str
    cells: tuple[str, ...]
    """One for each column but the first; what stands below a cell's first line explains it."""
    role: Role | Literal["published"] = "entry"

    @property
    def name(self) -> str:
        """The label, and below it the role of what is no entry."""
        plain = self.role in ("entry", "published")
        return self.label if plain else f"{self.label}\n({self.role})"


class Table(NamedTuple):
    """A title, the heads of the columns (that of the labels first), and rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    legend: str = ""
    """What signs in its cells mean."""


def tables(benchmark: Benchmark, records: Sequence[Record]) -> list[Table]:
    """Scores of all entries by what they measure, differences, and what contrasts answer."""
    names, compared = _score_names(records), comparisons(benchmark, records)
    shown = [
        _score_table(family, names, records, (benchmark, compared))
        for family in dict.fromkeys(map(family_of, names))
    ]
    if headlines(records):
        shown.append(_difference_table(benchmark, records, compared))
    if benchmark.contrasts:
        shown.append(_contrast_table(benchmark.contrasts, records))
    return [*shown, *beside_published(benchmark.published, records)]


def headline_table(benchmark: Benchmark, records: Sequence[Record]) -> Table:
    """The scores that decide comparisons, of all lines, and what guessing is expected to give."""
    names, compared = headlines(records), comparisons(benchmark, records)
    scores = [[score for r in records if (score := score_of(r, name))] for name in names]
    level = level_text(records[0].intervals.level)
    title = f"Headline scores{_unit([one for of in scores for one in of])}, with {level} intervals"
    rows = _score_rows(names, records, compared)
    chances = tuple(_chance(of) for of in scores)
    known = [Row("chance", chances, "floor")] if any(cell != NONE for cell in chances) else []
    return Table(title, ("", *names), (*rows, *known), _legend(rows))


def overview(title: str, runs: Sequence[tuple[Benchmark, Sequence[Record]]]) -> Table:
    """Each entry's headline score in each of the benchmarks, a dash where it has none."""
    ranked = [(records, name) for _, records in runs for name in headlines(records)[:1]]
    scores = [
        {record.label: score_of(record, name) for record in records} for records, name in ranked
    ]
    roles = {record.label: record.role for records, _ in reversed(ranked) for record in records}
    labels = dict.fromkeys(record.label for records, _ in ranked for record in records)
    shares = all(score.unit == "share" for of in scores for score in of.values() if score)
    return Table(
        f"{title}: headline scores{' in per cent' if shares else ''}",
        ("", *(f"{records[0].benchmark}: {name}" for records, name in ranked)),
        tuple(
            Row(label, tuple(score_cell(of.get(label)) for of in scores), roles[label])
            for label in labels
        ),
    )


def heading(benchmark: Benchmark, records: Sequence[Record]) -> list[str]:
    """What was run, and what is to be said of the artefacts it made."""
    dataset = benchmark.datasets["test"].dataset
    repeats = counted(benchmark.repeats, "repeat")
    line = (
        f"benchmark {benchmark.name} {records[0].benchmark_version}, dataset {dataset.name}, "
        f"{counted(records[0].cases, benchmark.protocol.case)}, {repeats}"
    )
    line += "".join(f", variant {name}" for name in benchmark.varied)
    title = benchmark.title or benchmark.name
    return [title, line, *benchmark.notices, *artefact_lines(records)]


def artefact_lines(records: Sequence[Record]) -> list[str]:
    """What the artefacts of all records say of themselves, each once.

    What belongs to one of several records begins with its label.
    """
    facts = {of["key"]: of for record in records for of in record.artefact_facts}
    owners: dict[str, list[str]] = {key: [] for key in facts}
    for record in records:
        for key in dict.fromkeys(of["key"] for of in record.artefact_facts):
            owners[key].append(record.label)
    alone = {key: of[0] for key, of in owners.items() if len(of) == 1 < len(records)}
    before = {key: f"{alone[key]}: " if key in alone else "" for key in facts}
    lines = (before[key] + str(line) for key, of in facts.items() for line in of.get("summary", []))
    return list(dict.fromkeys(lines))


def unscored(benchmark: Benchmark, records: Sequence[Record]) -> list[str]:
    """Which entries have cases that a score could not be computed for, and how many."""
    counts = {r.label: max((s.n_unscored for s in r.scores), default=0) for r in records}
    return [
        f"{label}: {counted(n, benchmark.protocol.case)} could not be scored by one of these scores"
        for label, n in counts.items()
        if n
    ]


def awaited(records: Sequence[Record]) -> list[str]:
    """Whose scores are of some answers of people only, and how many are still to come."""
    return [
        f"{record.label}: {counted(record.awaited, 'answer')} of people still to come; run the "
        "same command again when more are there"
        for record in records
        if record.awaited
    ]


def _score_names(records: Sequence[Record]) -> list[str]:
    """Names of the scores that any record has, in the order in which they first appear."""
    return list(dict.fromkeys(score.name for record in records for score in record.scores))


def _score_table(
    family: str,
    names: Sequence[str],
    records: Sequence[Record],
    context: tuple[Benchmark, Sequence[Comparison]],
) -> Table:
    """The scores of one family, a dash where a record lacks one."""
    benchmark, compared = context
    names = [name for name in names if family_of(name) == family]
    level = level_text(records[0].intervals.level)
    scores = [score for r in records for name in names if (score := score_of(r, name))]
    rows = _score_rows(names, records, compared)
    return Table(
        f"{family}{_unit(scores)}, with {level} intervals over {benchmark.protocol.case}s"
        + _by_chance(scores),
        ("", *(name.partition("@")[2] or "average" for name in names)),
        rows,
        _legend(rows),
    )


def _score_rows(
    names: Sequence[str], records: Sequence[Record], compared: Sequence[Comparison]
) -> tuple[Row, ...]:
    """The scores of these names of each record; floors that are better than an entry are marked."""
    winning = winning_floors(compared, records)

    def cell(record: Record, name: str) -> str:
        sign = f"{MARK} " if (record.label, name) in winning else ""
        return sign + score_cell(score_of(record, name))

    return tuple(Row(r.label, tuple(cell(r, name) for name in names), r.role) for r in records)


def _legend(rows: Sequence[Row]) -> str:
    return LEGEND if any(cell.startswith(MARK) for row in rows for cell in row.cells) else ""


def _unit(scores: Sequence[ScoreRecord]) -> str:
    return " in per cent" if all(score.unit == "share" for score in scores) else ""


def _by_chance(scores: Sequence[ScoreRecord]) -> str:
    """What guessing is expected to score, where that is known."""
    chance = _chance(scores)
    return f"; by chance {chance}" if chance != NONE else ""


def _chance(scores: Sequence[ScoreRecord]) -> str:
    """What guessing is expected to score, from the least to the most."""
    known = sorted(
        {value_text(s.chance, s.unit) for s in scores if s.chance is not None}, key=float
    )
    return "–".join(dict.fromkeys((known[0], known[-1]))) if known else NONE


def score_cell(score: ScoreRecord | None) -> str:
    """The score, below it its interval, and how far repeats are apart; a dash without a value."""
    if score is None or score.value is None:
        return NONE
    text = _interval_cell(score)
    return (
        text if score.deviation is None else f"{text}\n±{value_text(score.deviation, score.unit)}"
    )


def _difference_table(
    benchmark: Benchmark, records: Sequence[Record], compared: Sequence[Comparison]
) -> Table:
    case = benchmark.protocol.case
    columns = ("", "score", "difference", "interval", f"{case}s", "")
    rows = tuple(Row(f"{one.of} − {one.minus}", compared_cells(one)) for one in compared)
    title = f"Differences in the headline scores{_in_points(records)}, paired by {case}"
    entries = {record.label for record in records if record.role == "entry"}
    of_grid = any(line.cell for line in benchmark.lines if line.label in entries)
    title += ", of entries that differ on one axis of the grid" if of_grid else ""
    return Table(title, columns, rows)


def _in_points(records: Sequence[Record]) -> str:
    """The unit of differences where all are of shares."""
    units = {difference.unit for record in records for difference in record.differences}
    return "" if "number" in units or not units else " in percentage points"


def compared_cells(one: Comparison) -> tuple[str, ...]:
    """The score's name, the difference, its interval, how many cases it is of, and the verdict."""
    word = one.verdict if one.difference.paired else f"{one.verdict} (unpaired)"
    return (*_interval(one.difference), str(one.difference.n), word)


def _interval(difference: DifferenceRecord) -> tuple[str, str, str]:
    ends = signed_interval(difference.low, difference.high, difference.unit)
    return difference.score, signed_text(difference.value, difference.unit), ends


def _contrast_table(contrasts: Sequence[Contrast], records: Sequence[Record]) -> Table:
    columns = ("", "score", "difference", "interval")
    rows = tuple(row for contrast in contrasts for row in _contrast_rows(contrast, records))
    return Table(f"Where the difference comes from{_in_points(records)}", columns, rows)


def _contrast_rows(contrast: Contrast, records: Sequence[Record]) -> Iterator[Row]:
    for record in records:
        for difference in record.differences:
            if (record.label, difference.minus) == (contrast.of, contrast.minus):
                yield Row(contrast.title, _interval(difference))


def beside_published(published: Published | None, records: Sequence[Record]) -> list[Table]:
    """Our scores beside a paper's, and what becomes of the order that it claims."""
    if published is None:
        return []
    beside = []
    by_label = {record.label: record for record in records if record.role == "entry"}
    rows = [row for row in published.rows if row.label in by_label]
    if rows:
        columns = ("", *(name.partition("@")[2] or "average" for name in published.scores))
        lines = tuple(
            line for row in rows for line in _published_rows(published, row, by_label[row.label])
        )
        beside.append(Table(_published_title(published, records[0]), columns, lines))
    claimed = claims(published, records)
    if claimed:
        columns = ("", "published", "ours", "interval", "the claim")
        beside.append(Table(f"What {published.source} claims", columns, tuple(claimed)))
    return beside


def claims(published: Published, records: Sequence[Record]) -> list[Row]:
    """The orders that a paper claims, of entries that are there, and what becomes of each."""
    by_label = {record.label: record for record in records if record.role == "entry"}
    orders = (of for of in published.orders if {of.higher, of.lower} <= by_label.keys())
    return [_order_row(published, order, by_label[order.higher]) for order in orders]


def _published_title(published: Published, record: Record) -> str:
    """Where the figures come from, and why no verdict is given, if none is."""
    reason = not_comparable(published, record)
    remarks = [published.remark, f"not comparable: {reason}" if reason else ""]
    return "; ".join(filter(None, [f"Beside {published.source}, in per cent", *remarks]))


def not_comparable(published: Published, record: Record) -> str:
    """Why the figures say nothing of this run; "" where they do."""
    if record.limited_to is not None:
        return f"this run is limited to {record.limited_to} images"
    return published.not_comparable


def _published_rows(published: Published, row: PublishedRow, record: Record) -> Iterator[Row]:
    """Our scores with their intervals; below them the paper's, and whether they lie inside."""
    scores = [score_of(record, name) for name in published.scores]
    yield Row(row.label, tuple(_interval_cell(score) for score in scores))
    comparable = not (row.not_comparable or not_comparable(published, record))
    deviations = row.deviations or (None,) * len(row.values)
    figures = zip(scores, row.values, deviations, strict=True)
    reason = f"\nnot comparable: {row.not_comparable}" if row.not_comparable else ""
    cells = (_published_cell(*figure, comparable=comparable) for figure in figures)
    yield Row(f"published{reason}", tuple(cells), "published")


def _interval_cell(score: ScoreRecord | None) -> str:
    if score is None:
        return NONE
    return interval_cell(score.value, score.low, score.high, score.unit)


def interval_cell(value: Number, low: Number, high: Number, unit: Unit) -> str:
    """A value, and its interval below it; a dash where there is none."""
    if value is None:
        return NONE
    ends = value_text(low, unit), value_text(high, unit)
    to = " to " if "-" in "".join(ends) else "–"  # -0.3–-0.1 is hard to read
    return f"{value_text(value, unit)}\n{to.join(ends)}"


def _published_cell(
    score: ScoreRecord | None, value: float, deviation: float | None, *, comparable: bool
) -> str:
    """The paper's figure, and whether it lies in the interval of ours."""
    figure = f"{value:.2f}" + ("" if deviation is None else f" ±{deviation:.2f}")
    if not comparable or score is None or score.low is None or score.high is None:
        return figure
    scale = 1 if score.unit == "number" else 100
    inside = scale * score.low <= value <= scale * score.high
    return f"{figure}\n{'inside' if inside else 'outside'}"


def _order_row(published: Published, order: PublishedOrder, higher: Record) -> Row:
    """Whether the interval of our difference lies above zero, as the claim has it."""
    claim = order.claim or f"{order.higher} above {order.lower}"
    difference = _deciding(higher, order.lower)
    if difference is None or difference.low is None or difference.high is None:
        return Row(claim, (NONE, NONE, NONE, "not computable"))
    low, high = difference.low, difference.high
    verdict = "holds" if low > 0 else "is reversed" if high < 0 else "is undecided"
    paired = "" if difference.paired else " (unpaired)"
    published_difference = _published_difference(published, order, higher, difference)
    return Row(claim, (published_difference, *_interval(difference)[1:], verdict + paired))


def _deciding(record: Record, minus: str) -> DifferenceRecord | None:
    """The difference in the score that ranks, or else in the first of the headlines."""
    ranking = record.ranking and record.ranking.name
    differences = [one for one in record.differences if one.minus == minus]
    return min(differences, key=lambda one: one.score != ranking, default=None)


def _published_difference(
    published: Published, order: PublishedOrder, record: Record, ours: DifferenceRecord
) -> str:
    """The paper's difference in the last score, and whether it lies in the interval of ours.

    A dash where ours is a difference in another score.
    """
    rows = {row.label: row for row in published.rows}
    if not {order.higher, order.lower} <= rows.keys() or published.scores[-1] != ours.score:
        return NONE
    higher, lower = rows[order.higher], rows[order.lower]
    value = higher.values[-1] - lower.values[-1]
    if not_comparable(published, record) or higher.not_comparable or lower.not_comparable:
        return f"{value:+.2f}"
    scale = 1 if ours.unit == "number" else 100
    within = scale * (ours.low or 0) <= value <= scale * (ours.high or 0)
    return f"{value:+.2f}\n{'inside' if within else 'outside'}"
