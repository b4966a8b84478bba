"""Compact letter displays, against their definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels.letters import compact_letters, letter


@st.composite
def relations(draw):
    """Any symmetric relation that nobody has to himself, and an order."""
    k = draw(st.integers(0, 9))
    pairs = np.triu_indices(k, 1)
    full = np.zeros((k, k), bool)
    full[pairs] = draw(st.lists(st.booleans(), min_size=len(pairs[0]), max_size=len(pairs[0])))
    return full | full.T, np.array(draw(st.permutations(range(k))), np.int64)


@given(relations())
def test_two_share_a_letter_if_and_only_if_they_are_not_distinguished(relation):
    distinguished, order = relation
    of_each = compact_letters(distinguished, order)
    assert all(of_each)
    for i, own in enumerate(of_each):
        assert list(own) == sorted(set(own))
        for j, other in enumerate(of_each):
            assert bool({*own} & {*other}) == (not distinguished[i, j])


@given(relations())
def test_letters_are_in_the_order_of_the_entries(relation):
    distinguished, order = relation
    of_each, seen = compact_letters(distinguished, order), []
    for entry in order:
        seen += [name for name in of_each[entry] if name not in seen]
    assert seen == [letter(number) for number in range(len(seen))]
    assert not len(order) or "a" in of_each[order[0]]


def test_what_is_apart_by_two_places_has_one_letter_for_each_neighbouring_pair():
    places = np.arange(5)
    apart = np.abs(places[:, None] - places) > 1
    assert ["".join(own) for own in compact_letters(apart, places)] == ["a", "ab", "bc", "cd", "d"]
    assert ["".join(own) for own in compact_letters(apart, places[::-1])] == [
        "d",
        "cd",
        "bc",
        "ab",
        "a",
    ]


def test_all_alike_have_one_letter_and_all_apart_one_each():
    order = np.arange(30)
    assert {*compact_letters(np.zeros((30, 30), bool), order)} == {("a",)}
    apart = compact_letters(~np.eye(30, dtype=bool), order)
    assert [apart[25], apart[26], apart[29]] == [("z",), ("a1",), ("d1",)]


def test_fifty_sister_pairs_take_few_letters():
    """There are 2⁵⁰ largest sets of entries that are alike: who walks through them never ends."""
    apart = np.kron(np.eye(50, dtype=bool), ~np.eye(2, dtype=bool))
    of_each = compact_letters(apart, np.arange(100))
    assert len({name for own in of_each for name in own}) < 40
