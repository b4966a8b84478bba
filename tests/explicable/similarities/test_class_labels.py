"""Ratings of whole classes."""

import itertools
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from xbench import DatasetError, MismatchError, ParameterError
from xbench_explicable.kernels.agreement import ordinal_alpha
from xbench_explicable.similarities.class_labels import ClassLevelLabels

HEAD = "person,true,predicted,rating,expected\n"


@pytest.fixture
def rated(tmp_path):
    """Writes ratings and makes their similarity."""

    def make(text, **parameters):
        file = tmp_path / "ratings.csv"
        file.write_text(text)
        return ClassLevelLabels(str(file), **parameters)

    return make


def slow_alpha(units, highest):
    """Krippendorff's alpha from pairs of ratings, after the definition.

    Observed: pairs within a unit, each unit weighted by its ratings; expected: all pairs.
    """
    units = [unit for unit in units if len(unit) > 1]
    every = [value for unit in units for value in unit]
    totals = [every.count(value) for value in range(highest + 1)]

    def distance(one, other):
        low, high = sorted((one, other))
        between = sum(totals[g] for g in range(low, high + 1))
        return (between - (totals[low] + totals[high]) / 2) ** 2

    n = len(every)
    observed = sum(
        sum(distance(a, b) for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
        for unit in units
    )
    expected = sum(distance(a, b) for a, b in itertools.permutations(every, 2)) / max(n - 1, 1)
    return 1 - observed / expected if expected else math.nan


def counts_of(units, highest):
    return torch.tensor([[unit.count(v) for v in range(highest + 1)] for unit in units])


@given(st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=1, max_size=8))
def test_alpha_equals_a_loop_over_pairs_of_ratings(units):
    slow = slow_alpha(units, 4)
    alpha = float(ordinal_alpha(counts_of(units, 4)))
    assert alpha == pytest.approx(slow, abs=1e-10, nan_ok=True)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=8), st.integers(2, 5))
def test_alpha_of_perfect_agreement_is_one(values, raters):
    assume(len(set(values)) > 1)
    units = [[value] * raters for value in values]
    assert float(ordinal_alpha(counts_of(units, 4))) == pytest.approx(1)


def test_alpha_of_disagreement_is_below_chance():
    assert float(ordinal_alpha(counts_of([[0, 4]] * 6, 4))) < 0


@pytest.mark.parametrize("units", [[[2, 2], [2, 2]], [[1], [3]], [[]]])
def test_alpha_is_no_number_where_nothing_can_be_compared(units):
    assert math.isnan(float(ordinal_alpha(counts_of(units, 4))))


def test_alpha_of_krippendorffs_example():
    # Krippendorff, Computing Krippendorff's alpha-reliability, 2011, section C: 4 raters,
    # 12 units, values 1 to 5; ordinal alpha .815.
    table = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    units = [[v for v in column if v is not None] for column in zip(*table.values(), strict=True)]
    assert float(ordinal_alpha(counts_of(units, 5))) == pytest.approx(0.815, abs=5e-4)


def test_ratings_become_means_with_the_highest_on_the_diagonal(rated, named):
    similarity = rated(HEAD + "p,a,b,1,\nq,a,b,4,\np,b,a,0,\nq,b,a,3,\n")
    assert similarity.matrix(named("a", "b")).tolist() == [[4, 2.5], [1.5, 4]]
    assert similarity.labels_needed(named("a", "b")) == 4


def test_the_order_of_classes_is_the_datasets(rated, named):
    similarity = rated(HEAD + "p,a,b,1,\np,b,a,3,\n")
    assert similarity.matrix(named("b", "a")).tolist() == [[4, 3], [1, 4]]


def test_who_fails_a_bait_question_is_left_out(rated, named):
    rows = "p,a,b,1,\np,b,a,1,\np,bait,bait,4,4\nq,a,b,3,\nq,b,a,3,\nq,bait,bait,0,4\n"
    similarity = rated(HEAD + rows)
    classes = named("a", "b")
    assert similarity.matrix(classes).tolist() == [[4, 1], [1, 4]]
    assert similarity.labels_needed(classes) == 2
    panel = similarity.panel(classes)
    assert panel.people == ("p",)
    assert panel.dropped == {"q": "bait questions: 0 for 4 in line 7"}


def test_a_bait_question_may_be_missed_where_that_is_allowed(rated, named):
    rows = "p,a,b,1,\np,b,a,1,\np,x,y,3,4\np,x,y,2,0\n"
    classes = named("a", "b")
    assert not rated(HEAD + rows, tolerance=2).panel(classes).dropped
    assert not rated(HEAD + rows, tolerance=1, misses=1).panel(classes).dropped
    assert rated(HEAD + rows, tolerance=1).panel(classes).dropped


def test_who_saw_no_bait_question_is_kept(rated, named):
    similarity = rated("person,true,predicted,rating\np,a,b,1\np,b,a,2\n")
    assert similarity.panel(named("a", "b")).people == ("p",)


def test_facts_say_who_rated_and_how_far_they_agree(rated, named):
    rows = "p,a,b,1,\np,b,a,3,\nq,a,b,1,\nq,b,a,3,\nr,x,x,0,4\n"
    facts = rated(HEAD + rows).facts(named("a", "b"))
    assert facts["people"] == 2
    assert facts["agreement (Krippendorff's alpha, ordinal)"] == pytest.approx(1)
    assert list(facts["left out"]) == ["r"]


def test_pairs_that_nobody_rated_are_listed(rated, named):
    similarity = rated(HEAD + "p,a,b,1,\np,b,c,1,\np,c,a,1,\nq,b,a,1,\nq,x,x,0,4\n")
    with pytest.raises(MismatchError) as raised:
        similarity.matrix(named("a", "b", "c"))
    assert str(raised.value).endswith(
        "nobody who is kept rated 3 of the 6 pairs of dataset 'named': 'a → c', 'b → a', "
        "'c → b'. 1 person was dropped over bait questions."
    )


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ("p,a,b,5,\n", DatasetError, "line 2, column 'rating': '5' is no whole number from 0 to 4"),
        ("p,a,b,-1,\n", DatasetError, "line 2, column 'rating': '-1' is no whole number"),
        ("p,a,b,2.5,\n", DatasetError, "line 2, column 'rating': '2.5' is no whole number"),
        ("p,a,b,,\n", DatasetError, "line 2, column 'rating': '' is no whole number"),
        ("p,a,b,1,\np,b,a,1,7\n", DatasetError, "line 3, column 'expected': '7' is no whole"),
        ("p,a,b," + "9" * 5000, DatasetError, "'9{40}' is no whole number from 0 to 4"),
        ("p,a,b,1,,x\n", DatasetError, "line 2: 6 cells for 5 columns"),
        ("p,a,b," + "x" * 200_000, DatasetError, "it cannot be read"),
        (",a,b,1,\n", DatasetError, "line 2: person is empty"),
        ("p,a,z,1,\n", MismatchError, "classes that the dataset does not have: 'z'; it has 'a'"),
        ("p,a,a,1,\n", MismatchError, "line 2: a class is rated against itself"),
        ("p,a,b,1,\np,a,b,2,\n", MismatchError, "person 'p' rated a → b more than once"),
        ("", DatasetError, "it holds no ratings"),
    ],
)
def test_wrong_ratings_are_refused(rated, named, rows, error, message):
    with pytest.raises(error, match=message):
        rated(HEAD + rows).matrix(named("a", "b"))


def test_a_file_without_the_columns_is_refused(rated, named):
    with pytest.raises(DatasetError, match="its first line lacks predicted, rating"):
        rated("person,true\np,a\n").matrix(named("a", "b"))


def test_a_file_that_is_not_there_is_refused(named):
    with pytest.raises(DatasetError, match=r"ratings=nowhere.csv: it cannot be read"):
        ClassLevelLabels("nowhere.csv").matrix(named("a", "b"))


@pytest.mark.parametrize("wrong", [{"highest": 0}, {"tolerance": -1}, {"misses": -1}])
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ParameterError, match="highest must be at least 1"):
        ClassLevelLabels("ratings.csv", **wrong)
