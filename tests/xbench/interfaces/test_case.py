"""Cases and their names."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.interfaces.data.case import Case, case_column, case_places

parts = st.text("ab0 9.-|", min_size=1, max_size=5).filter(lambda text: text == text.strip())
cases = st.builds(Case, parts, st.integers(-5, 10**12), st.lists(parts, max_size=3).map(tuple))


def test_a_case_is_named_by_its_role_what_it_belongs_to_and_its_id():
    assert str(Case("test", 2000003)) == "test/2000003"
    within = "bird-water at 0.9", "out"
    assert str(Case("test", 2000003, within)) == "test/bird-water at 0.9/out/2000003"


@given(cases)
def test_a_name_gives_the_case_back(case):
    assert Case.parse(str(case)) == case
    assert hash(Case.parse(str(case))) == hash(case)


@pytest.mark.parametrize("part", ["", "a/b", " a", "a ", "\t"])
@pytest.mark.parametrize("make", [lambda p: Case(p, 1), lambda p: Case("test", 1, ("in", p))])
def test_parts_that_make_no_name_are_refused(part, make):
    with pytest.raises(ValueError, match=re.escape(f"{part!r} cannot be a part of a case's name")):
        make(part)


@pytest.mark.parametrize("name", ["", "test", "7", "test/", "test/x", "test/1.5", "test/²"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match=re.escape(f"{name!r} is no name of a case, such as")):
        Case.parse(name)


@pytest.mark.parametrize("name", ["test/007", "test/-0"])
def test_a_name_has_one_spelling(name):
    with pytest.raises(ValueError, match=re.escape(f"{name!r} is no name of a case; 'test/")):
        Case.parse(name)


@given(st.lists(cases))
def test_cases_and_the_names_of_rows_have_one_order(some):
    rows = pa.table({"case": case_column(some)})
    assert list(map(Case.parse, case_places(rows).names)) == sorted(set(some))


def test_the_order_is_natural():
    names = ["test/a at 0.9/10", "test/b/1", "b/1", "test/a at 0.10/2", "test/a at 0.9/9", "test/3"]
    ordered = ["b/1", "test/3", "test/a at 0.9/9", "test/a at 0.9/10", "test/a at 0.10/2"]
    assert [*map(str, sorted(map(Case.parse, names)))] == [*ordered, "test/b/1"]


def test_a_column_names_each_case_in_as_many_rows_as_it_has():
    some = [Case("test", 5), Case("test", 3), Case("test", 5)]
    assert case_column(some).to_pylist() == ["test/5", "test/3", "test/5"]
    assert case_column(some, [2, 0, 1]).to_pylist() == ["test/5", "test/5", "test/5"]
    assert case_column([]).to_pylist() == []


def test_columns_of_several_tables_are_read_as_one():
    tables = [pa.table({"case": case_column([Case("test", n)], [3])}) for n in (7, 5, 7)]
    for whole in (pa.concat_tables(tables), pa.concat_tables(tables).unify_dictionaries()):
        found = case_places(whole)
        assert found.names.tolist() == ["test/5", "test/7"]
        assert found.places.tolist() == [1] * 3 + [0] * 3 + [1] * 3


def test_many_rows_are_read_fast_and_right():
    ids = np.random.default_rng(0).permutation(100_000).tolist()
    found = case_places(pa.table({"case": case_column([Case("test", n) for n in ids])}))
    assert found.places.tolist() == ids
