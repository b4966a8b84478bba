"""Floors know nothing they should not; the ceiling is 1 wherever the area allows it."""

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import xbench
from xbench import Batch, Explainer, Explanation, ImageSet, MismatchError, Network, generator
from xbench.kernels import centre_map
from xbench.networks import CutNetwork, Parts
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Entropy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.kernels import regions, saliency
from xbench_deliberative.protocol.ceiling import KnownParts
from xbench_deliberative.protocol.floors import (
    CentrePrior,
    EdgeDetector,
    MostProbable,
    RandomPair,
    RandomRegion,
)
from xbench_deliberative.protocol.part_ambiguity import on_points
from xbench_deliberative.protocol.rows import COVERAGES

SUBJECT = Deliberative(Entropy(), Gradient(), "official")
SAME_PAIRS = [
    RandomRegion(SUBJECT),
    RandomRegion(SUBJECT, noise="pixels"),
    CentrePrior(SUBJECT),
    EdgeDetector(SUBJECT),
    KnownParts(SUBJECT, ground_truth="ideal"),
]
RANDOM = [RandomRegion(SUBJECT), RandomRegion(SUBJECT, "pixels"), RandomPair(), MostProbable()]


def explained(
    explainer: Explainer, network: Network, batch: Batch, seed: int = 0
) -> list[Insecurities]:
    return list(xbench.explained(explainer, network, batch, {}, generator(seed)))


@pytest.mark.parametrize("floor", SAME_PAIRS, ids=lambda floor: floor.name)
def test_floors_with_the_same_pairs_keep_pairs_and_order(
    floor: Explainer, network: Network, batch: Batch
) -> None:
    given = explained(SUBJECT, network, batch)
    for ours, theirs in zip(explained(floor, network, batch), given, strict=True):
        assert torch.equal(ours.pairs, theirs.pairs)
        assert torch.equal(ours.strengths, theirs.strengths)
        assert len(ours.masks(0.3)) == len(theirs)


@pytest.mark.parametrize("floor", RANDOM, ids=lambda floor: floor.name)
def test_random_floors_are_functions_of_seed_and_image_however_images_are_batched(
    floor: Explainer, network: Network, images: ImageSet
) -> None:
    ids = images.ids()[:5]
    together = explained(floor, network, images.batch(ids))
    reversed_ = explained(floor, network, images.batch(ids[::-1]))[::-1]
    for image, one, other in zip(ids, together, reversed_, strict=True):
        (alone,) = explained(floor, network, images.batch([image]))
        for found in (other, alone):
            assert torch.equal(one.pairs, found.pairs)
            assert torch.equal(one.ambiguity_maps, found.ambiguity_maps)
    reseeded = explained(floor, network, images.batch(ids), seed=1)
    assert not torch.equal(together[0].ambiguity_maps, reseeded[0].ambiguity_maps)
    assert not torch.equal(together[0].ambiguity_maps[0], together[1].ambiguity_maps[0])


def test_random_regions_of_an_image_differ_between_pairs(network: Network, batch: Batch) -> None:
    found = explained(RandomRegion(SUBJECT), network, batch)[0]
    assert not torch.equal(found.ambiguity_maps[0], found.ambiguity_maps[1])


@pytest.mark.parametrize(("noise", "most"), [("pixels", 0.06), ("smooth", 0.13)])
def test_random_regions_cover_every_pixel_about_equally_often(
    network: Network, images: ImageSet, noise: str, most: float
) -> None:
    floor, batch = RandomRegion(SUBJECT, noise), images.batch(images.ids())
    found = [one for seed in range(8) for one in explained(floor, network, batch, seed)]
    share = torch.cat([one.masks(0.3) for one in found]).double().mean(0)
    assert float((share - 0.3).abs().max()) < most


def test_random_pairs_are_different_and_reach_all_classes(
    network: Network, images: ImageSet
) -> None:
    found = explained(RandomPair(pairs=10), network, images.batch(images.ids()))
    assert all(len({tuple(p) for p in one.pairs.tolist()}) == 10 for one in found)
    assert all((one.pairs[:, 0] < one.pairs[:, 1]).all() for one in found)
    assert len(torch.cat([one.pairs for one in found]).unique(dim=0)) == 15


def test_there_are_no_more_random_pairs_than_pairs(network: Network, batch: Batch) -> None:
    parts = Parts(network.bottom, network.top, network.layer, network.grid)
    three = CutNetwork(parts, 3, network.passes)
    found = explained(RandomPair(), three, batch)
    assert all(len(one) == 3 for one in found)


def test_a_random_explanation_has_a_pair() -> None:
    with pytest.raises(ValueError, match="pairs must be at least 1, not 0"):
        RandomPair(pairs=0)


def test_most_probable_takes_the_two_largest_logits(network: Network, batch: Batch) -> None:
    top2 = network.logits(batch.images).topk(2).indices.sort(1).values
    found = explained(MostProbable(), network, batch)
    assert torch.equal(torch.cat([one.pairs for one in found]), top2)


def test_the_centre_prior_is_a_disc(network: Network, batch: Batch) -> None:
    mask = explained(CentrePrior(SUBJECT), network, batch)[0].masks(0.2)[0]
    distance = -centre_map(20, 20)
    assert float(distance[mask].max()) <= float(distance[~mask].min())


@given(st.integers(0, 10_000))
def test_the_ceiling_has_precision_and_recall_1_wherever_the_area_allows_it(seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    cells = torch.randperm(400, generator=source)[:12]  # no two parts in one pixel
    points = torch.stack([cells % 20 + 0.5, cells // 20 + 0.5, torch.ones(12)], 1)
    points[:, 2] = (torch.rand(12, generator=source) < 0.8).float()
    ambiguous = torch.rand(12, generator=source) < 0.4
    visible = points[:, 2] > 0
    wanted, unwanted = int((visible & ambiguous).sum()), int((visible & ~ambiguous).sum())
    scores = saliency.known_parts_maps(points, ambiguous[None], (20, 20))[0]
    found = Insecurities(scores[None], torch.tensor([[0, 1]]), torch.ones(1).double(), (20, 20))
    curves = on_points(found, points, ambiguous[None]).curves
    sizes = regions.region_sizes(COVERAGES, 400)
    for size, p, r in zip(sizes.tolist(), curves["precision"][0], curves["recall"][0], strict=True):
        if wanted and size <= 400 - unwanted:
            assert float(p) == 1
        if wanted and size >= wanted:
            assert float(r) == 1


def test_the_ceiling_follows_distances_between_the_parts() -> None:
    points = torch.tensor([[2.5, 10.5, 1.0], [17.5, 10.5, 1.0]])
    scores = saliency.known_parts_maps(points, torch.tensor([[True, False]]), (20, 20))[0]
    assert float(scores[10, 2]) == torch.inf
    assert float(scores[10, 17]) == -torch.inf
    assert float(scores[10, 5]) == pytest.approx(12 - 3)
    assert (scores[:, :10] > 0).all()


def test_the_ceiling_scores_1_through_the_protocols_kernels(
    network: Network, images: ImageSet
) -> None:
    ids = images.ids()[:8]
    explainer = KnownParts(SUBJECT, ground_truth="ideal")
    truth = explainer.truth()
    for image, one, points in zip(
        ids, explained(explainer, network, images.batch(ids)), images.part_points(ids), strict=True
    ):
        ambiguous = truth.ambiguous(images.dataset, {}, image, one.pairs)
        measured = on_points(one, points, ambiguous)
        full = measured.ambiguous_parts > 0
        assert (measured.curves["precision"][full, 9:50] == 1).all()
        assert (measured.curves["recall"][full, 9:50] == 1).all()


def test_the_ceiling_needs_a_data_set(network: Network) -> None:
    batch = Batch(torch.rand(1, 3, 20, 20), (0,))
    with pytest.raises(
        MismatchError, match="'known-parts' needs images of a dataset with part points"
    ):
        explained(KnownParts(SUBJECT), network, batch)


class Heat(Explanation):
    """An explanation that is no list of insecurities."""

    name = "heat"


@dataclass(frozen=True)
class Heater(Explainer):
    """Makes heat."""

    name = "heater"
    makes = Heat

    def explain(self, *_: object) -> list[Explanation]:
        return []


def test_floors_need_an_explainer_that_makes_insecurities(network: Network, batch: Batch) -> None:
    message = "explainer 'heater' makes heat, but explainer 'random-region' needs its pairs"
    with pytest.raises(MismatchError, match=message):
        explained(RandomRegion(Heater()), network, batch)


def test_floors_pass_the_other_explainers_artefacts_on(images: ImageSet) -> None:
    classifier, sets = None, {"test": images}
    ceiling = KnownParts(SUBJECT)
    needed = ceiling.artefacts(classifier, sets)  # type: ignore[arg-type]
    assert list(needed) == ["ambiguous-parts"]
    for floor in (RandomRegion(ceiling), CentrePrior(ceiling), EdgeDetector(ceiling)):
        passed = floor.artefacts(classifier, sets)  # type: ignore[arg-type]
        assert {n: r.key for n, r in passed.items()} == {n: r.key for n, r in needed.items()}
