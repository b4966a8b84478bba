"""Deliberative explanations: presets, the sign rule, order, cost and errors."""

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from xbench import (
    Artefacts,
    Attribution,
    Batch,
    Difficulty,
    Network,
    NumericalError,
    Readout,
    generator,
)
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.readouts import normalised_entropy


def explained(explainer: Deliberative, network: Network, batch: Batch) -> list[Insecurities]:
    return explainer.explain(network, batch, {}, generator("unused"), {})


def slow_maps(network: Network, image: Tensor, official: bool) -> dict[tuple[int, int], Tensor]:
    """One backward pass per prediction and image; loops over locations and pairs."""
    point = network.activations(image[None]).requires_grad_()
    logits = network.top(point)[0].double()
    f = logits.softmax(0)
    shares = f.tolist()
    top5 = sorted(range(len(f)), key=lambda c: (-shares[c], c))[:5]
    entropy = -(f * f.log()).sum() / torch.tensor(float(len(f))).double().log()

    def attribution(value: Tensor, positive: bool = False) -> Tensor:
        (g,) = torch.autograd.grad(value, point, retain_graph=True)
        g = g.clamp(min=0) if positive else g
        return (g * point)[0].sum(0).detach().double()

    low = 1e-7 if official else 0.0
    maps = {c: attribution((logits if official else f)[c]).clamp(min=low) for c in top5}
    hard = attribution(entropy, positive=official).clamp(min=0)
    found: dict[tuple[int, int], Tensor] = {}
    for i in range(hard.shape[0]):
        for j in range(hard.shape[1]):
            order = sorted(top5, key=lambda c: (-float(maps[c][i, j]), top5.index(c)))[:3]
            order = [c for c in order if maps[c][i, j] > 0]
            for a in order:
                for b in order:
                    if a < b:
                        found[a, b] = maps[a] * maps[b] * hard
    return {pair: m for pair, m in found.items() if m.any()}


@pytest.mark.parametrize("preset", ["paper", "official"])
def test_insecurities_equal_their_slow_twin(network: Network, batch: Batch, preset: str) -> None:
    explainer = Deliberative(Entropy(), Gradient(), preset=preset)
    for image, found in zip(batch.images, explained(explainer, network, batch), strict=True):
        slow = slow_maps(network, image, preset == "official")
        assert {tuple(pair) for pair in found.pairs.tolist()} == set(slow)
        for pair, m, strength in zip(
            found.pairs.tolist(), found.ambiguity_maps, found.strengths, strict=True
        ):
            expected = slow[tuple(pair)]
            assert torch.allclose(m.double(), expected / expected.max(), atol=1e-4)
            assert float(strength) == pytest.approx(float(expected.mean()), rel=1e-3)


@pytest.mark.parametrize("preset", ["paper", "official"])
@pytest.mark.parametrize("combination", ["product", "minimum"])
@pytest.mark.parametrize("without_difficulty", [False, True])
def test_explanations_are_ordered_lists_of_at_most_ten_unordered_pairs(
    network: Network, batch: Batch, preset: str, combination: str, without_difficulty: bool
) -> None:
    explainer = Deliberative(Entropy(), Gradient(), preset, combination, without_difficulty)
    top5 = network.logits(batch.images).topk(5).indices.tolist()
    for found, classes in zip(explained(explainer, network, batch), top5, strict=True):
        pairs = [tuple(pair) for pair in found.pairs.tolist()]
        assert 1 <= len(found) <= 10
        assert len(set(pairs)) == len(pairs)
        assert all(a < b and a in classes and b in classes for a, b in pairs)
        assert (found.strengths.diff() <= 0).all()
        assert (found.strengths > 0).all()
        assert torch.allclose(found.ambiguity_maps.amax((1, 2)), torch.ones(len(found)))


@dataclass(frozen=True)
class Flipped(Attribution):
    """Gradient attribution with the sign of chosen predictions turned round."""

    name: ClassVar[str] = "flipped"

    signs: tuple[float, ...]

    def attribute(self, readout: Readout, activations: Tensor, images: Tensor) -> Tensor:
        signs = torch.tensor(self.signs)
        return Gradient().attribute(readout, activations, images).abs() * signs[:, None, None]


def test_flipping_the_sign_of_both_class_maps_empties_the_ambiguity_map(
    network: Network, batch: Batch
) -> None:
    positive = Deliberative(Entropy(), Flipped((1, 1, 1)), top=2)
    assert all(len(found) == 1 for found in explained(positive, network, batch))
    for signs in ((-1, -1, 1), (-1, -1, -1), (-1, 1, -1), (1, 1, -1), (1, -1, 1)):
        flipped = Deliberative(Entropy(), Flipped(signs), top=2)
        assert all(len(found) == 0 for found in explained(flipped, network, batch))


def test_hesitancy_rules_out_pairs_with_the_predicted_class_under_paper(
    network: Network, batch: Batch
) -> None:
    predicted = network.logits(batch.images).argmax(1).tolist()
    explainer = Deliberative(Hesitancy(), Gradient())
    for found, label in zip(explained(explainer, network, batch), predicted, strict=True):
        assert label not in found.pairs.flatten().tolist()


def test_explanations_do_not_depend_on_the_batch(network: Network, batch: Batch) -> None:
    explainer = Deliberative(Entropy(), Gradient())
    together = explained(explainer, network, batch)
    for place, one in enumerate(together):
        alone = Batch(batch.images[place : place + 1], batch.ids[place : place + 1])
        (other,) = explained(explainer, network, alone)
        assert torch.equal(one.pairs, other.pairs)
        assert torch.allclose(one.ambiguity_maps, other.ambiguity_maps, atol=1e-4)


@pytest.mark.parametrize("preset", ["paper", "official"])
def test_an_explanation_costs_one_forward_pass(network: Network, batch: Batch, preset: str) -> None:
    before = network.passes.snapshot()
    explained(Deliberative(Entropy(), Gradient(), preset=preset), network, batch)
    after = network.passes.snapshot()
    n = len(batch.ids)
    assert after["bottom_forward"] - before["bottom_forward"] == n
    assert after["top_forward"] - before["top_forward"] == n


@dataclass(frozen=True)
class Elsewhere(Difficulty):
    """A difficulty with a trunk of its own, on a coarser grid."""

    name: ClassVar[str] = "elsewhere"

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        pool = torch.nn.AvgPool2d(2)
        bottom = torch.nn.Sequential(network.bottom, pool)
        top = torch.nn.Sequential(torch.nn.Upsample(scale_factor=2), network.top)
        return Readout(bottom, top, normalised_entropy)


@pytest.mark.parametrize("preset", ["paper", "official"])
def test_a_difficulty_with_its_own_trunk_is_resampled_to_the_grid(
    network: Network, batch: Batch, preset: str
) -> None:
    explainer = Deliberative(Elsewhere(), Gradient(), preset=preset)
    found = explained(explainer, network, batch)
    assert all(one.ambiguity_maps.shape[1:] == (10, 10) for one in found)


def test_fewer_classes_than_top_are_all_considered(network: Network, batch: Batch) -> None:
    found = explained(Deliberative(Entropy(), Gradient(), "official", top=100), network, batch)
    assert all(len(one) <= 15 for one in found)


def test_logits_that_are_no_numbers_are_refused(network: Network, batch: Batch) -> None:
    images = batch.images.clone()
    images[1] = torch.nan
    broken = replace(batch, images=images)
    with pytest.raises(NumericalError, match=rf"NaN or infinite for images {batch.ids[1]};"):
        explained(Deliberative(Entropy(), Gradient()), network, broken)


@pytest.mark.parametrize("field", ["top", "candidates"])
def test_a_single_class_makes_no_pair(field: str) -> None:
    message = f"{field} must be at least 2 to form pairs, not 1"
    with pytest.raises(ValueError, match=message):
        Deliberative(Entropy(), Gradient(), **{field: 1})
