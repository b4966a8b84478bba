"""Who pairs with whom: derived from records, never listed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hand_made_boards import entry, hits, weights
from xbench.results.board.standings.groups import apart, groups, measure
from xbench.results.record import HeadingRecord, IntervalRecord, WeightsRecord

VALUES = np.linspace(0, 1, 6).reshape(2, 3)
PROTOCOL = {"kind": "protocol", "name": "hits", "version": "1", "parameters": {}}
IMAGES = {"dataset": {"name": "birds"}, "split": "test", "fingerprint": "a" * 32}


def one(name, values=VALUES, **changes):
    return entry(name, hits(values), **changes)


DIFFERENT = [
    ({"benchmark_version": "0"}, "version 0 of the benchmark"),
    ({"benchmark_version": "1+0a1b2c"}, "version 1+0a1b2c of the benchmark"),
    ({"protocol": {**PROTOCOL, "name": "misses"}}, 'the protocol\'s name "misses" instead'),
    ({"protocol": {**PROTOCOL, "version": "2"}}, 'the protocol\'s version "2" instead of "1"'),
    (
        {"protocol": {**PROTOCOL, "parameters": {"images": 5}}},
        "the protocol's parameter images 5 instead of nothing",
    ),
    ({"datasets": {"test": {**IMAGES, "fingerprint": "b" * 32}}}, "other images of 'test' (birds"),
    ({"datasets": {"test": {**IMAGES, "transform": {"crop": 5}}}}, "other images of 'test'"),
    ({"datasets": {"test": IMAGES, "shifted": IMAGES}}, "other images of 'shifted'"),
    ({"heading": HeadingRecord(title="", case="image", place=0, variants=["few"])}, "variant few"),
    ({"weights": weights("a", "x")}, "other weights"),
    ({"weights": weights("b", "a")}, "other weights"),
    ({"weights": []}, "other weights"),
    ({"components": {"loss": {"name": "mine"}}}, "classifiers instead of explainers"),
    ({"intervals": IntervalRecord(level=0.9, resamples=30, seed=0)}, "intervals of 90 %"),
    ({"compared_set": "e" * 32}, "scores that depend on which other entries were compared"),
]


@pytest.mark.parametrize(("changes", "line"), DIFFERENT, ids=lambda of: str(of)[:40])
def test_what_differs_stands_apart_with_a_line_that_says_in_what(changes, line):
    datasets = {"test": IMAGES}
    usual = [one("a", datasets=datasets), one("c", datasets=datasets)]
    main, other = groups([one("b", **{"datasets": datasets, **changes}), *usual])
    assert [of.name for of in main.entries] == ["a", "c"]
    assert [of.name for of in other.entries] == ["b"]
    assert line in apart(other.measure, main.measure)
    assert apart(main.measure, main.measure) == ""


def test_fewer_networks_stand_apart():
    main, other = groups([one("a"), one("b"), one("c", VALUES[:1])])
    assert apart(other.measure, main.measure) == "1 network instead of 2"


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": [7, 8]},
        {"device": "cuda", "packages": {"torch": "2.9.0"}, "platform": "Windows"},
        {"datasets": {"test": IMAGES, "train": {**IMAGES, "fingerprint": "c" * 32}}},
        {"components": {"explainer": {"name": "other"}, "loss": {"name": "mine"}}},
        {"protocol": {**PROTOCOL, "distribution_version": "0.2.0"}},
        {"intervals": IntervalRecord(level=0.95, resamples=99, seed=4)},
    ],
    ids=str,
)
def test_what_does_not_change_the_question_keeps_entries_together(changes):
    datasets = {"test": IMAGES}
    assert (
        len(groups([one("a", datasets=datasets), one("b", **{"datasets": datasets, **changes})]))
        == 1
    )


def test_an_explainers_own_weights_are_a_part_of_the_entry():
    own = WeightsRecord(name="explainer/hardness", key="h", state="own")
    more = [[*of, own] for of in weights("a", "b")]
    assert len(groups([one("a"), one("b", weights=more)])) == 1


def test_where_classifiers_are_compared_their_weights_are_what_is_compared():
    parts = {"components": {"classifier": {"name": "net"}, "loss": {"name": "mine"}}}
    entries = [one("a", **parts), one("b", weights=weights("x", "y"), **parts)]
    assert len(groups(entries)) == 1
    member = {"components": {"member a": {"explainer": {"name": "mine"}}}}
    assert measure(one("a", **member).record).weights is not None


def test_of_equal_groups_reference_weights_come_first_and_then_the_newest():
    own = one("a", weights=weights("x", "y", reference=False), added="2026-06-01")
    reference = one("b", added="2026-05-01")
    assert groups([own, reference])[0].entries == (reference,)
    older = one("c", weights=weights("p", "q"), added="2026-04-01")
    assert groups([older, reference, own])[0].entries == (reference,)


def test_the_order_of_entries_has_no_meaning():
    entries = [one("a"), one("b", weights=weights("x", "y")), one("c", weights=weights("p", "q"))]
    names = [
        [[of.name for of in group.entries] for group in groups(order)]
        for order in itertools.permutations(entries)
    ]
    assert all(of == names[0] for of in names)


NAMES = st.sampled_from(["kind", "name", "parameters", "dataset", "split", "test", "explainer"])
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda of: st.lists(of, max_size=3) | st.dictionaries(NAMES, of, max_size=4),
)


@given(st.dictionaries(NAMES, TREES), st.dictionaries(NAMES, TREES), st.dictionaries(NAMES, TREES))
def test_whatever_a_stranger_writes_into_a_record_has_a_measure(protocol, datasets, components):
    trees = {"protocol": protocol, "datasets": datasets, "components": components}
    strange = measure(USUAL.record.model_copy(update=trees))
    usual = measure(USUAL.record)
    same = strange.text() == usual.text()
    assert bool(apart(strange, usual)) is bool(apart(usual, strange)) is not same


USUAL = one("usual")
