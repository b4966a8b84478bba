"""Explainers in Captum's shape: they pass Captum's own metrics."""

import pytest
import torch
from captum.attr import Saliency
from captum.metrics import infidelity, sensitivity_max
from torch import nn

from xbench.api.captum import as_explainer, captum_shaped
from xbench.errors import MismatchError, ParameterError
from xbench.testing.tiny import tiny_batch, tiny_network
from xbench_deliberative.protocol.floors import RandomPair


@pytest.fixture
def module():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(24, 5)).eval()


@pytest.fixture
def images():
    return tiny_batch(3).images


def noised(inputs):
    noise = 0.01 * torch.randn(inputs.shape, generator=torch.Generator().manual_seed(0))
    return noise, inputs - noise


@pytest.mark.parametrize("name", ["grad-cam", "captum:Saliency", "captum:IntegratedGradients"])
def test_it_passes_the_metrics_of_captum(name, module, images):
    method = captum_shaped(name, module, side=16)
    target = torch.tensor([0, 1, 2])
    values = method.attribute(images, target=target)
    assert values.shape == images.shape
    wrong = infidelity(module, noised, images, values, target=target, n_perturb_samples=4)
    assert wrong.shape == (3,)
    assert torch.isfinite(wrong).all()
    moved = sensitivity_max(method.attribute, images, n_perturb_samples=2, target=target)
    assert moved.shape == (3,)
    assert torch.isfinite(moved).all()


def test_the_true_gradient_of_a_linear_model_has_no_infidelity(images):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5)).eval()
    method = captum_shaped(as_explainer("Saliency", options={"abs": False}), module)
    values = method.attribute(images, target=1)
    wrong = infidelity(module, noised, images, values, target=1)
    torch.testing.assert_close(wrong, torch.zeros(3), atol=1e-6, rtol=0)


def test_values_of_pixels_are_captums_own(module, images):
    ours = captum_shaped(Saliency(module), module).attribute(images, target=2)
    assert torch.equal(ours, Saliency(module).attribute(images.requires_grad_(), target=2))


def test_a_map_is_shared_among_the_channels(module, images):
    method = captum_shaped("grad-cam", module, side=16)
    values = method.attribute(images)
    assert torch.equal(values[:, 0], values[:, 2])
    assert torch.equal(values, method.attribute(images))
    assert torch.equal(method.attribute(images, 1), method.attribute(images, [1, 1, 1]))
    assert repr(method) == "CaptumShaped(grad-cam, Sequential)"


def test_a_network_of_ours_is_explained_as_it_is(images):
    values = captum_shaped("grad-cam", tiny_network()).attribute(images, target=0)
    assert values.shape == images.shape


def test_what_is_no_function_of_images_is_refused(module, images):
    with pytest.raises(MismatchError, match="explainer 'ces' builds on"):
        captum_shaped("ces", module)
    with pytest.raises(ParameterError, match="got str"):
        captum_shaped("grad-cam", "resnet50")
    method = captum_shaped("grad-cam", module, side=16)
    with pytest.raises(ParameterError, match="expected one class or 3, got 2"):
        method.attribute(images, target=[0, 1])
    with pytest.raises(ParameterError, match="inputs: expected a tensor"):
        method.attribute(images[0])
    with pytest.raises(MismatchError, match="leave target out"):
        captum_shaped(RandomPair(), module, side=16).attribute(images, target=0)
