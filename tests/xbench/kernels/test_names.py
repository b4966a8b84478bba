"""Natural order, and places of names."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels.names import name_places, natural_key, natural_order

parts = st.text("ab 019.-", min_size=1, max_size=4)
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
numbered = st.tuples(names, st.integers(-30, 300)).map(lambda pair: f"{pair[0]}/{pair[1]}")


def slow_key(name):
    """Part by part; the digits of each as numbers, and a whole number in the last part as one."""
    *before, last = name.split("/")
    found = [(re.split("([0-9]+)", part), part) for part in before]
    keys = [([int(p) if p.isdigit() else p for p in pieces], part) for pieces, part in found]
    if re.fullmatch("0|-?[1-9][0-9]*", last):
        return keys, 0, int(last)
    return keys, 1, [int(p) if p.isdigit() else p for p in re.split("([0-9]+)", last)], last


@given(st.sets(numbered) | st.sets(names) | st.sets(names | numbered))
def test_the_order_is_that_of_a_slow_loop(some):
    given_names = pa.array(sorted(some, key=hash), pa.string())
    ordered = given_names.take(pa.array(natural_order(given_names))).to_pylist()
    # an empty text before a slash is no part
    assert ordered == sorted(some, key=lambda n: slow_key(n) if "/" in n else slow_key(f"/{n}"))
    assert ordered == sorted(some, key=natural_key)


def test_the_order_of_ids_is_that_of_numbers():
    ids = np.random.default_rng(0).permutation(2000)
    found = name_places(np.array([f"test/{number}" for number in ids], object))
    assert found.names.tolist() == [f"test/{number}" for number in range(2000)]
    assert found.places.tolist() == ids.tolist()


@given(st.lists(st.sampled_from(["b/10", "b/9", "a/x 0.9/3", "a/x 0.10/3", "a/3", "p"])))
def test_every_row_keeps_its_name_in_whatever_column_it_stands(rows):
    plain, encoded = pa.array(rows, pa.string()), pa.array(rows, pa.string()).dictionary_encode()
    half = len(rows) // 2
    pieces = pa.chunked_array([plain[:half].dictionary_encode(), plain[half:].dictionary_encode()])
    columns = [np.array(rows, object), plain, encoded, pieces, pa.chunked_array([plain, plain[:0]])]
    columns += [np.array(rows, str)] if rows else []
    for column in columns:
        found = name_places(column)
        assert found.rows.tolist() == rows
        assert found.names.tolist() == sorted(set(rows), key=natural_key)


def test_names_that_no_row_has_any_more_are_left_out():
    column = pa.array(["a/2", "a/1", "a/3"]).dictionary_encode()
    found = name_places(column.filter(pa.array([True, False, True])))
    assert found.names.tolist() == ["a/2", "a/3"]
    assert found.places.tolist() == [0, 1]


def test_no_names_are_no_names():
    for column in (np.zeros(0, object), pa.chunked_array([], pa.string()), pa.array([])):
        found = name_places(column)
        assert (found.names.tolist(), found.places.tolist()) == ([], [])


def test_a_row_without_a_name_and_a_column_of_numbers_are_refused():
    with pytest.raises(ValueError, match="1 rows have no name"):
        name_places(pa.array(["a", None]))
    with pytest.raises(TypeError, match="names are strings, not of type int64"):
        name_places(np.arange(3))
