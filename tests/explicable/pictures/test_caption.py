"""How numbers and names are written below pictures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench_explicable.pictures.caption import SLACK, broken, decimals


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([0.213, 0.04], ["0.213", "0.040"]),
        ([1.0, 0.0], ["1.000", "0.000"]),
        ([0.0123, 0.004], ["0.0123", "0.0040"]),
        ([0.00098, 0.00012], ["0.000980", "0.000120"]),
        ([0.0, 0.0], ["0.000", "0.000"]),
    ],
)
def test_all_numbers_of_a_picture_have_as_many_decimals(values, told):
    assert [f"{value:.{decimals(values)}f}" for value in values] == told


def test_no_numbers_need_no_more_decimals_than_others():
    assert decimals([]) == 3


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("weighted(mean(ihl, ekl))", 24, ["weighted(mean(ihl, ekl))"]),
        ("weighted(mean(ihl, ekl))", 18, ["weighted", "(mean(ihl, ekl))"]),
        ("weighted(mean(ihl, ekl))", 12, ["weighted", "(mean(ihl,", "ekl))"]),
        (
            "weighted(mean(ekl), preset=softmax)",
            18,
            ["weighted", "(mean(ekl),", "preset=softmax)"],
        ),
        (
            "soft-hierarchical-labels(hierarchy=wordnet)",
            18,
            ["soft-hierarchical-", "labels", "(hierarchy=wordnet)"],
        ),
        ("weighted(ihl, preset=softmax)", 14, ["weighted", "(ihl,", "preset=softmax)"]),
        ("weighted(ihl, preset=softmax)", 11, ["weighted", "(ihl,", "preset=", "softmax)"]),
        ("cross-entropy", 12, ["cross-", "entropy"]),
    ],
)
def test_descriptions_are_broken_before_brackets(text, width, lines):
    assert broken(text, width).split("\n") == lines


@given(st.text("ab(),- =", max_size=40), st.integers(4, 20))
def test_breaking_loses_nothing_but_blanks_and_breaks_what_can_be_broken(text, width):
    lines = broken(text, width).split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        assert len(line) <= width + SLACK or not any(mark in line[1:-1] for mark in "=(- ")
