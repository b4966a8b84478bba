"""Parquet from strangers: its footer and pages are checked before any of them is unpacked."""

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xbench.errors import SubmissionError
from xbench.results.board.pages import pages
from xbench.results.board.plain_text import strange_character, text_fault
from xbench.results.board.strict_json import AGAIN

MIB = 2**20
MOST_ROWS, MOST_BYTES = 5_000_000, 256 * MIB
MOST_COLUMNS, MOST_GROUPS, MOST_PAGES = 128, 64, 20_000
MOST_FOOTER = 1 * MIB
LONGEST_NAME = 200
"""Characters of a string in a table."""
COMPRESSIONS = frozenset({"ZSTD", "SNAPPY", "UNCOMPRESSED"})
ENCODINGS = frozenset({0, 2, 8})
"""Plain, and places in a dictionary: others unpack to more than their pages say."""
PHYSICAL = frozenset({"BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY"})
_MAGIC, _ENCRYPTED = b"PAR1", b"PARE"


def read_table(data: bytes, what: str) -> pa.Table:
    """The flat table in the bytes of the file `what`; `SubmissionError` says why there is none.

    Strings come as dictionaries, and are plain text of at most `LONGEST_NAME` characters.
    """
    try:
        _check_ends(data)
        names = _checked_metadata(data)
        file = _opened(data, read_dictionary=names)
        table = file.read(use_threads=False)
        table.validate(full=True)
        _check_count(table.num_rows, file.metadata.num_rows)
        _check_words(table)
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        first = re.sub(r"[^ -~]", "?", str(error).partition("\n")[0][:200])
        raise SubmissionError(f"{what} is no table that can be read: {first}; {AGAIN}") from error
    return table.replace_schema_metadata(None)


def _opened(data: bytes, **options: Any) -> pq.ParquetFile:
    limits = {"thrift_string_size_limit": MOST_FOOTER, "thrift_container_size_limit": 100_000}
    return pq.ParquetFile(pa.BufferReader(data), **limits, **options)


def _check_ends(data: bytes) -> None:
    """Whether it begins and ends as Parquet, with a footer that is not too large."""
    ends = {data[:4], data[-4:]}
    if _ENCRYPTED in ends:
        raise ValueError("it is encrypted")
    if ends != {_MAGIC} or len(data) < 12:
        raise ValueError("it is no Parquet")
    footer = int.from_bytes(data[-8:-4], "little")
    if footer > min(MOST_FOOTER, len(data) - 12):
        raise ValueError(f"its footer has {footer} bytes; at most {MOST_FOOTER} are allowed")


def _checked_metadata(data: bytes) -> list[str]:
    """The names of columns of strings, where all that footer and pages say is within limits."""
    metadata = _opened(data).metadata
    if not str(metadata.created_by).startswith("parquet-cpp"):
        raise ValueError("another program than this one wrote it")
    _at_most("rows", metadata.num_rows, MOST_ROWS)
    _at_most("columns", metadata.num_columns, MOST_COLUMNS)
    _at_most("row groups", metadata.num_row_groups, MOST_GROUPS)
    columns = [metadata.schema.column(place) for place in range(metadata.num_columns)]
    for column in columns:
        _check_column(column)
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        raise ValueError("its row groups have other numbers of rows than it claims")
    chunks = list(_chunks(groups))
    _at_most("bytes once unpacked", sum(c.total_uncompressed_size for _, c in chunks), MOST_BYTES)
    _check_pages(data, chunks)
    return [column.name for column in columns if column.physical_type == "BYTE_ARRAY"]


def _at_most(what: str, count: int, most: int) -> None:
    if not 0 <= count <= most:
        raise ValueError(f"it claims {count} {what}; at most {most} are allowed")


def _check_column(column: Any) -> None:
    fault = text_fault(column.name, LONGEST_NAME)
    if fault:
        raise ValueError(f"the name of a column {fault}")
    if column.path != column.name or column.max_repetition_level or column.max_definition_level > 1:
        raise ValueError(f"column {column.path[:80]!a} is nested")
    text = column.physical_type == "BYTE_ARRAY" and column.logical_type.type != "STRING"
    if column.physical_type not in PHYSICAL or text:
        raise ValueError(f"column {column.name!r} is of another type than text or number")


def _chunks(groups: list[Any]) -> Iterator[tuple[int, Any]]:
    """Each column of each row group, with the rows that it must have."""
    for group in groups:
        for place in range(group.num_columns):
            chunk = group.column(place)
            if chunk.file_path:
                raise ValueError("its pages lie in another file")
            if chunk.compression not in COMPRESSIONS:
                raise ValueError(f"it is compressed with {chunk.compression}")
            if group.num_rows < 0 or chunk.num_values != group.num_rows:
                raise ValueError("a column has another number of values than it has rows")
            if chunk.total_uncompressed_size < 0:
                raise ValueError("a column has fewer than no bytes")
            yield group.num_rows, chunk


def _check_pages(data: bytes, chunks: list[tuple[int, Any]]) -> None:
    """Raise `ValueError` where pages unpack to more, or to other numbers, than the footer says."""
    count, whole = 0, memoryview(data)
    for rows, chunk in chunks:
        size, values = 0, 0
        for page in pages(_bytes_of(chunk, whole)):
            count, size = count + 1, size + page.size
            values += 0 if page.is_dictionary else page.values
            _at_most("pages", count, MOST_PAGES)
            if size > chunk.total_uncompressed_size or page.values > MOST_ROWS:
                raise ValueError("its pages unpack to more than its footer says")
            if page.encoding not in ENCODINGS:
                raise ValueError(f"a page is encoded in way {page.encoding}, which is not allowed")
        if values != rows:
            raise ValueError("its pages have other numbers of values than its footer says")


def _bytes_of(chunk: Any, data: memoryview) -> memoryview:
    start, length = chunk.data_page_offset, chunk.total_compressed_size
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
        start = chunk.dictionary_page_offset
    if start < 4 or length < 0 or start + length > len(data) - 8:
        raise ValueError("a column lies outside the file")
    return data[start : start + length]


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
    elif not (pa.types.is_primitive(column.type) or pa.types.is_boolean(column.type)):
        raise ValueError(f"it has a column of type {column.type}")
