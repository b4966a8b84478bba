"""Mistakes of two classifiers: which are shown, and how the picture tells of them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from small_entries import entry_of
from xbench import Case, ImageSet, UnknownNameError
from xbench_explicable.pictures.gallery import gallery, mistake_groups
from xbench_explicable.pictures.paired_answers import PairedAnswer, grouped, paired_answers
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.small import SmallCnn

BIRDS = Toybirds(train=4, test=12, shifted=6)


def entry(label):
    sets = {role: ImageSet(BIRDS, role) for role in ("train", "test", "shifted")}
    return entry_of(SmallCnn(), sets, label=label)


def table(rows):
    """Rows from (id, set, image, label, predicted, similarity), sets encoded as C's are."""
    names = ("case", "set", "image", "label", "predicted", "similarity")
    named_rows = [(f"{row[1]}/{row[0]}", *row[1:]) for row in rows]
    made = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in named_rows])
    place = made.column_names.index("set")
    return made.set_column(place, "set", made["set"].combine_chunks().dictionary_encode())


def answers(predicted, similarity):
    """Rows of the twelve test birds and the first shifted one."""
    ids = [("test", image) for image in BIRDS.ids("test")] + [("shifted", BIRDS.ids("shifted")[0])]
    labels = BIRDS.labels([image for _, image in ids]).tolist()
    return table(
        (case, name, image, label, label if said is None else (label + said) % 20, value)
        for case, ((name, image), label, said, value) in enumerate(
            zip(ids, labels, predicted, similarity, strict=True)
        )
    )


def two():
    """Cases 0–2: b nearer. 3 and 4: a nearer. 5 and 12: the same. 6: equally near. Others right."""
    a = answers(
        [1, 1, 1, 2, 2, 3, 4, None, 2, None, None, None, 5],
        [0.1, 0.1, 0.1, 0.4, 0.3, 0.2, 0.1 + 0.2, 1, 0.4, 1, 1, 1, 0.2],
    )
    b = answers(
        [2, 2, 2, 1, 1, 3, 5, 2, None, None, None, None, 5],
        [0.2, 0.4, 0.3, 0.1, 0.1, 0.2, 0.3, 0.4, 1, 1, 1, 1, 0.2],
    )
    return {"plain": a, "weighted": b}


def answer(case, label=0, a=1, b=2, similarity=(0.0, 0.0)):
    return PairedAnswer(Case("test", case), "test", case, label, (a, b), similarity)


def cases(group):
    return [one.case.id for one in group.answers]


def words(drawing):
    return [text.get_text() for text in drawing.figure.texts]


def test_similarities_that_only_a_sum_tells_apart_are_told_as_equal():
    rows = [(0, "test", BIRDS.ids("test")[0], 0, 1, 0.0625 - 1e-17 * 4)]
    other = [(*rows[0][:4], 2, 0.0625 + 1e-16)]
    (one,) = paired_answers({"a": table(rows), "b": table(other)}, "a", "b")
    assert one.similarity == (0.0625, 0.0625)


def test_answers_are_paired_by_case_where_both_have_one():
    first = table([(3, "test", 30, 1, 1, 0.5), (1, "far", 10, 0, 2, 0.1)])
    second = table([(1, "far", 10, 0, 0, 0.5), (2, "far", 20, 0, 0, 0.5)])
    found = paired_answers({"a": first, "b": second, "c": first}, "a", "b")
    assert found == [PairedAnswer(Case("far", 1), "far", 10, 0, (2, 0), (0.1, 0.5))]
    assert found[0].right == (False, True)
    assert found[0].gain == 0.4


def test_similarities_that_differ_by_rounding_are_equal():
    assert answer(0, similarity=(0.1 + 0.2, 0.3)).gain == 0
    assert str(answer(0, similarity=(0.3, 0.1 + 0.2)).gain) == "0.0"


def test_mistakes_are_grouped_by_whose_is_nearer():
    wrong = [one for one in paired_answers(two(), "plain", "weighted") if not any(one.right)]
    nearer_b, nearer_a, same = mistake_groups(wrong, "plain", "weighted", 5)
    assert nearer_b.title == "weighted is nearer to the truth"
    assert nearer_a.title == "plain is nearer to the truth"
    assert set(cases(nearer_b)) == {0, 1, 2}
    assert set(cases(nearer_a)) == {3, 4}
    assert set(cases(same)) == {5, 12}  # case 6 is equally near, and no one is right in any
    assert len(wrong) == 8


def test_the_largest_difference_comes_first_and_the_first_of_equal_ones():
    some = [
        answer(4, label=4, similarity=(0.5, 0.1)),
        answer(1, label=1, similarity=(0.1, 0.3)),
        answer(2, label=2, similarity=(0.1, 0.3)),
        answer(3, label=3, similarity=(0.1, 0.9)),
    ]
    assert cases(grouped("all", some, 3)) == [3, 4, 1]
    assert grouped("all", some, 3).total == 4


def test_no_true_class_is_shown_again_before_all_others():
    some = [answer(case, label=label) for case, label in enumerate([5, 5, 5, 7, 7, 9])]
    assert cases(grouped("all", some, 9)) == [0, 3, 5, 1, 4, 2]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.5])), max_size=12),
    st.integers(0, 12),
)
def test_what_is_shown_follows_the_rule(drawn, count):
    some = [answer(n, label, similarity=(0.0, gain)) for n, (label, gain) in enumerate(drawn)]
    expected, left = [], list(some)
    while left:  # rounds: in each, the best of every class that has any left, best class first
        best = {}
        for one in left:
            other = best.get(one.label)
            if other is None or (-one.gain, one.case) < (-other.gain, other.case):
                best[one.label] = one
        taken = sorted(best.values(), key=lambda one: (-one.gain, one.case))
        expected += taken
        left = [one for one in left if one not in taken]
    found = grouped("all", some, count)
    assert list(found.answers) == expected[:count]
    assert found.total == len(some)


def test_the_gallery_shows_images_with_their_classes_and_similarities():
    entries = {label: entry(label) for label in two()}
    drawing = gallery(entries, two(), a="plain", b="weighted", count=2)
    names, told = BIRDS.class_names(), words(drawing)
    label = int(BIRDS.labels([BIRDS.ids("test")[1]])[0])
    assert "weighted is nearer to the truth: 3 of 8 images (38 %)" in told
    assert "plain is nearer to the truth: 2 of 8 images (25 %)" in told
    assert "Both say the same: 2 of 8 images (25 %)" in told
    assert f"a: {names[(label + 1) % 20]} 0.100" in told
    assert f"b: {names[(label + 2) % 20]} 0.400" in told
    assert {"a: plain, similarity", "b: weighted, similarity"} <= set(told)
    assert len(drawing.figure.axes) == 6
    assert drawing.title == "Mistakes of plain and weighted"
    assert (
        f"image {BIRDS.ids('test')[1]} of test ({names[label]}): plain says "
        f"{names[(label + 1) % 20]} (0.100), weighted says {names[(label + 2) % 20]} (0.400)"
    ) in drawing.text
    drawing.figure.canvas.draw()


def test_images_come_from_the_set_that_the_row_names():
    entries = {label: entry(label) for label in two()}
    drawing = gallery(entries, two(), a="plain", b="weighted")
    shifted = BIRDS.ids("shifted")[0]
    assert f"image {shifted} of shifted" in drawing.text
    last = drawing.figure.axes[-1].images[0].get_array()
    expected = entries["plain"].datasets["shifted"].batch([shifted]).images[0]
    assert last.shape == (192, 192, 3)  # 96 pixels, each twice
    assert (last[::2, ::2] == expected.permute(1, 2, 0).numpy()).all()


def test_classifiers_without_a_common_mistake_have_a_gallery_without_images():
    right = answers([None] * 13, [1] * 13)
    entries = {label: entry(label) for label in ("p", "q")}
    drawing = gallery(entries, {"p": right, "q": right}, a="p", b="q")
    assert drawing.figure.axes == []
    assert "Both say the same: no image" in words(drawing)
    assert drawing.text.endswith("Both say the same, 0 in all.")
    drawing.figure.canvas.draw()


def test_an_unknown_entry_is_named():
    entries = {label: entry(label) for label in two()}
    with pytest.raises(UnknownNameError, match=r"'wieghted'.*weighted"):
        gallery(entries, two(), a="plain", b="wieghted")
    with pytest.raises(UnknownNameError, match=r"'plian'.*plain"):
        gallery(entries, two(), a="plian", b="weighted")
