"""The ground truth `presence` against loops over all triplets, and on the real index of ADE20K."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from small_datasets import Made
from xbench import (
    ClassAttributes,
    DatasetError,
    ImageSet,
    MismatchError,
    PartAttribute,
    PartMasks,
    Workplace,
)
from xbench_datasets.ade20k.dataset import Ade20k
from xbench_deliberative.explanations.shared_parts import SharedParts, inner_point, visible_points
from xbench_deliberative.kernels.saliency import known_masks_map
from xbench_deliberative.kernels.sparse_triplets import parts_of_pairs, strongest_occurrences
from xbench_deliberative.protocol.ground_truth import (
    AmbiguousParts,
    CommonParts,
    GroundTruth,
    occurrences,
    sparse_facts,
)

SHARES = arrays("float64", (6, 4), elements=st.sampled_from([0.0, 0.2, 0.3, 0.4, 0.55, 0.7, 1.0]))


def slow_strength(a: float, b: float, threshold: float) -> float:
    return (a + b) / 2 if a > threshold and b > threshold else 0.0


def slow_kept(phi: torch.Tensor, threshold: float, share: float) -> set[tuple[int, int, int]]:
    """Sorts every triplet there is, those without strength among them."""
    classes, parts = phi.shape
    every = {
        (part, a, b): slow_strength(float(phi[a, part]), float(phi[b, part]), threshold)
        for part in range(parts)
        for a in range(classes)
        for b in range(a + 1, classes)
    }
    ordered = sorted(every.values(), reverse=True)
    last = ordered[max(1, round(share * len(ordered))) - 1]
    return {triplet for triplet, strength in every.items() if strength > 0 and strength >= last}


def as_set(found, classes: int) -> set[tuple[int, int, int]]:
    triplets = zip(found.parts.tolist(), found.pairs.tolist(), strict=True)
    return {(part, pair // classes, pair % classes) for part, pair in triplets}


@given(SHARES, st.floats(0.01, 1), st.sampled_from([0.0, 0.25, 0.3, 0.55]))
def test_the_kept_triplets_equal_their_slow_twin(values, share, threshold) -> None:
    phi = torch.as_tensor(values)
    found = strongest_occurrences(phi, threshold, share)
    assert as_set(found, 6) == slow_kept(phi, threshold, share)
    assert found.counted == 4 * 15
    for part, pair, strength in zip(found.parts, found.pairs, found.strengths, strict=True):
        a, b = float(phi[pair // 6, part]), float(phi[pair % 6, part])
        assert float(strength) == pytest.approx(slow_strength(a, b, threshold))


@given(arrays("float64", (7, 3), elements=st.floats(0, 1)), st.floats(0.01, 1))
def test_the_kept_are_ordered_distinct_and_at_least_as_strong_as_the_threshold(
    values, share
) -> None:
    found = strongest_occurrences(torch.as_tensor(values), 0.3, share)
    keys = (found.pairs * 3 + found.parts).tolist()
    assert keys == sorted(set(keys))
    assert (found.pairs // 7 < found.pairs % 7).all()
    assert ((found.strengths > 0.3) & (found.strengths <= 1)).all()
    if keys:
        assert (found.strengths >= found.threshold - 1e-9).all()
    else:
        assert math.isnan(found.threshold)


@given(SHARES, st.permutations(range(6)))
def test_names_of_classes_do_not_matter(values, order) -> None:
    phi = torch.as_tensor(values)
    renamed = as_set(strongest_occurrences(phi[order], 0.3, 0.2), 6)
    back = {(part, *sorted((order[a], order[b]))) for part, a, b in renamed}
    assert back == as_set(strongest_occurrences(phi, 0.3, 0.2), 6)


def test_where_few_triplets_have_strength_all_of_them_are_kept_and_no_other() -> None:
    phi = torch.tensor([[0.9, 0.0], [0.5, 0.0], [0.4, 0.9], [0.0, 0.1]], dtype=torch.float64)
    found = strongest_occurrences(phi, 0.3, 1.0)
    assert as_set(found, 4) == {(0, 0, 1), (0, 0, 2), (0, 1, 2)}
    assert found.threshold == pytest.approx(0.45)


def test_a_share_of_exactly_the_threshold_does_not_count() -> None:
    phi = torch.tensor([[0.3], [6 / 20], [0.1 + 0.2], [0.31], [0.31]], dtype=torch.float64)
    assert as_set(strongest_occurrences(phi, 0.3, 1.0), 5) == {(0, 3, 4)}


def test_equals_are_kept_together_and_rounding_does_not_part_them() -> None:
    phi = torch.full((5, 2), 0.8, dtype=torch.float64)
    phi[0, 0] -= 1e-15
    assert len(strongest_occurrences(phi, 0.3, 0.1).parts) == 20


def test_without_pairs_nothing_is_kept() -> None:
    for phi in (torch.zeros(4, 3), torch.ones(1, 3), torch.zeros(0, 3)):
        found = strongest_occurrences(phi.double(), 0.3, 0.5)
        assert len(found.parts) == len(found.pairs) == 0


@given(SHARES, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8))
def test_parts_of_pairs_are_looked_up_in_either_order(values, wanted) -> None:
    found = strongest_occurrences(torch.as_tensor(values), 0.3, 0.4)
    kept = as_set(found, 6)
    pairs = torch.tensor(wanted, dtype=torch.int64).reshape(-1, 2)
    table = parts_of_pairs(pairs, found.pairs, found.parts, 6, 4)
    assert table.shape == (len(wanted), 4)
    for row, (a, b) in zip(table, wanted, strict=True):
        expected = [(part, min(a, b), max(a, b)) in kept for part in range(4)]
        assert row.tolist() == expected


@dataclass(frozen=True)
class Rooms(Made, PartMasks, ClassAttributes):
    """Three classes of which it is known how often they show each of three objects."""

    name: ClassVar[str] = "rooms"
    classes: ClassVar[tuple[str, ...]] = ("attic", "bath", "cave")
    starts: ClassVar[Mapping[str, int]] = {"test": 0}
    count: ClassVar[int] = 2

    values: tuple[str, ...] = ("present",)
    again: bool = False

    def image(self, image: int) -> torch.Tensor:
        return torch.zeros(3, 6, 8, dtype=torch.uint8)

    def mask_names(self) -> tuple[str, ...]:
        return "wall", "sky", "door"

    def part_masks(self, ids) -> list[torch.Tensor]:
        mask = torch.full((6, 8), -1, dtype=torch.int16)
        mask[:2], mask[4:, :3] = 0, 2
        return [mask for _ in ids]

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        shares = torch.tensor([[90.0, 80.0, 20.0], [0.0, 10.0, 95.0], [60.0, 50.0, 40.0]])
        tables = [row[:, None].repeat(1, len(self.values)).double() for row in shares]
        parts = (0, 1, 1 if self.again else 2)
        return tuple(
            PartAttribute(part, "presence", self.values, table)
            for part, table in zip(parts, tables, strict=True)
        )


PRESENCE = GroundTruth("presence", 1.0, 0.5, 0.5)


def test_presence_is_asked_pair_by_pair_and_never_makes_a_dense_table(workplace: Workplace) -> None:
    (recipe,) = PRESENCE.recipes(Rooms()).values()
    made = recipe.build({}, workplace)
    assert {name: tensor.dim() for name, tensor in made.tensors.items()} == {"parts": 1, "pairs": 1}
    pairs = torch.tensor([[0, 1], [2, 0], [1, 1]])
    found = PRESENCE.ambiguous(Rooms(), {"ambiguous-parts": made}, 0, pairs)
    assert found.tolist() == [[True, False, True], [False, False, True], [False, False, False]]
    assert made.facts == {
        "threshold": pytest.approx(0.45),
        "parts_per_pair": pytest.approx(4 / 3),
        "empty_pairs": pytest.approx(0.0),
        "parts": 3,
        "classes": 3,
        "triplets": 4,
        "triplets_altogether": 9,
    }


def test_presence_is_keyed_by_threshold_and_share() -> None:
    def key(threshold: float, share: float) -> str:
        return CommonParts(Rooms(), threshold, share).key

    assert key(0.3, 0.01) == key(0.3, 0.01)
    assert len({key(0.3, 0.01), key(0.2, 0.01), key(0.3, 0.02)}) == 3
    assert AmbiguousParts(Rooms(), "paper", 0.3, 0.01).key != key(0.3, 0.01)


def test_definitions_refuse_attributes_that_are_not_theirs() -> None:
    with pytest.raises(MismatchError) as caught:
        occurrences(Rooms(values=("red", "blue")))
    assert str(caught.value) == (
        "ground truth 'presence' needs one attribute with one value for each part; dataset 'rooms'"
        " has 'presence' with 2 values for part 'wall'. Use -p protocol.ground_truth=paper"
    )
    with pytest.raises(MismatchError, match="has 'presence' with 1 values for part 'sky'"):
        occurrences(Rooms(again=True))
    with pytest.raises(MismatchError) as caught:
        AmbiguousParts(Rooms(), "paper", 1.0, 0.2).triplets()
    assert str(caught.value) == (
        "ground truth 'paper' compares distributions over an attribute's values; dataset 'rooms'"
        " has one value for 'presence' of part 'wall'. Use -p protocol.ground_truth=presence"
    )


def test_an_impossible_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"presence_threshold must lie from 0 to below 1, got 1.0"):
        GroundTruth("presence", 1.0, 0.5, 0.5, 1.0)


def test_pictures_name_common_objects_and_place_them() -> None:
    shared = SharedParts.of(Rooms())
    assert shared is not None
    assert [part.name for part in shared.between(1, 0)] == ["wall"]  # 1 % of 9 is one triplet
    images = ImageSet(Rooms(), "test")
    assert visible_points(images, 0, shared.between(0, 1)) == {0: (3.5, 0.5)}


def test_the_inner_point_is_a_pixel_that_shows_the_part() -> None:
    ring = torch.ones(5, 5, dtype=torch.bool)
    ring[1:4, 1:4] = False
    x, y = inner_point(ring)
    assert ring[int(y), int(x)]
    assert x % 1 == y % 1 == 0.5


def areas_of(labels: torch.Tensor, count: int) -> list[int]:
    return [int((labels == part).sum()) for part in range(count)]


@given(
    arrays("int16", (6, 7), elements=st.integers(-1, 3)),
    arrays("bool", (4,)),
    st.booleans(),
)
def test_maps_that_know_the_masks_reach_the_best_iou_there_is(values, truth, union) -> None:
    labels, ambiguous = torch.as_tensor(values), torch.as_tensor(truth)
    sizes = torch.tensor([4, 10, 21])
    worth = known_masks_map(labels, ambiguous, sizes, union=union)
    areas = areas_of(labels, 4)
    present = [part for part in range(4) if ambiguous[part] and areas[part]]
    if not present:
        assert (worth == 1).all()
        return
    chosen = {part for part in present if (worth[labels == part] == 2).all()}
    assert (
        (worth == 2) == sum((labels == part for part in chosen), torch.zeros(6, 7)).bool()
    ).all()
    if union:
        assert chosen == set(present)
        return

    def reach(part: int) -> float:
        return sum(min(s, areas[part]) / max(s, areas[part]) for s in (4, 10, 21))

    (best,) = chosen
    assert reach(best) == pytest.approx(max(reach(part) for part in present))
    others = [part for part in present if part != best]
    assert all((worth[labels == part] == 0).all() for part in others)


@pytest.fixture
def scenes(realdata: Path) -> Ade20k:
    data = realdata / "ade20k"
    index = data / "index_2016/meta_file/ade20k/index_ade20k.mat"
    return Ade20k(root=str(data / "sceneparsing150_sample"), index=str(index))


@pytest.mark.realdata
def test_the_real_index_gives_one_per_cent_of_all_triplets(scenes: Ade20k) -> None:
    phi = occurrences(scenes)
    assert phi.shape == (1040, 150)
    found = strongest_occurrences(phi, 0.3, 0.01)
    facts = sparse_facts(found, *phi.shape)
    assert facts["triplets_altogether"] == 81_042_000
    assert facts["triplets"] == 810_420
    assert facts["threshold"] == pytest.approx(0.555195, abs=1e-6)
    assert facts["empty_pairs"] == pytest.approx(0.318, abs=5e-4)
    wall = scenes.mask_names().index("wall")
    assert (found.parts == wall).double().mean() > 0.1
    bedroom, living = (scenes.class_names().index(name) for name in ("bedroom", "living_room"))
    table = parts_of_pairs(torch.tensor([[bedroom, living]]), found.pairs, found.parts, *phi.shape)
    shared = {scenes.mask_names()[part] for part in table[0].nonzero()[:, 0].tolist()}
    assert {"wall", "floor, flooring"} <= shared
    assert "bed" not in shared


@pytest.mark.realdata
def test_real_scenes_have_attributes_of_too_few_values_for_paper(scenes: Ade20k) -> None:
    with pytest.raises(MismatchError, match=r"-p protocol.ground_truth=presence"):
        AmbiguousParts(scenes, "paper", 1.0, 0.2).triplets()


def test_no_attributes_no_ground_truth() -> None:
    class Empty(Rooms):
        def class_attributes(self) -> tuple[PartAttribute, ...]:
            return ()

    with pytest.raises(DatasetError, match="lists no class attributes"):
        occurrences(Empty())
