"""Explainers by gradients at the pixels: their contract, and what holds of all of them."""

import copy

import pytest
import torch
from torch import nn

from xbench import Batch, MismatchError, NumericalError, ParameterError, generator
from xbench.networks import AS_THEY_ARE, whole_module
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.gradients.gradient import Gradient, InputXGradient
from xbench_saliency.gradients.guided_backprop import GuidedBackprop
from xbench_saliency.gradients.integrated_gradients import IntegratedGradients
from xbench_saliency.gradients.smooth_grad import SmoothGrad
from xbench_saliency.occlusion.explainer import Occlusion

LINEAR = {
    "gradient": Gradient,
    "input-x-gradient": InputXGradient,
    "smooth-grad": lambda **given: SmoothGrad(samples=3, **given),
    "integrated-gradients": lambda **given: IntegratedGradients(steps=4, **given),
    "occlusion": lambda **given: Occlusion(window=5, stride=3, **given),
}
"""Methods whose map of a difference is the difference of maps."""
ALL = {**LINEAR, "guided-backprop": GuidedBackprop}


def explained(explainer, network=None, batch=None, seed=0):
    network = tiny_network() if network is None else network
    batch = tiny_batch() if batch is None else batch
    return explainer.explain(network, batch, {}, generator(seed), {})


def values(*given, **named):
    return torch.stack([one.values for one in explained(*given, **named)])


@pytest.mark.parametrize(
    "explainer",
    [
        Gradient(channels="abs-max"),
        Gradient(against="runner-up", sign="positive"),
        InputXGradient(target="label", channels="abs-sum"),
        SmoothGrad(samples=3, sigma=0.5, per_pass=2),
        SmoothGrad(samples=1, sigma=0.0, sign="absolute"),
        IntegratedGradients(steps=3, baseline="black", against=1, target=2),
        IntegratedGradients(steps=3, baseline="blur", channels="mean"),
        GuidedBackprop(against="runner-up", channels="abs-sum", per_pass=1),
        Occlusion(window=3, stride=2, baseline="blur", against="runner-up"),
        Occlusion(window=16, baseline="black", sign="absolute", per_pass=1),
    ],
    ids=str,
)
def test_they_keep_the_contract_of_explainers(explainer):
    check_component(explainer)


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("gradient", 1),
        ("input-x-gradient", 1),
        ("smooth-grad", 3),
        ("integrated-gradients", 4),
        ("guided-backprop", 1),
        ("occlusion", 0),
    ],
)
def test_passes_back_are_counted(name, passes):
    network = tiny_network()
    explained(ALL[name](), network, tiny_batch(4))
    assert network.passes.backward == 4 * passes
    assert network.passes.top_backward == 0


@pytest.mark.parametrize("name", LINEAR)
def test_a_contrast_is_the_difference_of_two_maps(name):
    make, network = LINEAR[name], tiny_network()
    first, second = (values(make(target=label), network) for label in (1, 3))
    both = explained(make(target=1, against=3), network)
    torch.testing.assert_close(torch.stack([one.values for one in both]), first - second)
    assert {(one.label, one.against) for one in both} == {(1, 3)}
    runners = explained(make(against="runner-up"), network)
    top = network.logits(tiny_batch().images).topk(2).indices
    assert [(one.label, one.against) for one in runners] == [tuple(row) for row in top.tolist()]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("per_pass", [1, 3, 100])
def test_maps_hang_neither_on_the_batch_nor_on_passes_nor_on_order(name, per_pass):
    batch = tiny_batch(4)
    whole = values(ALL[name]())
    torch.testing.assert_close(values(ALL[name](per_pass=per_pass)), whole)
    for places in ([2], [3, 1], [1, 0, 3, 2]):
        ids = tuple(batch.ids[place] for place in places)
        some = values(ALL[name](per_pass=per_pass), batch=Batch(batch.images[places], ids))
        torch.testing.assert_close(some, whole[places])


@pytest.mark.parametrize("name", ["smooth-grad", "integrated-gradients"])
def test_what_takes_many_points_of_an_image_is_the_same_to_the_bit_however_images_are_batched(name):
    whole, batch = values(ALL[name]()), tiny_batch(4)
    for place, image in enumerate(batch.ids):
        alone = values(ALL[name](), batch=Batch(batch.images[place : place + 1], (image,)))
        assert torch.equal(alone[0], whole[place])


def test_noise_hangs_on_the_seed_and_the_image_alone():
    explainer = SmoothGrad(samples=2)
    assert torch.equal(values(explainer, seed=1), values(explainer, seed=1))
    assert not torch.equal(values(explainer, seed=1), values(explainer, seed=2))
    torch.testing.assert_close(values(SmoothGrad(samples=4, sigma=0.0)), values(Gradient()))


@pytest.mark.parametrize("baseline", ["mean", "black", "blur"])
@pytest.mark.parametrize("against", ["", "runner-up"])
def test_integrated_gradients_add_up_to_the_difference_of_logits(baseline, against):
    from xbench_saliency.maps.baselines import baseline_images
    from xbench_saliency.maps.targets import explained as what_of

    network, batch = tiny_network(), tiny_batch()
    found = values(IntegratedGradients(baseline=baseline, against=against, steps=400), network)
    logits = network.logits(batch.images)
    what = what_of("predicted", against, logits, batch)
    start = network.logits(baseline_images(baseline, batch.images))
    change = what.values(logits) - what.values(start)
    torch.testing.assert_close(found.sum((1, 2)), change, rtol=0.01, atol=2e-3)


def test_of_a_linear_network_all_maps_are_known():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4)).eval()
    network = whole_module(module, classes=4, size=8, normalisation=AS_THEY_ARE)
    images = torch.rand(2, 3, 8, 8, generator=generator("linear"))
    batch = Batch(images, (0, 1))
    weight = module[1].weight.detach()[2].view(3, 8, 8)
    expected = weight.sum(0).expand(2, -1, -1)
    torch.testing.assert_close(values(Gradient(2), network, batch), expected)
    torch.testing.assert_close(values(SmoothGrad(2, samples=2), network, batch), expected)
    product = (weight * images).sum(1)
    torch.testing.assert_close(values(InputXGradient(2), network, batch), product)
    found = values(IntegratedGradients(2, steps=2, baseline="black"), network, batch)
    torch.testing.assert_close(found, product)
    found = values(Occlusion(2, window=1, stride=1, baseline="black"), network, batch)
    torch.testing.assert_close(found, product, rtol=1e-3, atol=1e-5)


class Unmoved(nn.Module):
    """Gives the same logits whatever it sees, with a gradient of zeros."""

    def forward(self, images):
        return torch.relu(nn.ReLU()(images).flatten(1)[:, :5] * 0)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("channels", ["sum", "abs-max"])
def test_a_network_without_slopes_has_maps_of_zeros(name, channels):
    network = whole_module(Unmoved().eval(), classes=5, size=16, normalisation=AS_THEY_ARE)
    given = {} if name == "occlusion" else {"channels": channels}
    assert (values(LINEAR[name](**given), network) == 0).all()


@pytest.mark.parametrize("baseline", ["mean", "blur"])
def test_an_image_of_one_colour_that_is_its_own_baseline_has_a_map_of_zeros(baseline):
    images = torch.tensor([0.1, 0.3, 0.7]).view(3, 1, 1).expand(2, 3, 16, 16).clone()
    images[1] = 0.0
    batch = Batch(images, (0, 1))
    assert (values(IntegratedGradients(steps=3, baseline=baseline), batch=batch) == 0).all()
    found = values(Occlusion(baseline=baseline), batch=batch)
    torch.testing.assert_close(found, torch.zeros_like(found), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ALL)
def test_images_of_one_colour_have_maps_of_numbers(name):
    batch = Batch(torch.full((2, 3, 16, 16), 0.5), (0, 1))
    assert torch.isfinite(values(ALL[name](), batch=batch)).all()


@pytest.mark.parametrize("name", ALL)
def test_the_network_is_left_as_it_was(name):
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 14 * 14, 5)
    ).eval()
    network = whole_module(module, classes=5, size=16)
    hooks = [len(one._forward_hooks) for one in network.module.modules()]
    before = copy.deepcopy(network.module.state_dict())
    needed = [one.requires_grad for one in module.parameters()]
    explained(ALL[name](), network)
    assert hooks == [len(one._forward_hooks) for one in network.module.modules()]
    for one in network.module.modules():
        assert not one.training
        assert not one._forward_pre_hooks
        assert not one._backward_hooks
    assert module[1].inplace
    assert needed == [one.requires_grad for one in module.parameters()]
    assert all(one.grad is None for one in module.parameters())
    after = network.module.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("name", ALL)
def test_gradients_are_taken_where_they_are_switched_off_too(name):
    with torch.no_grad():
        quiet = values(ALL[name]())
    assert torch.equal(quiet, values(ALL[name]()))


@pytest.mark.parametrize("name", ALL)
def test_no_images_have_no_maps(name):
    none = Batch(torch.zeros(0, 3, 16, 16), (), torch.zeros(0, dtype=torch.int64))
    assert explained(ALL[name](), batch=none) == []


class Quiet(nn.Module):
    """A network under `no_grad`."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, images):
        with torch.no_grad():
            return self.inner(images).flatten(1)


class Steep(nn.Module):
    """A root, whose slope at 0 is infinite."""

    def forward(self, images):
        return (images - images).sqrt().flatten(1)[:, :5]


GRADIENTS = [name for name in LINEAR if name != "occlusion"]


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_network_without_gradients_is_named_with_a_way_out(name):
    network = whole_module(Quiet().eval(), classes=5, size=16)
    with pytest.raises(MismatchError, match=r"Quiet has no gradients at the pixels: .*; occlu"):
        explained(LINEAR[name](), network)
    assert len(explained(Occlusion(), network)) == 4


def test_gradients_that_are_no_numbers_are_an_error():
    network = whole_module(Steep().eval(), classes=5, size=16, normalisation=AS_THEY_ARE)
    with pytest.raises(NumericalError, match="NaN or infinite"):
        explained(Gradient(), network)


@pytest.mark.parametrize("name", ALL)
def test_a_class_out_of_range_and_unknown_labels_are_refused(name):
    with pytest.raises(ParameterError, match="target is 99, and the network has the classes"):
        explained(ALL[name](target=99))
    with pytest.raises(ParameterError, match="against is 5"):
        explained(ALL[name](against=5))
    unlabelled = Batch(tiny_batch().images, (0, 1, 2, 3))
    with pytest.raises(MismatchError, match="labels"):
        explained(ALL[name](target="label"), batch=unlabelled)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SmoothGrad(samples=0), "samples must be at least 1, not 0"),
        (lambda: SmoothGrad(sigma=-0.1), "sigma must be a share of the range"),
        (lambda: SmoothGrad(sigma=float("nan")), "sigma must be a share of the range"),
        (lambda: IntegratedGradients(steps=0), "steps must be at least 1, not 0"),
        (lambda: Gradient(per_pass=-1), "per_pass must be a number of images"),
        (lambda: Occlusion(per_pass=-1), "per_pass must be a number of images"),
        (lambda: Occlusion(window=-1), "window and stride are pixels, not -1 and 0"),
        (lambda: Occlusion(window=4, stride=5), "would never be hidden"),
    ],
)
def test_parameters_that_cannot_be_are_refused_when_it_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()
