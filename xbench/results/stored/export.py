"""Stored results as tables for papers: an entry, or a difference, in each row."""

from collections.abc import Sequence

from xbench.results.comparison import every_comparison
from xbench.results.numbers import difference_unit, level_text, unit_text
from xbench.results.record import Record
from xbench.results.stored.runs import dataset_name
from xbench.results.tables import Row, Table, compared_cells, score_cell


def entry_table(records: Sequence[Record]) -> Table:
    """Each record's headline scores with their intervals, a dash where it has none."""
    headlines = [score for record in records for score in record.scores if score.headline]
    scores = headlines or [score for record in records for score in record.scores]
    heads = {score.name: f"{score.name}{unit_text(score.unit)}" for score in scores}
    columns = ("entry", "benchmark", "dataset", *heads.values(), "cases")
    rows = tuple(_entry_row(record, list(heads)) for record in records)
    return Table(f"{'Headline scores' if headlines else 'Scores'}{_level(records)}", columns, rows)


def difference_rows(records: Sequence[Record]) -> Table:
    """Each difference between two entries of a run, with its interval."""
    columns = ("", "benchmark", "score", "difference", "interval", "cases", "")
    rows = [
        Row(f"{one.of} − {one.minus}", (record.benchmark, f"{score}{unit}", *cells))
        for record in records
        for one in every_comparison(record)
        for unit in [difference_unit(one.difference.unit)]
        for score, *cells in [compared_cells(one)]
    ]
    return Table(f"Differences in the headline scores{_level(records)}", columns, tuple(rows))


def _level(records: Sequence[Record]) -> str:
    """How sure the intervals are, where it is the same for all."""
    levels = {record.intervals.level for record in records}
    return f", with {level_text(*levels)} intervals" if len(levels) == 1 else ""


def _entry_row(record: Record, names: Sequence[str]) -> Row:
    scores = {score.name: score for score in record.scores}
    cells = [score_cell(scores.get(name)) for name in names]
    cases = max((scores[name].n for name in names if name in scores), default=0)
    where = (record.benchmark, dataset_name(record))
    return Row(record.label, (*where, *cells, str(cases)), record.role)
