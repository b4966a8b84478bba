"""What a researcher is told of a new study: classes that may disturb, and those left out."""

import pytest
import torch

from xbench import ImageSet, UsageError
from xbench.testing import TinyDataset
from xbench_study.designs.drafts import Draft, DraftOption
from xbench_study.material.left_out import without_classes
from xbench_study.material.notes import disturbing_group, notes

PHOTO = torch.zeros(2, 2, 3, dtype=torch.uint8)
NAMES = ("tench", "king snake", "assault rifle", "syringe", "wolf spider")


def draft(label, pictured=()):
    options = [DraftOption(k, pictures=(PHOTO,)) for k in pictured]
    return Draft(0, {}, [*options, DraftOption(3, "syringe")], facts={"true": label})


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("rock python", "snakes"),
        ("Wolf_Spiders", "spiders and their kin"),
        ("cockroach", "insects and worms"),
        ("assault rifle", "weapons"),
        ("Band Aid", "illness and injury"),
        ("bikini", "little clothing"),
        ("wine bottle", "drugs and drink"),
        ("boxes of syringes", "illness and injury"),
    ],
)
def test_names_with_a_word_of_the_list_may_disturb(name, group):
    assert disturbing_group(name) == group


@pytest.mark.parametrize(
    "name",
    ["bee eater", "spider monkey", "elephant", "trifle", "bluetick", "pants", ""],
)
def test_whole_words_count_and_what_is_known_to_be_harmless_does_not(name):
    assert disturbing_group(name) == ""


def test_items_count_that_have_a_picture_of_the_class():
    of = notes([draft(1), draft(1, (0, 4)), draft(0, (2,)), draft(0)], NAMES, ["2 left out"])
    counted = {one.name: (one.group, one.items) for one in of.disturbing}
    assert counted == {  # nobody sees a syringe: it is only named
        "king snake": ("snakes", 2),
        "wolf spider": ("spiders and their kin", 1),
        "assault rifle": ("weapons", 1),
    }
    assert list(of.lines()) == [
        "2 left out",
        "classes that may disturb, with the number of items that show them:",
        "  snakes: king snake (2)",
        "  spiders and their kin: wolf spider (1)",
        "  weapons: assault rifle (1)",
    ]
    text = of.markdown()
    assert "| snakes | king snake | 2 |" in text
    assert "- 2 left out" in text
    assert "nobody looked at the pictures" in text


def test_where_nothing_disturbs_it_is_said_that_only_names_were_read():
    of = notes([draft(0)], NAMES, [])
    assert list(of.lines()) == []
    assert "None." in of.markdown()
    assert "nobody looked at the pictures" in of.markdown()


def test_classes_that_are_left_out_have_no_image():
    images = ImageSet(TinyDataset(), "test")
    name = images.dataset.class_names()[2]
    kept = without_classes(images, [name])
    labels = images.dataset.labels(list(kept.ids())).tolist()
    assert set(labels) == {0, 1, 3, 4}
    assert [i for i in images.ids() if i in set(kept.ids())] == list(kept.ids())
    assert kept.tree() != images.tree()
    assert without_classes(images, []) is images
    with pytest.raises(UsageError, match="no class is called 'unicorn'"):
        without_classes(images, [name, "unicorn"])
