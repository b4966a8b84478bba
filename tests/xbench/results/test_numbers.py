"""Numbers as text."""

import pytest

from xbench.results.numbers import (
    level_text,
    points,
    share_text,
    signed_text,
    spoken,
    unit_text,
    value_text,
)


@pytest.mark.parametrize(
    ("share", "text"), [(0.712, "71.2 %"), (0.03, "3.0 %"), (0.9996, "100 %"), (0.0, "0.0 %")]
)
def test_shares_are_told_as_people_read_them(share, text):
    assert share_text(share) == text


def test_shares_are_rounded_to_the_places_that_are_asked_for():
    assert share_text(0.125, 0) == "12 %"
    assert share_text(0.999, 0) == "100 %"
    assert level_text(0.95) == "95 %"


def test_differences_of_shares_are_told_in_points():
    assert value_text(-0.123, "points") == "-12.3"
    assert spoken(-0.123, "points") == "-12.3 points"
    assert points(signed_text(0.05, "points"), "points") == "+5.0 points"
    assert [unit_text(unit) for unit in ("share", "points", "number")] == [" (%)", " (points)", ""]
