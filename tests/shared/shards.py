"""What must be true of the rows of every protocol, however its cases are split."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from xbench import Entry, LocalBench, Protocol, Store
from xbench.testing import tiny_workplace


def bench_in(folder: Path, batch_size: int = 5, *, keep: bool = True) -> LocalBench:
    """A bench of its own, at which nothing was asked for."""
    return LocalBench(tiny_workplace(folder, batch_size), Store(str(folder / "store")), keep=keep)


def check_shards(
    protocol: Protocol, entry: Entry, size: int, limit: int, folder: Path, atol: float = 0.0
) -> None:
    """So many cases have the same rows bit for bit in shards of a size, kept or not.

    They have them up to rounding, and differences of `atol`, in other batches.
    """
    first = bench_in(folder / "kept")
    whole = rows_of(protocol, entry, first, limit, limit)
    assert plain(rows_of(protocol, entry, first, size, limit)) == plain(whole)
    unkept = bench_in(folder / "unkept", keep=False)
    assert plain(rows_of(protocol, entry, unkept, limit, limit)) == plain(whole)
    smaller = bench_in(folder / "smaller", 2, keep=False)
    check_near(rows_of(protocol, entry, smaller, size, limit), whole, atol)


def rows_of(protocol: Protocol, entry: Entry, bench: LocalBench, size: int, limit: int) -> pa.Table:
    """The rows of the first cases, in shards of a size."""
    artefacts = bench.provider.all(protocol.artefacts(entry))
    cases = list(protocol.cases(entry, artefacts))[:limit]
    shards = [cases[start : start + size] for start in range(0, len(cases), size)]
    tables = [protocol.evaluate(entry, shard, artefacts, bench) for shard in shards]
    return pa.concat_tables(tables, promote_options="permissive")


def plain(rows: pa.Table) -> str:
    """All values, so that those that are equal bit for bit, or NaN, look equal."""
    return repr({name: rows.column(name).to_pylist() for name in rows.column_names})


def check_near(rows: pa.Table, expected: pa.Table, atol: float) -> None:
    """Numbers are the same up to rounding, and everything else is."""
    assert rows.column_names == expected.column_names
    for name in rows.column_names:
        values, others = rows.column(name).to_pylist(), expected.column(name).to_pylist()
        if pa.types.is_floating(expected.schema.field(name).type):
            one, other = (np.array(some, float) for some in (values, others))
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=atol, err_msg=name)
        else:
            assert repr(values) == repr(others), name
