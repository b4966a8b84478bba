"""Kernels of parts, against SciPy and slow loops, and on what is degenerate."""

import numpy as np
import pytest
import torch
from scipy.stats import rankdata, spearmanr

from xbench import generator
from xbench_saliency.kernels.parts import (
    important_parts,
    outside_share,
    part_areas,
    part_map,
    part_sums,
    partial_rank_correlation,
    rank_correlation,
    widened_sums,
)

NAN = float("nan")


def drawn(seed, count=3, side=7, parts=4):
    source = generator("parts", seed)
    maps = torch.randn(count, side, side, generator=source)
    masks = torch.randint(-1, parts, (count, side, side), generator=source).to(torch.int16)
    return maps, masks, parts


@pytest.mark.parametrize("seed", range(4))
def test_sums_and_areas_are_those_of_loops(seed):
    maps, masks, parts = drawn(seed)
    sums, areas = part_sums(maps, masks, parts), part_areas(masks, parts)
    for n in range(len(maps)):
        for part in range(parts):
            own = [
                float(maps[n, i, j])
                for i in range(7)
                for j in range(7)
                if int(masks[n, i, j]) == part
            ]
            assert areas[n, part] == len(own)
            assert float(sums[n, part]) == pytest.approx(sum(own), abs=1e-12)


@pytest.mark.parametrize("width", [0, 1, 2])
def test_widened_sums_are_those_of_loops(width):
    maps, masks, parts = drawn(5)
    saliency, mask = maps[0], masks[0]
    sums = widened_sums(saliency, mask, parts, width)
    for part in range(parts):
        total = 0.0
        for i in range(7):
            for j in range(7):
                near = mask[max(i - width, 0) : i + width + 1, max(j - width, 0) : j + width + 1]
                total += float(saliency[i, j]) * bool((near == part).any())
        assert float(sums[part]) == pytest.approx(total, abs=1e-6)


def test_means_of_a_constant_map_are_exactly_equal():
    _, masks, parts = drawn(1, side=40)
    maps = torch.full((3, 40, 40), 0.1)
    means = part_sums(maps, masks, parts) / part_areas(masks, parts)
    assert bool((means == means[0, 0]).all())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("coarse", [False, True])
def test_rank_correlations_are_scipys(seed, coarse):
    draws = np.random.default_rng(seed)
    values, drops = draws.normal(size=(2, 9))
    if coarse:
        values, drops = values.round(), drops.round()
    assert rank_correlation(values, drops) == pytest.approx(spearmanr(values, drops).statistic)


def test_equal_and_opposite_orders_are_exactly_one_and_minus_one():
    for seed in range(50):
        drops = np.random.default_rng(seed).normal(size=11).round(1)
        assert rank_correlation(drops, drops) == 1
        assert rank_correlation(3 * drops - 7, drops) == 1
        assert rank_correlation(-drops, drops) == -1


@pytest.mark.parametrize(
    ("values", "drops", "expected"),
    [
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], 0.0),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], NAN),
        ([2.0, 2.0, 2.0], [0.0, 0.0, 0.0], NAN),
        ([1.0, 2.0], [1.0, 2.0], NAN),
        ([], [], NAN),
        ([1.0, NAN, 3.0], [1.0, 2.0, 3.0], NAN),
        ([1.0, 2.0, 3.0], [1.0, float("inf"), 3.0], NAN),
    ],
)
def test_what_is_degenerate_is_zero_for_maps_and_missing_for_drops(values, drops, expected):
    found = rank_correlation(np.array(values), np.array(drops))
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("seed", range(10))
def test_partial_rank_correlations_follow_the_formula(seed):
    values, drops, areas = np.random.default_rng(seed).normal(size=(3, 8))
    x, y, z = (rankdata(one) for one in (values, drops, areas))
    xy, xz, yz = (np.corrcoef(*pair)[0, 1] for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_rank_correlation(values, drops, areas) == pytest.approx(expected)


def test_a_map_that_only_knows_areas_scores_nothing_once_they_are_partialled():
    draws = np.random.default_rng(0)
    areas, drops = draws.permutation(9) + 1.0, draws.normal(size=9)
    assert partial_rank_correlation(areas**2, drops, areas) == 0
    assert np.isnan(partial_rank_correlation(drops, 3 * areas, areas))
    assert np.isnan(partial_rank_correlation(drops[:3], drops[:3], areas[:3]))
    alike = np.full(9, 4.0)
    plain = rank_correlation(drops**2, drops)
    assert partial_rank_correlation(drops**2, drops, alike) == pytest.approx(plain)


def test_the_share_outside_is_of_positive_values():
    mask = torch.tensor([[-1, 0], [1, -1]])
    assert outside_share(torch.tensor([[1.0, 2.0], [-9.0, 1.0]]), mask) == 0.5
    assert np.isnan(outside_share(torch.zeros(2, 2), mask))
    assert np.isnan(outside_share(torch.full((2, 2), torch.nan), mask))


def test_parts_are_important_from_a_share_of_the_whole_on():
    sums, levels = torch.tensor([3.0, 1.0, 0.0]).double(), torch.tensor([0.1, 0.5]).double()
    expected = [[True, True, False], [True, False, False]]
    assert important_parts(sums, 5.0, levels).tolist() == expected


def test_a_map_of_parts_has_one_value_for_each():
    mask = torch.tensor([[-1, 0], [1, -1]])
    assert part_map(mask, torch.tensor([5.0, 7.0])).tolist() == [[0.0, 5.0], [7.0, 0.0]]
