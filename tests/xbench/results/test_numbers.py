"""Numbers as text."""

import pytest

from xbench.results.numbers import level_text, share_text


@pytest.mark.parametrize(
    ("share", "text"), [(0.712, "71.2 %"), (0.03, "3.0 %"), (0.9996, "100 %"), (0.0, "0.0 %")]
)
def test_shares_are_told_as_people_read_them(share, text):
    assert share_text(share) == text


def test_shares_are_rounded_to_the_places_that_are_asked_for():
    assert share_text(0.125, 0) == "12 %"
    assert share_text(0.999, 0) == "100 %"
    assert level_text(0.95) == "95 %"
