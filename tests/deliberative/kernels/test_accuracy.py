"""Precision, recall and IoU equal loops over coverages exactly."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench_deliberative.kernels import accuracy, regions
from xbench_deliberative.protocol.rows import COVERAGES

SIZE = (12, 12)


def scene(seed: int, parts: int = 4) -> tuple[torch.Tensor, ...]:
    """Three maps with many equal values; part pixels; ambiguous and visible parts."""
    source = torch.Generator().manual_seed(seed)
    maps = torch.randint(0, 6, (3, *SIZE), generator=source).float()
    pixels = torch.randint(0, 144, (parts,), generator=source).expand(3, -1)
    ambiguous = torch.rand(3, parts, generator=source) < 0.5
    visible = (torch.rand(parts, generator=source) < 0.7).expand(3, -1)
    return maps, pixels, ambiguous, visible


def slow_precision_recall(maps, pixels, ambiguous, visible):
    """A mask for each coverage, and sets of parts, as in section 4."""
    precision, recall = np.zeros((2, len(maps), len(COVERAGES)))
    for column, coverage in enumerate(COVERAGES):
        masks = regions.region(maps, coverage).flatten(1)
        for q in range(len(maps)):
            inside = {k for k in range(pixels.shape[1]) if visible[q, k] and masks[q, pixels[q, k]]}
            truth = {k for k in range(pixels.shape[1]) if visible[q, k] and ambiguous[q, k]}
            hits = len(inside & truth)
            precision[q, column] = hits / len(inside) if inside else np.nan
            recall[q, column] = hits / len(truth) if truth else np.nan
    return precision, recall


@given(st.integers(0, 10_000))
def test_precision_and_recall_equal_their_slow_twin_exactly(seed: int) -> None:
    maps, pixels, ambiguous, visible = scene(seed)
    sizes = regions.region_sizes(COVERAGES, 144)
    ranks = regions.ranks_at(maps, pixels)
    fast = accuracy.precision_recall(ranks, ambiguous, visible, sizes)
    slow = slow_precision_recall(maps, pixels, ambiguous, visible)
    np.testing.assert_array_equal(fast.precision.numpy(), slow[0])
    np.testing.assert_array_equal(fast.recall.numpy(), slow[1])


@given(st.integers(0, 10_000))
def test_recall_never_falls_and_both_lie_in_0_1(seed: int) -> None:
    maps, pixels, ambiguous, visible = scene(seed)
    sizes = regions.region_sizes(COVERAGES, 144)
    found = accuracy.precision_recall(regions.ranks_at(maps, pixels), ambiguous, visible, sizes)
    known = found.recall[~found.recall.isnan().any(1)]
    assert (known.diff(dim=1) >= 0).all()
    for curve in found:
        values = curve[~curve.isnan()]
        assert ((values >= 0) & (values <= 1)).all()


def test_a_region_without_visible_parts_has_no_precision_and_recall_0() -> None:
    ranks, yes = torch.tensor([[100, 5]]), torch.tensor([[True, True]])
    hidden = torch.tensor([[True, False]])
    found = accuracy.precision_recall(ranks, yes, hidden, torch.tensor([10, 101]))
    assert found.precision[0].isnan().tolist() == [True, False]
    assert found.recall[0].tolist() == [0, 1]


def test_a_pair_without_ambiguous_visible_parts_has_no_recall_and_precision_0() -> None:
    ranks, no = torch.tensor([[0]]), torch.tensor([[False]])
    found = accuracy.precision_recall(ranks, no, torch.tensor([[True]]), torch.tensor([10]))
    assert found.recall.isnan().all()
    assert float(found.precision) == 0


def slow_iou(maps, mask, ambiguous, *, union):
    result = np.full((len(maps), len(COVERAGES)), np.nan)
    shown = {
        p: {i for i, label in enumerate(mask.flatten().tolist()) if label == p} for p in range(5)
    }
    for column, coverage in enumerate(COVERAGES):
        for q, chosen in enumerate(regions.region(maps, coverage).flatten(1)):
            region = set(chosen.nonzero()[:, 0].tolist())
            objects = [shown[p] for p in range(5) if ambiguous[q, p] and shown[p]]
            if union and objects:
                objects = [set().union(*objects)]
            ratios = [(len(region & o), len(region & o) / len(region | o)) for o in objects]
            if ratios:
                result[q, column] = max(ratios)[1]
    return result


@given(st.integers(0, 10_000), st.booleans())
def test_iou_equals_its_slow_twin_exactly(seed: int, union: bool) -> None:
    maps, _, ambiguous, _ = scene(seed, parts=5)
    source = torch.Generator().manual_seed(seed + 1)
    mask = torch.randint(-1, 4, SIZE, generator=source)  # part 4 never shows
    areas = torch.bincount(mask.flatten() + 1, minlength=6)[1:].expand(3, -1)
    sizes = regions.region_sizes(COVERAGES, 144)
    ranks = regions.pixel_ranks(maps)
    overlaps = accuracy.overlap_counts(ranks, mask.flatten().expand(3, -1), 5, sizes)
    iou = accuracy.union_iou if union else accuracy.largest_overlap_iou
    fast = iou(overlaps, areas, ambiguous, sizes)
    np.testing.assert_array_equal(fast.numpy(), slow_iou(maps, mask, ambiguous, union=union))


def test_the_part_itself_as_region_has_iou_1() -> None:
    mask = torch.full((10, 10), -1)
    mask[:2] = 0
    ranks = regions.pixel_ranks((mask == 0).float()[None])
    sizes = torch.tensor([20])
    overlaps = accuracy.overlap_counts(ranks, mask.flatten()[None], 1, sizes)
    areas, yes = torch.tensor([[20]]), torch.tensor([[True]])
    assert float(accuracy.largest_overlap_iou(overlaps, areas, yes, sizes)) == 1
    assert float(accuracy.union_iou(overlaps, areas, yes, sizes)) == 1
