"""Grad-CAM: against its formula, against Captum on the whole network, and its contract."""

import copy
from collections import Counter

import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from xbench import (
    Batch,
    MismatchError,
    NumericalError,
    ParameterError,
    PassCounter,
    generator,
)
from xbench.networks import AS_THEY_ARE, CutNetwork, Parts, blank_module, cut_classifier, cut_module
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.floors.centre_map import CentreMap
from xbench_zoo.cifar.resnet import CifarResnet
from xbench_zoo.small import SmallCnn


def explained(explainer, network=None, batch=None):
    batch = tiny_batch() if batch is None else batch
    network = tiny_network() if network is None else network
    return explainer.explain(network, batch, {}, generator(0), {})


def doubled(network):
    return copy.deepcopy(network.bottom).double(), copy.deepcopy(network.top).double()


def slow_grad_cam(network, image, label, *, relu):
    """Equations (1) and (2) with loops, in double precision, for one image."""
    bottom, top = doubled(network)
    activations = bottom(image[None].double()).requires_grad_()
    (gradient,) = torch.autograd.grad(top(activations)[0, label], activations)
    _, channels, height, width = activations.shape
    found = torch.zeros(height, width, dtype=torch.float64)
    for channel in range(channels):
        weight = 0.0
        for i in range(height):
            for j in range(width):
                weight += float(gradient[0, channel, i, j]) / (height * width)
        for i in range(height):
            for j in range(width):
                found[i, j] += weight * float(activations.detach()[0, channel, i, j])
    return found.clamp(min=0) if relu else found


@pytest.mark.parametrize("target", ["predicted", "label"])
@pytest.mark.parametrize("relu", [True, False])
def test_it_keeps_the_contract_of_explainers(target, relu):
    check_component(GradCam(target=target, relu=relu))


@pytest.mark.parametrize("target", ["predicted", "label"])
@pytest.mark.parametrize("relu", [True, False])
def test_it_is_the_formula_of_the_paper(target, relu):
    network, batch = tiny_network(), tiny_batch()
    found = explained(GradCam(target, relu=relu), network, batch)
    bottom, top = doubled(network)
    logits = top(bottom(batch.images.double())).detach()
    labels = logits.argmax(1) if target == "predicted" else batch.labels
    for one, image, label, row in zip(found, batch.images, labels, logits.softmax(1), strict=True):
        expected = slow_grad_cam(network, image, int(label), relu=relu)
        assert one.label == int(label)
        assert one.size == (16, 16)
        assert one.probability == pytest.approx(float(row[label]), rel=1e-5)
        torch.testing.assert_close(one.values.double(), expected, rtol=1e-4, atol=1e-6)


def test_without_relu_some_locations_speak_against_the_class():
    signed, positive = explained(GradCam(relu=False)), explained(GradCam())
    assert any((one.values < 0).any() for one in signed)
    for one, other in zip(signed, positive, strict=True):
        assert torch.equal(one.values.clamp(min=0), other.values)


@pytest.mark.parametrize(
    ("classifier", "layer"),
    [(SmallCnn(), "stage5.relu"), (SmallCnn(layer="stage3.relu"), "stage3.relu")],
)
def test_on_the_cut_network_it_is_what_captum_finds_in_the_whole_one(classifier, layer):
    module = blank_module(classifier, 4).eval()
    network = cut_classifier(classifier, module, 4)
    assert network.layer == layer
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in classifier.normalisation())
    images = torch.rand(3, 3, 48, 48, generator=generator("images"))
    labels = torch.tensor([3, 0, 1])
    whole = LayerGradCam(module, module.get_submodule(layer))
    expected = whole.attribute(((images - mean) / std).requires_grad_(), target=labels)
    found = explained(GradCam("label", relu=False), network, Batch(images, (0, 1, 2), labels))
    for one, map_ in zip(found, expected.detach()[:, 0], strict=True):
        torch.testing.assert_close(one.values, map_, rtol=1e-4, atol=1e-7)


def test_it_explains_networks_for_32_pixels_at_any_layer():
    batch = Batch(torch.rand(2, 3, 32, 32, generator=generator("images")), (0, 1))
    for layer, side in (("", 8), ("layer2.0.relu2", 16), ("bn1", 32)):
        classifier = CifarResnet(8, layer=layer)
        network = cut_classifier(classifier, blank_module(classifier, 3), 3)
        for one in explained(GradCam(), network, batch):
            assert one.values.shape == (side, side)
            assert one.at_image_size().shape == (32, 32)


def test_activations_and_counts_of_passes_are_as_they_should_be():
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5)
    )
    network = cut_module(module.eval(), classes=5, size=16, normalisation=AS_THEY_ARE)
    before = network.passes.snapshot()
    explained(GradCam(), network, tiny_batch(3))
    after = network.passes.snapshot()
    counted = {name: after[name] - before[name] for name in after}
    assert +Counter(counted) == {"bottom_forward": 3, "top_forward": 3, "top_backward": 3}


def test_it_works_where_gradients_are_switched_off():
    with torch.no_grad():
        quiet = explained(GradCam())
    for one, other in zip(quiet, explained(GradCam()), strict=True):
        assert torch.equal(one.values, other.values)


def test_a_class_that_no_activation_speaks_for_has_a_map_of_zeros():
    top = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
    for parameter in top.parameters():
        nn.init.zeros_(parameter.requires_grad_(requires_grad=False))
    network = CutNetwork(Parts(tiny_network().bottom, top, "1", (8, 8)), 5, PassCounter())
    for one in explained(GradCam(), network):
        assert torch.equal(one.values, torch.zeros(8, 8))
        assert one.probability == pytest.approx(0.2)


def test_no_images_have_no_maps():
    network = tiny_network()
    none = Batch(torch.zeros(0, 3, 16, 16), (), torch.zeros(0, dtype=torch.int64))
    assert explained(GradCam(), network, none) == []


def test_the_label_must_be_known_to_be_explained():
    unlabelled = Batch(tiny_batch().images, (0, 1, 2, 3))
    with pytest.raises(MismatchError, match="the labels of these images are not known"):
        explained(GradCam("label"), batch=unlabelled)


def test_a_network_whose_logits_are_no_numbers_is_named():
    network = tiny_network()
    network.top[-1].bias.fill_(float("nan"))
    with pytest.raises(NumericalError, match="logits that are NaN or infinite for images 0, 1"):
        explained(GradCam(), network)


def test_a_class_may_be_given_by_its_number():
    of_label = explained(GradCam("label"))
    for place, label in enumerate(tiny_batch().labels.tolist()):
        of_number = explained(GradCam(label))
        assert of_number[place].label == label
        assert torch.equal(of_number[place].values, of_label[place].values)
    with pytest.raises(ParameterError, match="target is 99, and the network has the classes 0 to"):
        explained(GradCam(99))


def of_captum(network, batch, **told):
    """Captum's maps, with the cut as a layer of what is above it."""
    from_cut = nn.Sequential(nn.Identity(), network.top)
    point = network.activations(batch.images).clone().requires_grad_()
    maps = LayerGradCam(from_cut, from_cut[0]).attribute(point, relu_attributions=True, **told)
    return maps.detach()[:, 0]


def test_without_a_contrast_it_is_captums_to_the_bit():
    network, batch = tiny_network(), tiny_batch()
    expected = of_captum(network, batch, target=network.logits(batch.images).argmax(1))
    found = torch.stack([one.values for one in explained(GradCam(), network, batch)])
    assert torch.equal(found, expected)


def test_a_contrast_is_the_difference_of_two_maps_before_negative_values_are_dropped():
    first, second = (explained(GradCam(label, relu=False)) for label in (1, 3))
    both = explained(GradCam(1, relu=False, against=3))
    for one, a, b in zip(both, first, second, strict=True):
        torch.testing.assert_close(one.values, a.values - b.values)
        assert (one.label, one.against) == (1, 3)
    for one, clipped in zip(both, explained(GradCam(1, against=3)), strict=True):
        torch.testing.assert_close(clipped.values, one.values.clamp(min=0))
    check_component(GradCam(against="runner-up"))


def test_a_network_without_gradients_above_the_cut_is_named():
    class Quiet(nn.Module):
        def forward(self, activations):
            with torch.no_grad():
                return activations.mean((2, 3))[:, :5]

    network = CutNetwork(Parts(tiny_network().bottom, Quiet(), "1", (8, 8)), 5, PassCounter())
    with pytest.raises(MismatchError, match="has no gradients at the layer where it is cut"):
        explained(GradCam(), network)


def test_within_remembered_images_several_explainers_share_one_pass_over_the_bottom():
    network, batch, ran = tiny_network(), tiny_batch(), []
    network.bottom.register_forward_hook(lambda *_: ran.append(1))
    with network.remembering([batch.images]):
        explained(GradCam(), network, batch)
        explained(GradCam(against="runner-up"), network, batch)
        explained(CentreMap(), network, batch)
    assert len(ran) == 1
