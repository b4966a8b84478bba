"""The choice of the test images that a protocol asks about."""

from typing import Literal

from xbench import Case, ImageSet

Choice = Literal["first", "spread"]
"""The first images, or images evenly spread over the test set, as where it is in the order of its
classes."""


def chosen_cases(test: ImageSet, count: int, choice: Choice) -> list[Case]:
    """So many of the test images, or all if `count` is 0 or more than there are."""
    ids = test.ids()
    most = min(count or len(ids), len(ids))
    places = [place * len(ids) // most if choice == "spread" else place for place in range(most)]
    return [Case("test", ids[place]) for place in places]
