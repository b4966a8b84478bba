"""Parquet from strangers: what is unpacked, and that no footer ends the process."""

import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.errors import SubmissionError
from xbench.results.board.footer import parsed_footer
from xbench.results.board.parquet import read_table
from xbench.results.board.thrift import Long, Reader, struct_bytes


def parquet(table, **options):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


def mixed(rows=40):
    """A table of all types that rows of protocols have."""
    source = np.random.default_rng(0)
    return pa.table(
        {
            "case": pa.array([f"test/{n}" for n in range(rows)]).dictionary_encode(),
            "text": pa.array([["a", "ü", None][n % 3] for n in range(rows)]),
            "right": pa.array(source.random(rows) < 0.5),
            "level": pa.array(source.integers(0, 9, rows), pa.int32()),
            "far": pa.array(source.integers(0, 2**40, rows)),
            "small": pa.array(source.integers(0, 9, rows), pa.int8()),
            "single": pa.array(source.random(rows), pa.float32()),
            "value": pa.array([None if n % 7 == 0 else n / 8 for n in range(rows)]),
        }
    )


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False},
        {"row_group_size": 7},
        {"data_page_version": "2.0"},
        {"data_page_size": 16, "write_batch_size": 4},
        {"write_page_checksum": True, "write_statistics": False, "store_schema": False},
    ],
)
def test_what_was_written_is_read(compression, options):
    table = mixed()
    read = read_table(parquet(table, compression=compression, **options), "it")
    assert read.to_pydict() == table.to_pydict()
    assert pa.types.is_dictionary(read["text"].type)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_of_hardly_any_rows_is_read(rows):
    table = mixed(rows)
    assert read_table(parquet(table), "it").to_pydict() == table.to_pydict()


@pytest.mark.parametrize("options", [{"compression": "zstd"}, {"compression": "none"}])
def test_no_damage_does_anything_but_being_refused_or_read(options):
    data, source = parquet(mixed(), **options), random.Random(0)  # noqa: S311
    refused = 0
    for _ in range(400):
        altered = bytearray(data)
        for _ in range(source.choice([1, 1, 2, 6])):
            altered[source.randrange(len(data))] = source.randrange(256)
        try:
            read_table(bytes(altered), "it")
        except SubmissionError as error:
            refused += 1
            assert str(error).startswith("it is no table that can be read: ")  # noqa: PT017
    assert refused > 100


def test_statistics_that_would_end_the_process_are_never_seen():
    data = parquet(mixed())
    footer = parsed_footer(data)
    assert (footer.rows, len(footer.columns), len(footer.groups)) == (40, 8, 1)
    length = int.from_bytes(data[-8:-4], "little")
    place = len(data) - 8 - length
    fields = Reader(memoryview(data), place).struct()
    chunk = fields[4][0][1][0]
    assert 12 in chunk[3], "a column has statistics"
    chunk[3][16] = {1: Long(8), 3: [Long(1)] * 9}  # a histogram of levels that are not there
    schema = [{n: of[n] for n in (1, 3, 4, 5, 6) if n in of} for of in fields[2]]
    altered = struct_bytes({1: 2, 2: schema, 3: Long(40), 4: [_long(fields[4][0])]})
    whole = data[:place] + altered + len(altered).to_bytes(4, "little") + b"PAR1"
    assert read_table(whole, "it").to_pydict() == mixed().to_pydict()


def _long(group):
    """The group with its lengths as long numbers; what is of other types left out."""
    chunks = []
    for chunk in group[1]:
        lengths = {n: Long(chunk[3][n]) for n in (5, 6, 7, 9, 11) if n in chunk[3]}
        kept = {n: chunk[3][n] for n in (1, 2, 3, 4, 16) if n in chunk[3]}
        chunks.append({2: Long(0), 3: {**kept, **lengths}})
    return {1: chunks, 2: Long(group[2]), 3: Long(group[3])}


VALUES = st.recursive(
    st.integers(-(2**31), 2**31 - 1) | st.binary(max_size=20),
    lambda inner: (
        st.dictionaries(st.integers(1, 15), inner, max_size=3)
        | st.lists(st.integers(-9, 9), max_size=20)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.integers(1, 15), VALUES, max_size=5))
def test_structs_are_read_as_they_were_written(fields):
    data = struct_bytes(fields)
    reader = Reader(memoryview(data + b"more"))
    assert reader.struct() == fields
    assert reader.place == len(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_struct_or_none(data):
    try:
        fields = Reader(memoryview(data)).struct()
    except ValueError:
        return
    assert all(isinstance(field, int) for field in fields)
