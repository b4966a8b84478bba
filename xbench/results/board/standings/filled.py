"""The values of all entries on the same cases: what one leaves out counts as the worst."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float64, Int64

from xbench.errors import MismatchError
from xbench.interfaces.protocol import RANGES
from xbench.kernels.names import name_places
from xbench.results.record import ScoreRecord

LARGEST = 1e100
"""Squares of larger values are no numbers any more."""


class Filled(NamedTuple):
    """A score of several entries, in their order, on every case that any of them scored."""

    values: Float64[np.ndarray, "u k"]
    """Of each case in each repeat that has it; where it stands in several clusters of a second
    key, their mean."""
    repeats: Int64[np.ndarray, " u"]
    clusters: Int64[np.ndarray, " u"]
    """Which of the cases are resampled together, in natural order of their names."""
    filled: Int64[np.ndarray, " k"]
    """How many cases each entry leaves out, a case counted in each repeat."""
    cases: int
    """How many different cases there are."""
    worst: float
    """What counts for a case that is left out."""
    networks: int
    crossed: bool
    """Whether there is a second key of clusters, which is not resampled."""

    def of(self, count: int) -> "Filled":
        """The first entries alone, on the same cases."""
        return self._replace(values=self.values[:, :count], filled=self.filled[:count])

    @property
    def sums(self) -> Float64[np.ndarray, "c k"]:
        """By cluster, the sums of its cases in all repeats."""
        sums = np.zeros((len(self.counts), self.values.shape[1]))
        np.add.at(sums, self.clusters, self.values)
        return sums

    @property
    def counts(self) -> Int64[np.ndarray, " c"]:
        """By cluster, how many cases it has in all repeats."""
        return np.bincount(self.clusters).astype(np.int64)


class _Rows(NamedTuple):
    """The rows of all entries that have a value."""

    entries: Int64[np.ndarray, " n"]
    repeats: Int64[np.ndarray, " n"]
    cases: Int64[np.ndarray, " n"]
    clusters: Int64[np.ndarray, " n"]
    values: Float64[np.ndarray, " n"]
    case_names: np.ndarray
    crossed: bool


def filled(entries: Mapping[str, pa.Table], score: ScoreRecord, networks: int) -> Filled:
    """The values of the score of each entry; a case that nobody scored is left out.

    `entries` are scores case by case, by name, on so many `networks`. `MismatchError` where a
    case belongs to several clusters, or a value is too large.
    """
    rows = _rows(entries, score.name)
    _check_size(rows, list(entries), score.name)
    units, places = np.unique(_units(rows), return_inverse=True)
    shape = len(units), len(entries)
    cells = places * len(entries) + rows.entries
    counts = np.bincount(cells, minlength=len(units) * len(entries)).reshape(shape)
    sums = np.bincount(cells, rows.values, len(units) * len(entries)).reshape(shape)
    worst = worst_value(rows.values, score)
    values = np.divide(sums, counts, out=np.full(shape, worst), where=counts > 0)
    repeats, cases = np.divmod(units, max(1, len(rows.case_names)))
    clusters = _clusters(rows, places, len(units))
    different = len(np.unique(cases))
    left_out = (counts == 0).sum(axis=0)
    return Filled(values, repeats, clusters, left_out, different, worst, networks, rows.crossed)


def worst_value(values: Float64[np.ndarray, " n"], score: ScoreRecord) -> float:
    """What counts for a case that is left out: the end of the unit's range, else the worst seen."""
    if score.unit in RANGES:
        lowest, highest = RANGES[score.unit]
        return lowest if score.direction == "higher" else highest
    worst = np.min if score.direction == "higher" else np.max
    return float(worst(values)) if len(values) else 0.0


def _rows(entries: Mapping[str, pa.Table], name: str) -> _Rows:
    tables = [_of_score(table, name) for table in entries.values()]
    whole = pa.concat_tables([table.drop_columns(["cluster_2"]) for table in tables])
    whole = whole.unify_dictionaries().combine_chunks()
    cases = name_places(whole["case"])
    return _Rows(
        np.repeat(np.arange(len(tables)), [table.num_rows for table in tables]),
        whole["repeat"].to_numpy().astype(np.int64),
        cases.places,
        name_places(whole["cluster"]).places,
        whole["value"].to_numpy(),
        cases.names,
        any(table["cluster_2"].null_count < table.num_rows for table in tables),
    )


def _of_score(table: pa.Table, name: str) -> pa.Table:
    """The rows of a score that have a value; without a second key, that is null."""
    if "cluster_2" not in table.column_names:
        table = table.append_column("cluster_2", pa.nulls(table.num_rows, pa.string()))
    has_value = pc.invert(pc.is_nan(table["value"]))
    of_score = pc.equal(table["score"].cast(pa.string()), name)
    kept = table.filter(pc.and_(of_score, has_value))
    return kept.select(["case", "cluster", "cluster_2", "repeat", "value"])


def _units(rows: _Rows) -> Int64[np.ndarray, " n"]:
    """A number of each row's case in its repeat."""
    return rows.repeats * len(rows.case_names) + rows.cases


def _clusters(rows: _Rows, places: Int64[np.ndarray, " n"], units: int) -> Int64[np.ndarray, " u"]:
    """The cluster of each case, by its place among those that have a value."""
    clusters = np.zeros(units, np.int64)
    clusters[places] = rows.clusters
    strange = np.flatnonzero(clusters[places] != rows.clusters)
    if len(strange):
        case = rows.case_names[rows.cases[strange[0]]]
        raise MismatchError(
            f"case {str(case)[:80]!r} belongs to one cluster in some entries and to another in "
            "others, so that they cannot be ranked; withdraw the entries that group it wrongly"
        )
    return np.unique(clusters, return_inverse=True)[1]


def _check_size(rows: _Rows, names: Sequence[str], score: str) -> None:
    large = np.flatnonzero(np.abs(rows.values) > LARGEST)
    if len(large):
        name, value = names[rows.entries[large[0]]], rows.values[large[0]]
        message = f"{name!r} has a value of {value:.3g} in {score!r}, too large to be compared"
        raise MismatchError(f"{message}; withdraw it")
