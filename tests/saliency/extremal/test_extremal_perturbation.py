"""Extremal perturbation: its contract, planted patches, areas, variants, bad input."""

import types

import numpy as np
import pytest
import torch
from torch import nn

from xbench import Batch, MismatchError, ParameterError, explained, generator
from xbench.kernels import resized_maps
from xbench.networks import AS_THEY_ARE, whole_module
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.extremal.explainer import ExtremalPerturbation
from xbench_saliency.extremal.optimisation import optimised_masks
from xbench_saliency.kernels.areas import strongest
from xbench_saliency.kernels.blur import blurred

SIDE, PATCH, SCALE = 28, 8, 30.0
QUICK = {"starts": 1, "step": 14.0, "sigma": 14.0, "levels": 4, "penalty": (3.0, 5000.0)}


class PatchNetwork(nn.Module):
    """Class 1 is as probable as a red and blue checkerboard is seen best, wherever it stands."""

    def __init__(self):
        super().__init__()
        self.board = nn.Conv2d(3, 1, PATCH, bias=False)
        self.board.weight = nn.Parameter(board()[None] / PATCH**2, requires_grad=False)

    def forward(self, images):
        best = self.board(images - 0.5).flatten(1).amax(1)
        return torch.stack([0 * best, SCALE * best], dim=1)


def board():
    signs = torch.ones(PATCH, PATCH)
    signs[:4, 4:] = signs[4:, :4] = -1
    return torch.stack([signs, 0 * signs, -signs])


def planted(count):
    """Images of noise with one checkerboard each, and where its corner lies."""
    random = generator("planted", count)
    images = 0.5 + 0.1 * torch.randn(count, 3, SIDE, SIDE, generator=random)
    corners = torch.randint(SIDE - PATCH + 1, (count, 2), generator=random).tolist()
    for image, (top, left) in zip(images, corners, strict=True):
        image[:, top : top + PATCH, left : left + PATCH] = 0.5 + 0.4 * board()
    return Batch(images.clamp(0, 1), tuple(range(count))), corners


def patch_network():
    module = PatchNetwork().eval()
    return whole_module(module, classes=2, size=SIDE, normalisation=AS_THEY_ARE)


def masks_of(batch, network=None, seed=0, **fields):
    explainer = ExtremalPerturbation(**{**QUICK, **fields})
    network = patch_network() if network is None else network
    return explained(explainer, network, batch, {}, generator(seed))


@pytest.mark.parametrize("variant", ["preserve", "delete", "dual"])
def test_it_keeps_the_contract_of_explainers(variant):
    check_component(ExtremalPerturbation(areas=(0.2, 0.5), variant=variant, steps=5))


def test_it_points_at_the_patch_that_alone_decides():
    batch, corners = planted(100)
    hits = 0
    for one, (top, left) in zip(masks_of(batch, areas=(0.05,)), corners, strict=True):
        row, column = divmod(int(one.at_image_size().argmax()), SIDE)
        hits += top <= row < top + PATCH and left <= column < left + PATCH
    assert hits >= 95


def test_masks_have_their_areas():
    areas = (0.1, 0.3, 0.6)
    for one in masks_of(planted(8)[0], areas=areas, step=7.0, sigma=7.0):
        assert one.raw.shape == (3, SIDE, SIDE)
        assert ((one.raw >= 0) & (one.raw <= 1)).all()
        torch.testing.assert_close(one.values, one.raw.sum(0))
        for mask, area in zip(one.raw, areas, strict=True):
            assert float(mask.mean()) == pytest.approx(area, abs=1e-4)
            assert strongest(mask, area).sum() == round(area * SIDE**2)


def test_masks_are_a_function_of_seed_and_image_however_images_are_batched():
    batch, _ = planted(4)
    together = masks_of(batch)
    again, other = masks_of(batch), masks_of(batch, seed=1)
    alone = masks_of(Batch(batch.images[2:3], (2,)))[0]
    moved = masks_of(Batch(batch.images[2:3], (7,)))[0]
    for one, same, seed in zip(together, again, other, strict=True):
        assert torch.equal(one.raw, same.raw)
        assert not torch.equal(one.raw, seed.raw)
    torch.testing.assert_close(alone.raw, together[2].raw, rtol=0, atol=1e-5)
    assert not torch.equal(moved.raw, alone.raw)


def test_many_images_are_optimised_some_at_a_time(monkeypatch):
    batch, _ = planted(5)
    together = masks_of(batch, steps=10)
    monkeypatch.setattr("xbench_saliency.extremal.explainer.PIXELS", 2 * 3 * SIDE**2)
    for one, other in zip(together, masks_of(batch, steps=10), strict=True):
        torch.testing.assert_close(one.raw, other.raw, rtol=0, atol=1e-5)


@pytest.mark.parametrize("variant", ["preserve", "delete", "dual"])
def test_what_is_kept_or_deleted_changes_the_logit_as_the_variant_says(variant):
    batch, _ = planted(6)
    network, behind = patch_network(), blurred(batch.images, 20 * SIDE / 224)
    made = masks_of(batch, network, areas=(0.3,), variant=variant)
    inside = torch.stack([strongest(one.at_image_size(), 0.3) for one in made])[:, None]
    whole = network.logits(batch.images)[:, 1]
    kept = network.logits(torch.where(inside, batch.images, behind))[:, 1]
    deleted = network.logits(torch.where(inside, behind, batch.images))[:, 1]
    if variant != "delete":  # which need not cover all that the class needs
        assert (kept > 0.9 * whole).all()
    if variant != "preserve":
        assert (deleted < 0.5 * whole).all()


def worth(network, batch, made, areas, variant):
    """Of each image and area what the network says where exactly the area is kept or deleted."""
    behind, found = blurred(batch.images, 20 * SIDE / 224), []
    for place, area in enumerate(areas):
        masks = torch.stack([resized_maps(one.raw, (SIDE, SIDE))[place] for one in made])
        inside = strongest(masks, area)[:, None]
        kept = network.logits(torch.where(inside, batch.images, behind))[:, 1]
        deleted = network.logits(torch.where(inside, behind, batch.images))[:, 1]
        found.append({"preserve": kept, "delete": -deleted, "dual": kept - deleted}[variant])
    return torch.stack(found, 1)


@pytest.mark.parametrize("variant", ["preserve", "delete", "dual"])
def test_of_several_starts_each_area_keeps_the_mask_that_is_worth_most(variant, monkeypatch):
    network, batch, areas = patch_network(), planted(5)[0], (0.1, 0.3)
    every = []

    def noting(*given):
        every.append(optimised_masks(*given))
        return every[-1]

    monkeypatch.setattr(f"{optimised_masks.__module__}.optimised_masks", noting)
    fields = {"areas": areas, "variant": variant, "steps": 4}
    made = masks_of(batch, network, starts=3, **fields)
    raw = torch.stack([one.raw for one in made])
    values = torch.stack([worth(network, batch, _maps(masks), areas, variant) for masks in every])
    assert len(values.argmax(0).unique()) > 1
    for (image, area), best in np.ndenumerate(values.argmax(0).numpy()):
        assert torch.equal(raw[image, area], every[best][image, area])
    first = torch.stack([one.raw for one in masks_of(batch, network, **fields)])
    assert torch.equal(first, every[0])


def _maps(masks):
    return [types.SimpleNamespace(raw=raw) for raw in masks]


def test_a_contrast_of_two_classes_is_explained_where_asked_for():
    one = masks_of(planted(1)[0], against="runner-up", steps=3)[0]
    assert (one.label, one.against) == (1, 0)
    swapped = masks_of(planted(1)[0], target=0, against=1, steps=3)[0]
    assert (swapped.label, swapped.against) == (0, 1)
    assert one.probability + swapped.probability == pytest.approx(1)
    assert not torch.equal(one.raw, swapped.raw)


def test_a_constant_image_has_masks_of_the_right_area():
    batch = Batch(torch.full((1, 3, SIDE, SIDE), 0.5), (0,))
    one = masks_of(batch, step=7.0, sigma=7.0)[0]
    assert torch.isfinite(one.raw).all()
    for mask, area in zip(one.raw, (0.2, 0.4, 0.5), strict=True):
        assert float(mask.mean()) == pytest.approx(area, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3)])
def test_tiny_images_have_masks(size):
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4)).eval()
    network = whole_module(module, classes=4, size=8, normalisation=AS_THEY_ARE)
    batch = Batch(torch.rand(2, 3, *size, generator=generator("tiny")), (0, 1))
    for one in masks_of(batch, network, steps=5):
        assert one.raw.shape == (3, *size)
        assert one.at_image_size().shape == size
        assert torch.isfinite(one.values).all()


def test_bf16_and_channels_last_explain_with_the_same_network_left_as_it_was():
    batch, corners = planted(4)
    network = patch_network()
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    made = masks_of(batch, network, areas=(0.2,), precision="bf16", channels_last=True)
    for one, (top, left) in zip(made, corners, strict=True):
        assert one.raw.dtype == torch.float32
        inside = one.at_image_size()[top : top + PATCH, left : left + PATCH]
        assert inside.mean() > 0.5
    for name, value in network.module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])
        assert value.stride() == before[name].stride()


def test_weights_that_need_gradients_get_none():
    network = patch_network()
    for parameter in network.module.parameters():
        parameter.requires_grad_()
    masks_of(planted(1)[0], network, steps=2)
    assert all(one.grad is None and one.requires_grad for one in network.module.parameters())


def test_it_works_where_gradients_are_switched_off_and_counts_its_passes():
    network, batch = patch_network(), planted(2)[0]
    with torch.no_grad():
        quiet = masks_of(batch, network, steps=3)
    assert network.passes.forward == 2 + 3 * 2 * 3
    assert network.passes.backward == 3 * 2 * 3
    for one, other in zip(quiet, masks_of(batch, steps=3), strict=True):
        assert torch.equal(one.raw, other.raw)


def test_each_start_costs_its_steps_and_one_look_at_its_masks():
    network, batch = patch_network(), planted(2)[0]
    masks_of(batch, network, steps=3, starts=4)
    assert network.passes.forward == 2 + 4 * (3 + 1) * 2 * 3
    assert network.passes.backward == 4 * 3 * 2 * 3


def test_no_images_have_no_masks():
    assert masks_of(Batch(torch.zeros(0, 3, SIDE, SIDE), ())) == []


def test_a_network_without_gradients_is_named():
    class Steps(nn.Module):
        def forward(self, images):
            return images.detach().flatten(1)[:, :3]

    network = whole_module(Steps().eval(), classes=3, size=16, normalisation=AS_THEY_ARE)
    with pytest.raises(MismatchError, match=r"gives logits without gradients, .* by occlusion"):
        masks_of(tiny_batch(), network)


@pytest.mark.parametrize("areas", [(0.0,), (0.2, 1.0), (-0.1,), (1.5,), (float("nan"),), ()])
def test_areas_outside_0_and_1_are_refused(areas):
    with pytest.raises(ParameterError, match="give shares of the image between 0 and 1"):
        ExtremalPerturbation(areas=areas)


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": 0},
        {"levels": 1},
        {"learning_rate": 0.0},
        {"sigma": -1.0},
        {"step": float("nan")},
        {"noise": -1.0},
        {"penalty": (0.0, 5.0)},
        {"penalty": (3.0,)},
        {"betas": (0.8,)},
        {"betas": (0.8, 1.0)},
        {"start": 1.5},
    ],
)
def test_impossible_numbers_are_refused_by_name(fields):
    with pytest.raises(ParameterError, match=f"extremal-perturbation: {next(iter(fields))} "):
        ExtremalPerturbation(**fields)


def test_a_class_out_of_range_is_refused():
    with pytest.raises(ParameterError, match="target is 9, and the network has the classes 0 to"):
        masks_of(tiny_batch(), tiny_network(), target=9)
