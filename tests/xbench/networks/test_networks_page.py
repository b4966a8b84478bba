"""The page of awkward networks says what becomes of them."""

import re
from pathlib import Path

import pytest

from tests.shared.any_network import AWKWARD, LIBRARY, awkward_rows, library_row

ELSEWHERE = ("torchvision:vit_b_16", "timm:maxvit_rmlp_pico_rw_256")
"""Large ones, which are cut and explained by other tests."""
PAGE = Path(__file__).parents[3] / "docs" / "networks.md"
NUMBER = re.compile(r"[0-9][0-9.e-]*")


@pytest.fixture(scope="module")
def rows():
    return list(awkward_rows())


def told(table):
    """The rows of a table of the page."""
    page = PAGE.read_text(encoding="utf-8").partition(f"<!-- rows: {table} -->")[2]
    lines = page.partition("\n#")[0].splitlines()
    return [NUMBER.sub("#", line) for line in lines if line.startswith("| ")][1:]


def line(name, head, said):
    """A row as it stands on the page; sizes of gradients differ between processors."""
    return NUMBER.sub("#", f"| {name} | {head and f'`{head}`'} | {said} |")


def test_the_page_says_what_becomes_of_each_module(rows):
    assert told("modules") == [line(*row) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, _ in LIBRARY if name not in ELSEWHERE])
def test_the_page_says_what_becomes_of_each_network_of_a_library(name):
    names = [own for own, _ in LIBRARY]
    place = names.index(name)
    assert told("libraries")[place] == line(*library_row(*LIBRARY[place]))


def test_each_module_is_cut_runs_whole_or_is_refused_in_a_line(rows):
    assert len(rows) == len(AWKWARD) >= 25
    for name, _, said in rows:
        assert said.startswith(("cut at ", "runs whole: ", "refused: ")), name
        assert "\n" not in said
