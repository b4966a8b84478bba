"""Columns of tables: numbers are never broken, and what does not fit stands below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.results.columns import NUMBER, WORD, Column, column, numeric, parts, widths, wrapped


def room(columns, places):
    """What a table of these columns takes at least: their least widths, and its frame."""
    return sum(columns[place].least for place in places) + 3 * len(places) + 1


columns_of_any_width = st.lists(
    st.tuples(st.booleans(), st.integers(1, 24), st.integers(0, 60)).map(
        lambda drawn: Column(drawn[0], drawn[1], drawn[1] + drawn[2])
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("1", "-2.5", "[+1.0, –]", "58.1\n50.0–60.1", ""), True),
        (("1", "tie"), False),
        (("1", "! 61.7\n61.1–62.4"), True),
        ((), True),
    ],
)
def test_numbers_are_told_from_words(cells, expected):
    assert numeric(cells) is expected


def test_numbers_are_not_wrapped_and_words_are():
    assert column("average", ["58.1\n50.0–60.1"]) == Column(True, 9, 9)
    assert column("", ["random region, same pair\n(floor)"]) == Column(False, 7, 24)
    assert column("interval", ["[-13.4, +1.5]"]) == Column(True, 13, 13)


def test_a_head_may_break_after_a_hyphen_and_a_cell_may_not():
    assert column("cerula-secunda", ["0.333"]) == Column(True, 7, 14)
    assert column("", ["cerula-secunda"]).least == 14
    assert wrapped("cerula-secunda", 7, hyphens=True) == "cerula-\nsecunda"


def test_long_words_are_broken_and_a_text_that_begins_with_a_digit_is_text():
    assert column("", ["x" * 50]) == Column(False, WORD, 50)
    assert column("", ["2 of them " * 5]).least == 4
    assert column("", ["1" * NUMBER]).least == NUMBER
    assert column("", []) == Column(True, 1, 1)


def test_lines_stay_lines_when_they_are_wrapped():
    assert wrapped("45.7\n40.1–50.8", 9) == "45.7\n40.1–50.8"
    assert wrapped("what the choice of the pair gives\n(floor)", 20) == (
        "what the choice of\nthe pair gives\n(floor)"
    )


@given(columns_of_any_width, st.integers(20, 200))
def test_every_column_stands_in_one_part_and_parts_fit_where_two_columns_do(columns, width):
    found = parts(columns, width)
    assert [place for part in found for place in part[1:]] == list(range(1, len(columns)))
    assert all(part[0] == 0 for part in found)
    for part in found:
        assert len(part) <= 2 or room(columns, part) <= width


@given(columns_of_any_width, st.integers(20, 200))
def test_columns_get_what_they_need_and_no_more_than_they_like(columns, width):
    found = widths(columns, width)
    assert all(one.least <= own <= one.most for one, own in zip(columns, found, strict=True))
    taken = sum(found) + 3 * len(found) + 1
    assert taken <= max(width, room(columns, range(len(columns))))
    assert (
        taken == width
        or all(o == one.most for one, o in zip(columns, found, strict=True))
        or (room(columns, range(len(columns))) > width)
    )


def test_long_text_is_wrapped_before_short_text_is():
    columns = [Column(False, 8, 60), Column(False, 9, 17), Column(True, 6, 6)]
    assert widths(columns, 80) == [47, 17, 6]
