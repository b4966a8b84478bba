"""Candidates, pairs and ambiguity maps against loops that follow section 3.1."""

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xbench_deliberative.kernels import ambiguity

MAPS = arrays("float64", (2, 4, 3, 3), elements=st.floats(-1, 1, width=16))


def slow_candidates(maps: torch.Tensor, count: int) -> torch.Tensor:
    chosen = torch.zeros(maps.shape, dtype=torch.bool)
    for n in range(maps.shape[0]):
        for i in range(maps.shape[2]):
            for j in range(maps.shape[3]):
                column = maps[n, :, i, j].tolist()
                order = sorted(range(len(column)), key=lambda c: (-column[c], c))
                for c in order[:count]:
                    chosen[n, c, i, j] = column[c] > 0
    return chosen


@given(MAPS, st.integers(1, 5))
def test_candidates_equal_their_slow_twin(values: object, count: int) -> None:
    maps = torch.as_tensor(values)
    fast = ambiguity.candidate_classes(maps, count)
    assert torch.equal(fast, slow_candidates(maps, count))
    assert int(fast.sum(1).max()) <= count


@given(MAPS)
def test_pairs_co_occur_where_some_location_holds_both(values: object) -> None:
    chosen = torch.as_tensor(values) > 0.2
    fast = ambiguity.co_occurring(chosen)
    for n in range(2):
        for place, (a, b) in enumerate(combinations(range(4), 2)):
            slow = any(
                chosen[n, a, i, j] and chosen[n, b, i, j] for i in range(3) for j in range(3)
            )
            assert bool(fast[n, place]) == slow


def slow_map(a: torch.Tensor, b: torch.Tensor, s: torch.Tensor | None, how: str) -> torch.Tensor:
    parts = [a, b] if s is None else [a, b, s]
    if how == "minimum":
        parts = [part / part.max() if part.max() > 0 else part for part in parts]
    result = torch.zeros_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            values = [float(part[i, j]) for part in parts]
            product = 1.0
            for value in values:
                product *= value
            root = product ** (1 / len(values))
            result[i, j] = {"product": product, "geometric-mean": root}.get(how, min(values))
    return result


@pytest.mark.parametrize("how", ["product", "minimum", "geometric-mean"])
@pytest.mark.parametrize("with_difficulty", [True, False])
@given(MAPS)
def test_ambiguity_maps_equal_their_slow_twin(
    how: str, with_difficulty: bool, values: object
) -> None:
    maps = torch.as_tensor(values).clamp(min=0)
    difficulty = maps.flip(1)[:, :1] if with_difficulty else None
    fast = ambiguity.ambiguity_maps(maps, difficulty, how)
    for n in range(2):
        s = None if difficulty is None else difficulty[n, 0]
        for place, (a, b) in enumerate(combinations(range(4), 2)):
            slow = slow_map(maps[n, a], maps[n, b], s, how)
            assert torch.allclose(fast[n, place], slow, atol=1e-15)


@given(MAPS, st.sampled_from([0.5, 4.0, 1024.0]))
def test_scale_of_the_maps_changes_neither_candidates_nor_scaled_maps(
    values: object, by: float
) -> None:
    maps = torch.as_tensor(values)
    assert torch.equal(
        ambiguity.candidate_classes(maps, 3), ambiguity.candidate_classes(maps * by, 3)
    )
    assert torch.equal(ambiguity.scaled_to_one(maps), ambiguity.scaled_to_one(maps * by))


@pytest.mark.parametrize("with_difficulty", [True, False])
@given(MAPS)
def test_the_geometric_mean_orders_locations_as_the_product_does(
    with_difficulty: bool, values: object
) -> None:
    maps = torch.as_tensor(values).clamp(min=0)
    difficulty = maps.flip(1)[:, :1] if with_difficulty else None
    product, mean = (
        ambiguity.ambiguity_maps(maps, difficulty, how).flatten(2)
        for how in ("product", "geometric-mean")
    )
    order = product.argsort(dim=2, stable=True)
    steps = mean.gather(2, order).diff(dim=2)
    assert (steps >= -1e-12).all()
    assert torch.equal(product > 0, mean > 0)


def test_the_geometric_mean_can_reverse_the_order_of_pairs() -> None:
    """One strong location outweighs many in the mean product, not in the mean of roots."""
    maps = torch.zeros(1, 4, 1, 4, dtype=torch.float64)
    maps[0, 0:2, 0, 0] = 1.0
    maps[0, 2:4, 0, :] = 0.4
    product, mean = (
        ambiguity.ambiguity_maps(maps, None, how).mean((2, 3))[0, [0, 5]]
        for how in ("product", "geometric-mean")
    )
    assert product[0] > product[1]
    assert mean[0] < mean[1]


def test_a_class_with_zero_attribution_is_no_candidate() -> None:
    maps = torch.zeros(1, 3, 2, 2)
    maps[0, 0] = 1.0
    chosen = ambiguity.candidate_classes(maps, 3)
    assert chosen[0, 0].all()
    assert not chosen[0, 1:].any()
    assert not ambiguity.co_occurring(chosen).any()


def test_two_classes_have_one_pair_and_one_class_has_none() -> None:
    assert ambiguity.class_pairs(2).tolist() == [[0, 1]]
    assert ambiguity.class_pairs(1).shape == (0, 2)
