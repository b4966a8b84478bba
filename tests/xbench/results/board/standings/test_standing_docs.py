"""The page about ranks shows a board as it is made."""

from pathlib import Path

import pytest

from hand_made_boards import example
from xbench.results.board.standings.sentences import sentences
from xbench.results.board.standings.standing import standing
from xbench.results.board.standings.table import standing_tables
from xbench.results.rendering import rendered

PAGE = Path(__file__).parents[5] / "docs" / "ranks.md"


@pytest.mark.skipif(not PAGE.exists(), reason="the source tree is not here")
def test_the_board_in_the_docs_is_made_as_it_stands_there():
    found, page = standing(example()), PAGE.read_text(encoding="utf-8")
    assert "\n".join(f"- {sentence}" for sentence in sentences(found)) in page
    for table in standing_tables(found):
        assert rendered(table, "text") in page
