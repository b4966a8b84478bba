"""A standing as one long table with all digits, for programs."""

import pyarrow as pa

from xbench.results.board.standings.ranking import Line, Ranking, Standing

COLUMNS = {
    "benchmark": pa.string(),
    "version": pa.string(),
    "apart": pa.string(),
    "score": pa.string(),
    "unit": pa.string(),
    "direction": pa.string(),
    "level": pa.float64(),
    "name": pa.string(),
    "key": pa.string(),
    "label": pa.string(),
    "role": pa.string(),
    "value": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "rank": pa.int64(),
    "rank_low": pa.int64(),
    "rank_high": pa.int64(),
    "letters": pa.string(),
    "not_distinguished": pa.string(),
    "by_network": pa.string(),
    "beaten_by": pa.string(),
    "left_out": pa.int64(),
    "scored": pa.int64(),
    "passes": pa.float64(),
    "seconds": pa.float64(),
    "superseded": pa.int64(),
    "tuned_on": pa.string(),
    "unchecked": pa.string(),
    "configurations_tried": pa.float64(),
    "fresh_drop": pa.float64(),
    "fresh_low": pa.float64(),
    "fresh_high": pa.float64(),
}
"""Lists are words with blanks between them; `apart` is empty for the board's own ranking."""


def standing_values(standing: Standing) -> pa.Table:
    """A row for each line of each ranking."""
    rows = [
        _row(standing.benchmark, ranking, line)
        for ranking in standing.rankings
        for line in ranking.lines
    ]
    return pa.Table.from_pylist(rows, pa.schema(COLUMNS))


def _row(benchmark: str, ranking: Ranking, line: Line) -> dict[str, object]:
    lists = {
        name: " ".join(str(part) if part is not None else "-" for part in getattr(line, name))
        for name in (
            "letters",
            "not_distinguished",
            "by_network",
            "beaten_by",
            "tuned_on",
            "unchecked",
        )
    }
    fresh = {f"fresh_{name}": getattr(line.fresh, name, None) for name in ("drop", "low", "high")}
    named = {**vars(ranking), **vars(line), **lists, **fresh}
    given = {**named, "benchmark": benchmark, "score": ranking.what, "label": line.shown}
    numbers = {name: float(given[name]) for name in ("passes", "configurations_tried")}
    return {name: {**given, **numbers}.get(name) for name in COLUMNS}
