"""How a run's records are printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from xbench.benchmark import Benchmark, Contrast
    from xbench.record import DifferenceRecord, Record, ScoreRecord


def print_results(
    benchmark: "Benchmark", records: "Sequence[Record]", paths: Sequence[str]
) -> None:
    """Print the scores of all entries, what differs, and where the records lie."""
    print_lines(*_heading(benchmark, records[0]))
    for family in _families(records[0]):
        print_table(_title(family, records[0]), *_scores(family, records))
    print_table("Differences in the headline score, paired by image", *_differences(records))
    if benchmark.contrasts:
        print_table("Where the difference comes from", *_contrasts(benchmark.contrasts, records))
    print_lines(*_footer(records, paths))


def _heading(benchmark: "Benchmark", record: "Record") -> list[str]:
    dataset = benchmark.datasets["test"].dataset
    repeats = "1 repeat" if benchmark.repeats == 1 else f"{benchmark.repeats} repeats"
    explained = (
        f"benchmark {benchmark.name} {benchmark.version}, dataset {dataset.name}, "
        f"{record.cases} images explained, {repeats}"
    )
    lines = [benchmark.title or benchmark.name, explained]
    for facts in record.artefact_facts:
        lines.extend(map(str, facts.get("summary", [])))
    return lines


def _families(record: "Record") -> list[str]:
    """What the scores measure, in order: a name up to its `@`, without `average`."""
    return list(dict.fromkeys(_family(score.name) for score in record.scores))


def _family(name: str) -> str:
    return name.partition("@")[0].removeprefix("average ")


def _title(family: str, record: "Record") -> str:
    level = f"{record.intervals.level:.0%}".replace("%", " %")
    return f"{family} in per cent, with {level} intervals over images"


def _scores(family: str, records: "Sequence[Record]") -> tuple[list[str], list[list[str]]]:
    names = [score.name for score in records[0].scores if _family(score.name) == family]
    columns = ["", *(name.partition("@")[2] or "average" for name in names)]
    rows = [[_label(r), *(_cell(_score(r, name)) for name in names)] for r in records]
    return columns, rows


def _label(record: "Record") -> str:
    return record.label if record.role == "entry" else f"{record.label}\n({record.role})"


def _score(record: "Record", name: str) -> "ScoreRecord | None":
    return next((score for score in record.scores if score.name == name), None)


def _cell(score: "ScoreRecord | None") -> str:
    if score is None or score.value is None:
        return "–"
    text = f"{_percent(score.value)}\n{_interval(score.low, score.high)}"
    return text if score.deviation is None else f"{text}\n±{_percent(score.deviation)}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _interval(low: float | None, high: float | None) -> str:
    return f"{_percent(low)}–{_percent(high)}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f}"


def _verdict(difference: "DifferenceRecord") -> str:
    if difference.low is None or difference.high is None:
        return "not computable"
    return "a tie" if difference.low <= 0 <= difference.high else "differs"


def _differences(records: "Sequence[Record]") -> tuple[list[str], list[list[str]]]:
    columns = ["", "score", "difference", "interval", "images", ""]
    rows = []
    for record in (record for record in records if record.role == "entry"):
        for d in record.differences:
            interval = f"[{_signed(d.low)}, {_signed(d.high)}]"
            paired = _verdict(d) if d.paired else f"{_verdict(d)} (unpaired)"
            label = f"{record.label} − {d.minus}"
            rows.append([label, d.score, _signed(d.value), interval, str(d.n), paired])
    return columns, rows


def _contrasts(
    contrasts: "Sequence[Contrast]", records: "Sequence[Record]"
) -> tuple[list[str], list[list[str]]]:
    rows = []
    for contrast in contrasts:
        record = next(record for record in records if record.label == contrast.of)
        for d in (d for d in record.differences if d.minus == contrast.minus):
            interval = f"[{_signed(d.low)}, {_signed(d.high)}]"
            rows.append([contrast.title, d.score, _signed(d.value), interval])
    return ["", "score", "difference", "interval"], rows


def _footer(records: "Sequence[Record]", paths: Sequence[str]) -> list[str]:
    unscored = {r.label: max(s.n_unscored for s in r.scores) for r in records}
    lines = [
        f"{label}: {n} images could not be scored by one of these scores"
        for label, n in unscored.items()
        if n
    ]
    return [*lines, *(f"record {path}" for path in paths)]
