"""Results as tables: what a terminal prints and what a page shows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.contrasts import Contrast
from xbench.benchmark.published import Published, PublishedOrder, PublishedRow
from xbench.interfaces.protocol import Role, Unit
from xbench.results.record import DifferenceRecord, Record, ScoreRecord


class Row(NamedTuple):
    """One line of a table."""

    label: str
    cells: tuple[str, ...]
    """One for each column but the first; what stands below a cell's first line explains it."""
    role: Role | Literal["published"] = "entry"


class Table(NamedTuple):
    """A title, the heads of the columns (that of the labels first), and rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(benchmark: Benchmark, records: Sequence[Record]) -> list[Table]:
    """Scores of all entries by what they measure, differences, and what contrasts answer."""
    case, names = benchmark.protocol.case, _score_names(records)
    families = dict.fromkeys(_family(name) for name in names)
    shown = [
        _score_table(family, [name for name in names if _family(name) == family], records, case)
        for family in families
    ]
    cells = {line.label: line.cell for line in benchmark.lines}
    shown.append(_difference_table(records, case, cells))
    if benchmark.contrasts:
        shown.append(_contrast_table(benchmark.contrasts, records))
    return [*shown, *beside_published(benchmark.published, records)]


def overview(title: str, runs: Sequence[tuple[Benchmark, Sequence[Record]]]) -> Table:
    """Each entry's headline score in each of the benchmarks, a dash where it has none."""
    headlines = [(records, name) for _, records in runs for name in _headlines(records)[:1]]
    scores = [
        {record.label: _score(record, name) for record in records} for records, name in headlines
    ]
    roles = {record.label: record.role for records, _ in reversed(headlines) for record in records}
    labels = dict.fromkeys(record.label for records, _ in headlines for record in records)
    shares = all(score.unit == "share" for of in scores for score in of.values() if score)
    return Table(
        f"{title}: headline scores{' in per cent' if shares else ''}",
        ("", *(f"{records[0].benchmark}: {name}" for records, name in headlines)),
        tuple(
            Row(label, tuple(_cell(of.get(label)) for of in scores), roles[label])
            for label in labels
        ),
    )


def _headlines(records: Sequence[Record]) -> list[str]:
    """Names of the scores that decide comparisons, in order."""
    scores = (score for record in records for score in record.scores)
    return list(dict.fromkeys(score.name for score in scores if score.headline))


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


def counted(count: int, noun: str) -> str:
    """The count with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


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


def _family(name: str) -> str:
    """What a score measures: its name up to its `@`, without `average`."""
    return name.partition("@")[0].removeprefix("average ")


def _score_table(family: str, names: Sequence[str], records: Sequence[Record], case: str) -> Table:
    """The scores of one family, a dash where a record lacks one."""
    level = f"{records[0].intervals.level:.0%}".replace("%", " %")
    scores = [score for r in records for name in names if (score := _score(r, name))]
    unit = " in per cent" if all(score.unit == "share" for score in scores) else ""
    return Table(
        f"{family}{unit}, with {level} intervals over {case}s{_by_chance(scores)}",
        ("", *(name.partition("@")[2] or "average" for name in names)),
        tuple(
            Row(r.label, tuple(_cell(_score(r, name)) for name in names), r.role) for r in records
        ),
    )


def _by_chance(scores: Sequence[ScoreRecord]) -> str:
    """What guessing is expected to score, where that is known."""
    known = sorted({_value(s.chance, s.unit) for s in scores if s.chance is not None}, key=float)
    return f"; by chance {'–'.join(dict.fromkeys((known[0], known[-1])))}" if known else ""


def _score(record: Record, name: str) -> ScoreRecord | None:
    return next((score for score in record.scores if score.name == name), None)


def _cell(score: ScoreRecord | None) -> str:
    if score is None or score.value is None:
        return "–"
    text = _interval_cell(score)
    return text if score.deviation is None else f"{text}\n±{_value(score.deviation, score.unit)}"


def _difference_table(
    records: Sequence[Record], case: str, cells: Mapping[str, Mapping[str, str]]
) -> Table:
    """Each entry minus the others; of a grid only those that differ on one axis."""
    columns = ("", "score", "difference", "interval", f"{case}s", "")
    entries = [record for record in records if record.role == "entry"]
    labels = [record.label for record in entries]
    of_grid = {label: cells[label] for label in labels if cells.get(label)}
    rows = tuple(
        Row(f"{record.label} − {difference.minus}", _compared(difference))
        for place, record in enumerate(entries)
        for difference in record.differences
        if not _told_before(difference, record.label, entries[:place])
        and not _of_another(difference.minus, record.label, labels)
        and _are_near(record.label, difference.minus, cells, of_grid)
    )
    title = f"Differences in the headline score{_in_points(records)}, paired by {case}"
    title += ", of entries that differ on one axis of the grid" if of_grid else ""
    return Table(title, columns, rows)


def _are_near(
    label: str,
    other: str,
    cells: Mapping[str, Mapping[str, str]],
    of_grid: Collection[str],
) -> bool:
    """Whether cells differ on one axis at most, a floor and the cell it stands beside on none."""
    one, two = cells.get(label, {}), cells.get(other, {})
    apart = sum(one[axis] != two[axis] for axis in one.keys() & two.keys())
    return apart <= (other in of_grid)


def _told_before(difference: DifferenceRecord, label: str, before: Sequence[Record]) -> bool:
    """Whether a record that stands before has the same difference the other way round."""
    return any(
        (other.score, other.minus) == (difference.score, label)
        for record in before
        if record.label == difference.minus
        for other in record.differences
    )


def _in_points(records: Sequence[Record]) -> str:
    """The unit of differences where all are of shares."""
    units = {difference.unit for record in records for difference in record.differences}
    return " in percentage points" if units == {"share"} else ""


def _of_another(label: str, own: str, entries: Sequence[str]) -> bool:
    """Whether a floor or ceiling stands beside another entry than `own`."""
    beside = label.partition(": ")[2]
    return beside in entries and beside != own


def _compared(difference: DifferenceRecord) -> tuple[str, ...]:
    verdict = _verdict(difference) if difference.paired else f"{_verdict(difference)} (unpaired)"
    return (*_interval(difference), str(difference.n), verdict)


def _interval(difference: DifferenceRecord) -> tuple[str, ...]:
    value, low, high = (
        _signed(value, difference.unit)
        for value in (difference.value, difference.low, difference.high)
    )
    return difference.score, value, f"[{low}, {high}]"


def _verdict(difference: DifferenceRecord) -> str:
    if difference.low is None or difference.high is None:
        return "not computable"
    return "a tie" if difference.low <= 0 <= difference.high else "differs"


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
    orders = [o for o in published.orders if {o.higher, o.lower} <= by_label.keys()]
    if orders:
        lines = tuple(_order_row(published, order, by_label[order.higher]) for order in orders)
        columns = ("", "published", "ours", "interval", "the claim")
        beside.append(Table(f"What {published.source} claims", columns, lines))
    return beside


def _published_title(published: Published, record: Record) -> str:
    """Where the figures come from, and why no verdict is given, if none is."""
    reason = _not_comparable(published, record)
    remarks = [published.remark, f"not comparable: {reason}" if reason else ""]
    return "; ".join(filter(None, [f"Beside {published.source}, in per cent", *remarks]))


def _not_comparable(published: Published, record: Record) -> str:
    if record.limited_to is not None:
        return f"this run is limited to {record.limited_to} images"
    return published.not_comparable


def _published_rows(published: Published, row: PublishedRow, record: Record) -> Iterator[Row]:
    """Our scores with their intervals; below them the paper's, and whether they lie inside."""
    scores = [_score(record, name) for name in published.scores]
    yield Row(row.label, tuple(_interval_cell(score) for score in scores))
    comparable = not (row.not_comparable or _not_comparable(published, record))
    deviations = row.deviations or (None,) * len(row.values)
    figures = zip(scores, row.values, deviations, strict=True)
    reason = f"\nnot comparable: {row.not_comparable}" if row.not_comparable else ""
    cells = (_published_cell(*figure, comparable=comparable) for figure in figures)
    yield Row(f"published{reason}", tuple(cells), "published")


def _interval_cell(score: ScoreRecord | None) -> str:
    if score is None or score.value is None:
        return "–"
    value, low, high = (_value(v, score.unit) for v in (score.value, score.low, score.high))
    to = " to " if "-" in f"{low}{high}" else "–"  # -0.3–-0.1 is hard to read
    return f"{value}\n{low}{to}{high}"


def _published_cell(
    score: ScoreRecord | None, value: float, deviation: float | None, *, comparable: bool
) -> str:
    """The paper's figure, and whether it lies in the interval of ours."""
    figure = f"{value:.2f}" + ("" if deviation is None else f" ±{deviation:.2f}")
    if not comparable or score is None or score.low is None or score.high is None:
        return figure
    scale = 100 if score.unit == "share" else 1
    inside = scale * score.low <= value <= scale * score.high
    return f"{figure}\n{'inside' if inside else 'outside'}"


def _order_row(published: Published, order: PublishedOrder, higher: Record) -> Row:
    """Whether the interval of our difference lies above zero, as the claim has it."""
    claim = order.claim or f"{order.higher} above {order.lower}"
    difference = next((d for d in higher.differences if d.minus == order.lower), None)
    if difference is None or difference.low is None or difference.high is None:
        return Row(claim, ("–", "–", "–", "not computable"))
    low, high = difference.low, difference.high
    verdict = "holds" if low > 0 else "is reversed" if high < 0 else "is undecided"
    paired = "" if difference.paired else " (unpaired)"
    published_difference = _published_difference(published, order, higher, difference)
    return Row(claim, (published_difference, *_interval(difference)[1:], verdict + paired))


def _published_difference(
    published: Published, order: PublishedOrder, record: Record, ours: DifferenceRecord
) -> str:
    """The paper's difference in the last score, and whether it lies in the interval of ours.

    A dash where ours is a difference in another score.
    """
    rows = {row.label: row for row in published.rows}
    if not {order.higher, order.lower} <= rows.keys() or published.scores[-1] != ours.score:
        return "–"
    higher, lower = rows[order.higher], rows[order.lower]
    value = higher.values[-1] - lower.values[-1]
    if _not_comparable(published, record) or higher.not_comparable or lower.not_comparable:
        return f"{value:+.2f}"
    scale = 100 if ours.unit == "share" else 1
    within = scale * (ours.low or 0) <= value <= scale * (ours.high or 0)
    return f"{value:+.2f}\n{'inside' if within else 'outside'}"


def _value(value: float | None, unit: Unit) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f}" if unit == "share" else f"{value:.2f}"


def _signed(value: float | None, unit: Unit) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f}" if unit == "share" else f"{value:+.2f}"
