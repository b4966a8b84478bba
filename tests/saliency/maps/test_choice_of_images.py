"""Which test images a protocol asks about."""

import pytest

from small_datasets import Greys
from xbench import Case, ImageSet
from xbench_saliency.maps.choice import chosen_cases

TEST = ImageSet(Greys(test=10), "test")  # ids 8 to 17


@pytest.mark.parametrize(
    ("count", "choice", "ids"),
    [
        (3, "first", [8, 9, 10]),
        (3, "spread", [8, 11, 14]),
        (4, "spread", [8, 10, 13, 15]),
        (0, "first", list(range(8, 18))),
        (0, "spread", list(range(8, 18))),
        (99, "first", list(range(8, 18))),
        (99, "spread", list(range(8, 18))),
        (1, "spread", [8]),
    ],
)
def test_images_are_the_first_or_evenly_spread(count, choice, ids):
    assert chosen_cases(TEST, count, choice) == [Case("test", image) for image in ids]


@pytest.mark.parametrize("choice", ["first", "spread"])
def test_of_no_images_none_are_chosen(choice):
    assert chosen_cases(ImageSet(Greys(test=0), "test"), 3, choice) == []
