"""Names are matched whatever their case, hyphens and underscores."""

import pytest

from xbench.components.matching import matched


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("grad-cam", "grad-cam"),
        ("Grad_CAM", "grad-cam"),
        ("gradcam", "grad-cam"),
        ("CUB-200", "cub200"),
        ("gradcan", "gradcan"),
    ],
)
def test_a_name_is_matched_without_case_hyphens_and_underscores(name, meant):
    assert matched(name, ["cub200", "grad-cam"]) == meant


def test_the_exact_name_wins_and_of_several_alike_none_is_taken():
    known = ["a-b", "ab", "A_B"]
    assert [matched(name, known) for name in (*known, "aB")] == [*known, "aB"]
