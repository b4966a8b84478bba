"""What an entry leaves out counts as the worst: a slow twin, clusters, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hand_made_boards import entry, hits
from named_cases import named
from xbench.errors import MismatchError
from xbench.results.board.standings.filled import filled as filled_tables


def filled(entries, score):
    tables = {one.name: one.submission.scores for one in entries}
    return filled_tables(tables, score, len(entries[0].record.rows))


def slow_filled(entries, name, direction, unit):
    """By the definition: repeat, case and values of each, sums and counts of each cluster."""
    scored, clusters = [{} for _ in entries], {}
    for place, one in enumerate(entries):
        for row in one.submission.scores.to_pylist():
            if row["score"] == name and not math.isnan(row["value"]):
                scored[place][row["repeat"], row["case"]] = row["value"]
                clusters[row["repeat"], row["case"]] = row["cluster"]
    every = [value for of in scored for value in of.values()]
    worst = min(every) if direction == "higher" else max(every)
    if unit == "share":
        worst = 0.0 if direction == "higher" else 1.0
    values = {place: [of.get(place, worst) for of in scored] for place in clusters}
    sums, counts = {}, {}
    for place, cluster in clusters.items():
        counts[cluster] = counts.get(cluster, 0) + 1
        before = sums.get(cluster, [0.0] * len(entries))
        sums[cluster] = [a + b for a, b in zip(before, values[place], strict=True)]
    left_out = [len(clusters) - len(of) for of in scored]
    return values, sums, counts, left_out


def board(seed, missing, direction, unit):
    """Entries that score some of ten cases on two networks, some of them with NaN."""
    source = np.random.default_rng(seed)
    entries = []
    for place in range(1 + seed % 4):
        values = source.random((2, 10))
        values[source.random((2, 10)) < missing] = np.nan
        cases = np.arange(10)[source.random(10) < 0.8]
        fields = {"clusters": cases // 3, "direction": direction, "unit": unit}
        entries.append(entry(f"e{place}", hits(values[:, cases], cases, **fields)))
    return entries


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([0, 0.3, 0.9, 1]),
    st.sampled_from(["higher", "lower"]),
    st.sampled_from(["share", "number"]),
)
def test_values_sums_and_counts_are_those_of_the_definition(seed, missing, direction, unit):
    entries = board(seed, missing, direction, unit)
    found = filled(entries, entries[0].record.scores[0])
    if not any(one.record.scores[0].n for one in entries):
        assert (found.cases, len(found.values)) == (0, 0)
        return
    values, sums, counts, left_out = slow_filled(entries, "hits", direction, unit)
    assert found.filled.tolist() == left_out
    assert found.cases == len({case for _, case in values})
    assert sorted(map(tuple, found.values.tolist())) == sorted(map(tuple, values.values()))
    clusters = sorted(counts, key=lambda name: int(name.rpartition("/")[2]))
    assert found.counts.tolist() == [counts[name] for name in clusters]
    np.testing.assert_allclose(found.sums, [sums[name] for name in clusters])


def test_a_case_that_nobody_scored_is_left_out():
    entries = [
        entry("a", hits([0.5, np.nan, np.nan])),
        entry("b", hits([0.5, 0.25, np.nan])),
    ]
    found = filled(entries, entries[0].record.scores[0])
    assert found.values.tolist() == [[0.5, 0.5], [0.0, 0.25]]
    assert found.filled.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("fields", "worst"),
    [
        ({}, 0.0),
        ({"direction": "lower"}, 1.0),
        ({"unit": "number"}, 0.25),
        ({"unit": "number", "direction": "lower"}, 0.75),
    ],
)
def test_the_worst_is_the_end_of_a_share_and_of_numbers_the_worst_that_any_has(fields, worst):
    entries = [
        entry("a", hits([0.5, 0.75], [0, 1], **fields)),
        entry("b", hits([0.25], [0], **fields)),
    ]
    found = filled(entries, entries[0].record.scores[0])
    assert found.worst == worst
    assert found.values.tolist() == [[0.5, 0.25], [0.75, worst]]


def test_a_case_in_several_clusters_is_refused():
    entries = [
        entry("a", hits([0.1, 0.2, 0.3], clusters=[0, 0, 1])),
        entry("b", hits([0.1, 0.2, 0.3], clusters=[0, 1, 1])),
    ]
    with pytest.raises(MismatchError, match="case 'test/1' belongs to one cluster in some entries"):
        filled(entries, entries[0].record.scores[0])


def test_of_two_keys_the_first_is_resampled_and_the_second_averaged_over():
    people = named([0, 1, 0, 1], "person")
    scores = hits([0.2, 0.4, 0.6, 1.0], [7, 7, 8, 8])
    one = entry("a", scores)
    table = one.submission.scores.add_column(
        2,
        "cluster_2",
        type(one.submission.scores["case"].chunk(0)).from_arrays([0, 1, 0, 1], people[:2]),
    )
    crossed = one._replace(submission=replace(one.submission, scores=table))
    found = filled([crossed], one.record.scores[0])
    assert found.crossed
    assert found.values[:, 0] == pytest.approx([0.3, 0.8])
    assert not filled([one], one.record.scores[0]).crossed


def test_values_whose_squares_are_infinite_are_refused_by_the_name_of_their_entry():
    entries = [
        entry("a", hits([1e150, 0.0], unit="number")),
        entry("b", hits([1, 2], unit="number")),
    ]
    with pytest.raises(MismatchError, match=r"'a' has a value of 1e\+150 in 'hits'.*withdraw it"):
        filled(entries, entries[0].record.scores[0])
