"""Parquet from strangers: its footer and pages are checked before any of them is unpacked."""

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xbench.errors import SubmissionError
from xbench.results.board.footer import (
    LONGEST_NAME,
    TEXT,
    Chunk,
    Footer,
    at_most,
    footer_length,
    parsed_footer,
    rewritten,
)
from xbench.results.board.pages import pages
from xbench.results.board.plain_text import strange_character
from xbench.results.board.strict_json import AGAIN

MIB = 2**20
MOST_ROWS, MOST_BYTES = 5_000_000, 256 * MIB
MOST_PAGES = 20_000
ENCODINGS = frozenset({0, 2, 3, 8})
"""Plain, places in a dictionary, and runs of truths: of others, words build on each other."""


def read_table(data: bytes, what: str) -> pa.Table:
    """The flat table in the bytes of the file `what`; `SubmissionError` says why there is none.

    Strings come as dictionaries, and are plain text of at most `LONGEST_NAME` characters.
    """
    try:
        footer = _checked_footer(data)
        names = [column.name for column in footer.columns if column.kind == TEXT]
        file = pq.ParquetFile(pa.BufferReader(rewritten(data, footer)), read_dictionary=names)
        table = file.read(use_threads=False)
        table.validate(full=True)
        _check_count(table.num_rows, footer.rows)
        _check_words(table)
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        first = re.sub(r"[^ -~]", "?", str(error).partition("\n")[0][:200])
        raise SubmissionError(f"{what} is no table that can be read: {first}; {AGAIN}") from error
    return table


def _checked_footer(data: bytes) -> Footer:
    """The footer, where all that it and the pages say is within limits."""
    footer = parsed_footer(data)
    at_most("rows", footer.rows, MOST_ROWS)
    if sum(group.rows for group in footer.groups) != footer.rows:
        raise ValueError("its row groups have other numbers of rows than it claims")
    if len({column.name for column in footer.columns}) < len(footer.columns):
        raise ValueError("it has a column twice")
    chunks = [chunk for group in footer.groups for chunk in group.chunks]
    at_most("bytes once unpacked", sum(chunk.unpacked for chunk in chunks), MOST_BYTES)
    _check_pages(data, chunks)
    return footer


def _check_pages(data: bytes, chunks: list[Chunk]) -> None:
    """Raise `ValueError` where pages unpack to more, or to other numbers, than the footer says."""
    count, end = 0, len(data) - 8 - footer_length(data)
    for chunk in chunks:
        size, values = 0, 0
        for page in pages(_bytes_of(chunk, memoryview(data)[:end])):
            count, size = count + 1, size + page.size
            values += 0 if page.is_dictionary else page.values
            at_most("pages", count, MOST_PAGES)
            if size > chunk.unpacked or page.values > MOST_ROWS:
                raise ValueError("its pages unpack to more than its footer says")
            if page.encoding not in ENCODINGS:
                raise ValueError(f"a page is encoded in way {page.encoding}, which is not allowed")
        if values != chunk.values:
            raise ValueError("its pages have other numbers of values than its footer says")


def _bytes_of(chunk: Chunk, data: memoryview) -> memoryview:
    start = chunk.dictionary if 0 < chunk.dictionary < chunk.pages else chunk.pages
    if start < 4 or start + chunk.packed > len(data):
        raise ValueError("a column lies outside the file")
    return data[start : start + chunk.packed]


def _check_count(rows: int, claimed: int) -> None:
    if rows != claimed:
        raise ValueError(f"it has {rows} rows and claims {claimed}")


def _check_words(table: pa.Table) -> None:
    """Raise `ValueError` where a string is no plain text, or too long."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        for words in _words(column):
            longest = pc.max(pc.utf8_length(words)).as_py() or 0
            fault = strange_character("".join(words.to_pylist()))
            if longest > LONGEST_NAME:
                fault = f"has {longest} characters, and at most {LONGEST_NAME} are allowed"
            if fault:
                raise ValueError(f"a text in column {name!r} {fault}")


def _words(column: pa.ChunkedArray) -> Iterator[pa.Array]:
    """The dictionaries of a column of strings."""
    if pa.types.is_dictionary(column.type):
        yield from (chunk.dictionary for chunk in column.chunks)
