"""Tables in text files are read as they were written, and wrong lines are named."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xbench.errors import DatasetError
from xbench.files.tables import (
    DELIMITERS,
    SAMPLED,
    TableRow,
    line_error,
    read_numbers,
    read_rows,
    read_spreadsheet,
    shown_line,
)

COLUMNS = {"image": int, "score": float}
CELLS = st.text(alphabet="ab1.,;\t\"' |é\n", max_size=6)
ANY_TABLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def tables(draw, cells=CELLS):
    width = draw(st.integers(2, 4))
    rows = st.lists(cells, min_size=width, max_size=width)
    return draw(st.lists(rows, min_size=1, max_size=5))


def written(rows, delimiter, end="\n", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


@pytest.fixture
def file(tmp_path):
    return tmp_path / "table.txt"


def read(file, content, reader=read_spreadsheet, *options):
    data = content if isinstance(content, bytes) else content.encode()
    file.write_bytes(data)
    return reader(file, *options)


def cells(rows):
    return [row.cells for row in rows]


@ANY_TABLES
@given(
    tables(),
    st.sampled_from([*DELIMITERS, " "]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_the_cells_that_csv_wrote_are_read_again(file, rows, delimiter, end, quoting, mark):
    table = [*rows, ["the", "last"]]
    text = "\ufeff" * mark + written(table, delimiter, end, quoting)
    assert cells(read(file, text, read_rows, delimiter)) == table


@ANY_TABLES
@given(tables(), st.sampled_from([*DELIMITERS, " ", "|"]), st.sampled_from(["\n", "\r\n"]))
def test_a_declared_delimiter_parts_the_cells(file, rows, delimiter, end):
    text = f"sep={delimiter}{end}" + written(rows, delimiter, end)
    stripped = [[cell.strip() for cell in row] for row in rows]
    assert cells(read(file, text)) == [row for row in stripped if any(row)]


@ANY_TABLES
@given(tables(st.text(alphabet="ab1.é", min_size=1, max_size=4)), st.sampled_from(DELIMITERS))
def test_the_delimiter_is_told_from_the_rows(file, rows, delimiter):
    assert cells(read(file, written(rows, delimiter))) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (";a, b;c, d\nwall, x;0.5;1\n", [["", "a, b", "c, d"], ["wall, x", "0.5", "1"]]),
        (",a;b;c,d\nx,1,2\n", [["", "a;b;c", "d"], ["x", "1", "2"]]),
        ('"a;b",c\n"d;e",f\n', [["a;b", "c"], ["d;e", "f"]]),
        ('"a,b";c\nd;"e,f"\n', [["a,b", "c"], ["d", "e,f"]]),
        ("a;b;c\nd;e\n", [["a", "b", "c"], ["d", "e"]]),
        ("a,b,c\nd,e\n", [["a", "b", "c"], ["d", "e"]]),
        ("alone\nagain\n", [["alone"], ["again"]]),
        ("a;b\n" * SAMPLED + "ragged\n", [*[["a", "b"]] * SAMPLED, ["ragged"]]),
    ],
)  # fmt: skip
def test_the_delimiter_is_the_one_that_parts_all_rows_alike(file, text, rows):
    assert cells(read(file, text)) == rows


def test_rows_have_the_line_where_they_begin(file):
    text = 'a,b\r\n\r\n"c\r\nd",e\r\n \r\nf,g'
    expected = [TableRow(1, ["a", "b"]), TableRow(3, ["c\r\nd", "e"]), TableRow(6, ["f", "g"])]
    assert read(file, text) == expected
    assert read(file, text, read_rows, ",")[1:4:2] == [TableRow(2, []), TableRow(5, [" "])]
    assert read(file, "sep=;\n\na;b\n") == [TableRow(3, ["a", "b"])]


def test_lines_at_the_end_that_hold_nothing_are_no_rows(file):
    assert read(file, "1 a\n \n\t\n\n", read_rows, " ") == [TableRow(1, ["1", "a"])]


@pytest.mark.parametrize("text", ["", "\n", " \n\r\n", "\ufeff", "sep=;", "sep=;\n"])
def test_an_empty_file_has_no_rows(file, text):
    assert read(file, text) == []
    assert text.startswith("sep") or read(file, text, read_rows, ",") == []


@pytest.mark.parametrize("reader", [read_spreadsheet, lambda file: read_rows(file, ",")])
def test_what_cannot_be_read_is_named(file, reader):
    with pytest.raises(DatasetError, match=r"table.txt: it cannot be read \(.*No such file"):
        reader(file)
    with pytest.raises(DatasetError, match=r"table.txt, line 2: it cannot be read \(it is not UT"):
        read(file, "a,b\né,c\n".encode("latin-1"), reader)
    with pytest.raises(DatasetError, match=r"line 1: it cannot be read \(it is not UTF-8\)"):
        read(file, "a,b\n".encode("utf-16"), reader)
    with pytest.raises(DatasetError, match=r"line 2: it cannot be read \(unexpected end of data"):
        read(file, 'a,b\n"c,d\ne,f\n', reader)
    with pytest.raises(DatasetError, match=r"line 2: it cannot be read \(field larger than"):
        read(file, "a,b\nc," + "x" * 200_000, reader)


def test_messages_name_the_file_as_the_caller_says(file):
    with pytest.raises(DatasetError, match=r"^ratings=x: it cannot be read"):
        read_spreadsheet(str(file), "ratings=x")
    with pytest.raises(DatasetError, match=r"^it: it cannot be read"):
        read_rows(str(file), ",", "it")


def test_a_name_may_begin_at_home(file, monkeypatch):
    monkeypatch.setenv("HOME", str(file.parent))
    file.write_text("a,b\n")
    assert cells(read_spreadsheet("~/table.txt")) == [["a", "b"]]


NUMBERS = st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, width=64))


@ANY_TABLES
@given(
    st.lists(NUMBERS.filter(lambda row: np.isfinite(row[1])), min_size=1, max_size=6),
    st.sampled_from([" ", "  ", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from(["", "\n", " \n\n"]),
)
def test_numbers_are_read_in_one_go_or_line_by_line(file, rows, blank, end, mark, tail):
    text = mark + end.join(f"{image}{blank}{score!r}" for image, score in rows) + tail
    table = read(file, text, read_numbers, COLUMNS)
    assert [table["image"].tolist(), table["score"].tolist()] == [
        list(c) for c in zip(*rows, strict=True)
    ]
    assert (table["image"].dtype, table["score"].dtype) == (np.int64, np.float64)


def test_lines_may_have_further_fields_before_the_surplus(file):
    file.write_text("1 0.5 9\n2 1.5 0 9\n3 2.5 9\n")
    table = read_numbers(file, COLUMNS, surplus="seconds")
    assert table["image"].tolist() == [1, 2, 3]
    assert table["score"].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 0.5\n2\n", "line 2: expected 2 fields (image, score), found 1: '2'"),
        ("1 0.5\n2 1 3\n", "line 2: expected 2 fields (image, score), found 3: '2 1 3'"),
        ("1 0.5\n\n2 1\n", "line 2: expected 2 fields (image, score), found 0: ''"),
        ("", "line 1: expected 2 fields (image, score), found 0: ''"),
        ("1 0.5\n2.5 1\n", "line 2: image should be a whole number, found '2.5'"),
        ("1 0.5\n9223372036854775808 1\n", "line 2: image should be a whole number, found '9"),
        ("1 nan\n", "line 1: score should be a number, found 'nan'"),
        ("1 1e999\n", "line 1: score should be a number, found '1e999'"),
        ("1 0,5\n", "line 1: score should be a number, found '0,5'"),
        ('1 "0.5\n', "line 1: it cannot be read (unexpected end of data)"),
    ],
)
def test_a_line_without_its_numbers_is_named(file, text, message):
    with pytest.raises(DatasetError) as caught:
        read(file, text, read_numbers, COLUMNS)
    assert str(caught.value).startswith(f"{file}, {message}")


def test_numbers_of_a_file_that_is_not_there_or_not_text(file):
    with pytest.raises(DatasetError, match=r"table.txt: it cannot be read"):
        read_numbers(file, COLUMNS)
    with pytest.raises(DatasetError, match=r"line 2: it cannot be read \(it is not UTF-8\)"):
        read(file, b"1 0.5\n\xff 2\n", read_numbers, COLUMNS)


def test_a_message_shows_the_beginning_of_a_long_line():
    assert shown_line(" a b\n") == "'a b'"
    assert shown_line("x" * 61) == repr("x" * 57 + "...")
    assert str(line_error("a.txt", 3, "why")) == "a.txt, line 3: why"
