"""Answers of annotators from a table: whose, about which image, and what is wrong with a line."""

from pathlib import Path

import pytest

from small_datasets import Made
from xbench import DatasetError, HumanLabels, UnknownNameError
from xbench.testing import check_component
from xbench_datasets.annotators.label_table import LabelTable


class Pets(Made):
    """Twelve test images, cats and dogs in turn, with ids from 1000 on."""

    name = "pets"
    classes = ("cat", "dog")


@pytest.fixture
def table(tmp_path: Path):
    """Writes a table of lines, and gives the dataset that has it."""

    def written(*lines: str, head: str = "image,annotator,label", **fields) -> LabelTable:
        file = tmp_path / "answers.csv"
        file.write_text("\n".join([head, *lines]))
        return LabelTable(Pets(), str(file), **fields)

    return written


ANSWERS = ("1000,ann,cat", "1000,bob,cat", "1000,cem,dog", "1003,ann,dog", "1003,bob,1")


def test_answers_are_counted_by_image_and_class(table):
    dataset = table(*ANSWERS)
    check_component(dataset)
    assert isinstance(dataset, HumanLabels)
    assert not dataset.simulated
    assert dataset.splits() == ("test",)
    assert dataset.ids("test") == (1000, 1003)
    assert dataset.label_counts([1003, 1000]).tolist() == [[0, 2], [2, 1]]


def test_whole_annotators_can_be_asked_alone(table):
    dataset = table(*ANSWERS)
    assert dataset.annotators() == ("ann", "bob", "cem")
    halves = [frozenset({"ann"}), frozenset({"bob", "cem"})]
    counts = [dataset.label_counts_of([1000, 1003], half) for half in halves]
    assert counts[0].tolist() == [[1, 0], [0, 1]]
    assert (counts[0] + counts[1]).tolist() == dataset.label_counts([1000, 1003]).tolist()


def test_labels_come_one_by_one_where_the_table_says_who_answered(table):
    labels = table(*ANSWERS).annotator_labels([1003, 1000])
    triples = sorted(zip(*(of.tolist() for of in labels), strict=True))
    assert triples == [(0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 2, 1)]
    assert [len(of) for of in table(*ANSWERS).annotator_labels([])] == [0, 0, 0]
    assert table(*ANSWERS, annotator="").annotator_labels([1000]) is None


def test_columns_have_any_names_and_lines_that_do_not_count_are_left_out(table):
    raw = ("7,0,0,cat", "7,0,1,dog", "8,3,0,dog")
    dataset = table(
        *raw,
        head="who,position,check,chosen",
        image="position",
        images_are="places",
        annotator="who",
        label="chosen",
        where=("check=0",),
    )
    assert dataset.label_counts(dataset.ids("test")).tolist() == [[1, 0], [0, 1]]
    assert dataset.ids("test") == (1000, 1003)


def test_a_table_need_not_say_who_answered(table):
    dataset = table("1000,cat", "1000,cat", head="image,label", annotator="")
    assert dataset.annotators() == ("",)
    assert dataset.label_counts([1000]).tolist() == [[2, 0]]


def test_the_fingerprint_hangs_on_the_answers_and_not_on_the_place(table, tmp_path):
    first = table(*ANSWERS).fingerprint()
    other = tmp_path / "copy.csv"
    other.write_text((tmp_path / "answers.csv").read_text())
    assert LabelTable(Pets(), str(other)).fingerprint() == first
    assert table(*ANSWERS[1:]).fingerprint() != first


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "1000,ann,bird",
            r"answers.csv, line 2: 'bird' is no class; classes are cat, dog, or",
        ),
        ("1000,ann,2", "'2' is no class"),
        (
            "999,ann,cat",
            "'999' is no image of split 'test' of 'pets', whose ids go from 1000 to 1",
        ),
        ("1000,ann,", "line 2: label is empty"),
        ("1000,,cat", "line 2: annotator is empty"),
    ],
)
def test_a_wrong_line_is_named(table, line, message):
    with pytest.raises(DatasetError, match=message):
        table(line).check()


def test_columns_that_are_missing_are_named_with_those_that_are_there(table):
    with pytest.raises(DatasetError, match="first line lacks label; it has image, annotator, x"):
        table("1000,ann,cat", head="image,annotator,x").check()
    with pytest.raises(DatasetError, match="it holds no answers with image=7"):
        table("1000,ann,cat", where=("image=7",)).check()


def test_answers_about_images_in_another_order_are_refused(table):
    turned = [f"{1000 + place},ann,{('dog', 'cat')[place % 2]}" for place in range(12)]
    with pytest.raises(DatasetError, match=r"for only 0.0% of the images.*TensorFlow and PyTorch"):
        table(*turned).check()
    table(*turned, agreement=0.0).check()


def test_what_was_not_asked_is_said(table, tmp_path):
    dataset = table(*ANSWERS)
    with pytest.raises(DatasetError, match="nobody answered about image 1001"):
        dataset.label_counts([1001])
    with pytest.raises(UnknownNameError, match="unknown split of label-table 'train'"):
        dataset.ids("train")
    with pytest.raises(DatasetError, match=r"the table is not there; `-p dataset\.table=FILE`"):
        LabelTable(Pets()).check()


@pytest.mark.parametrize("fields", [{"where": ("x",)}, {"where": ("=1",)}, {"agreement": 2.0}])
def test_settings_that_cannot_be_are_refused(fields):
    with pytest.raises(ValueError, match=r"where|agreement"):
        LabelTable(Pets(), **fields)
