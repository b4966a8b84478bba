"""The page of awkward networks says what becomes of them."""

import re
from pathlib import Path

import pytest

from tests.shared.any_network import AWKWARD, awkward_rows

PAGE = Path(__file__).parents[3] / "docs" / "networks.md"
NUMBER = re.compile(r"[0-9][0-9.e-]*")


@pytest.fixture(scope="module")
def rows():
    return list(awkward_rows())


def test_the_page_says_what_becomes_of_each_module(rows):
    page = PAGE.read_text(encoding="utf-8").splitlines()
    told = [line for line in page if line.startswith("| ")][1:]
    made = [f"| {name} | {head and f'`{head}`'} | {said} |" for name, head, said in rows]
    # sizes of gradients differ between processors
    assert [NUMBER.sub("#", line) for line in told] == [NUMBER.sub("#", line) for line in made]


def test_each_module_is_cut_runs_whole_or_is_refused_in_a_line(rows):
    assert len(rows) == len(AWKWARD) >= 25
    for name, _, said in rows:
        assert said.startswith(("cut at ", "runs whole: ", "refused: ")), name
        assert "\n" not in said
