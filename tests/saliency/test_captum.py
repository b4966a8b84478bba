"""Captum's methods through the adapters: the very values that Captum gives by itself."""

import copy

import captum.attr
import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Lime, NoiseTunnel, Saliency
from torch import nn
from torchvision.models import resnet18

from xbench import (
    MismatchError,
    ParameterError,
    Readout,
    UnknownNameError,
    UsageError,
    generator,
    per_image,
)
from xbench.adapters import as_attribution, as_explainer
from xbench.networks import whole_module
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.by_captum.attribution import CaptumAttribution
from xbench_saliency.by_captum.explainer import CaptumExplainer
from xbench_saliency.by_captum.methods import method_names
from xbench_saliency.cams.grad_cam import GradCam

SEED = 3
FEW = {"n_samples": 4}
TWO = torch.stack([torch.zeros(3, 16, 16), torch.ones(3, 16, 16)])
MASK = (torch.arange(16)[:, None] // 2 * 8 + torch.arange(16) // 2)[None, None]
OPTIONS = {
    "DeepLiftShap": {"baselines": TWO},
    "FeatureAblation": {"feature_mask": MASK},
    "FeaturePermutation": {"feature_mask": MASK},
    "GradientShap": {"baselines": TWO, **FEW},
    "IntegratedGradients": {"n_steps": 5},
    "InternalInfluence": {"n_steps": 5},
    "KernelShap": {"feature_mask": MASK, **FEW},
    "LayerConductance": {"n_steps": 5},
    "LayerDeepLiftShap": {"baselines": TWO},
    "LayerGradientShap": {"baselines": TWO, **FEW},
    "LayerIntegratedGradients": {"n_steps": 5},
    "Lime": {"feature_mask": MASK, **FEW},
    "NoiseTunnel": {"nt_samples": 3, "stdevs": 0.1},
    "Occlusion": {"sliding_window_shapes": (3, 2, 2), "strides": (3, 1, 1)},
    "ShapleyValueSampling": {"feature_mask": MASK, "n_samples": 1},
}
"""What each method is given, here and there; the others nothing."""
NOT_TRIED = {
    "LayerFeaturePermutation": "of Captum 0.9 fails on any network",
    "ShapleyValues": "of all orders of 64 features",
}
TOGETHER = (
    "Deconvolution",
    "DeepLift",
    "FeaturePermutation",
    "GuidedBackprop",
    "GuidedGradCam",
    "InputXGradient",
    "LRP",
    "LayerActivation",
    "LayerDeepLift",
    "LayerFeaturePermutation",
    "LayerGradCam",
    "LayerGradientXActivation",
    "LayerLRP",
    "Saliency",
)


class Flattening(nn.Sequential):
    """Layers, the values before the last of them flattened by a function."""

    def forward(self, images):
        *layers, last = self
        for layer in layers:
            images = layer(images)
        return last(images.flatten(1))


def modules():
    network = Flattening(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(6, 4, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(2),
        nn.Linear(16, 5),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for one in network.parameters():
            nn.init.normal_(one, std=0.4)
    return network.eval()


def apart(module):
    """A copy without layers that write over their input, which Captum's hooks cannot bear."""
    own = copy.deepcopy(module)
    for one in own.modules():
        if hasattr(one, "inplace"):
            one.inplace = False
    return own


def seeded_call(seed, function):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        before = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            found = function()
        finally:
            np.random.set_state(before)  # noqa: NPY002
    return found.detach()


def captums_own(name, module, batch, targets):
    """What Captum gives: of the batch, or of each image after its own seed."""
    cls, layer = getattr(captum.attr, name), module.get_submodule("2")
    if name == "NoiseTunnel":
        method = NoiseTunnel(Saliency(module))
    elif name.startswith(("Layer", "Internal", "GuidedGradCam")):
        method = cls(module, layer)
    else:
        method = cls(module)
    given = OPTIONS.get(name, {})

    def of(images, classes, seed):
        told = {} if name == "LayerActivation" else {"target": classes}
        images = images.clone().requires_grad_()
        return seeded_call(seed, lambda: method.attribute(images, **told, **given))

    seeds = [per_image(generator(SEED), image).initial_seed() for image in batch.ids]
    if name in TOGETHER:
        return of(batch.images, targets, seeds[0])
    places = range(len(batch.ids))
    return torch.cat([of(batch.images[p : p + 1], int(targets[p]), seeds[p]) for p in places])


TRIED = sorted(
    set(method_names()).difference(NOT_TRIED, [n for n in method_names() if n.startswith("Neuron")])
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TRIED)
def test_a_method_gives_exactly_what_captum_gives(name):
    module, batch = modules(), tiny_batch(3)
    targets = module(batch.images).argmax(1)
    expected = captums_own(name, apart(module), batch, targets)
    network = whole_module(module, classes=5, size=16)
    layer = "2" if name.startswith(("Layer", "Internal", "GuidedGradCam")) else ""
    explainer = CaptumExplainer(name, layer=layer, options=OPTIONS.get(name, {}))
    maps = explainer.explain(network, batch, {}, generator(SEED), {})
    assert torch.equal(torch.stack([one.raw for one in maps]), expected)
    for one, raw in zip(maps, expected, strict=True):
        assert torch.equal(one.values, raw.sum(0))
    assert [one.label for one in maps] == targets.tolist()


def test_every_method_of_captum_that_takes_inputs_and_a_target_is_tried_or_named_here():
    assert len(TRIED) >= 28
    assert {"IntegratedGradients", "Lime", "KernelShap", "LayerGradCam"} <= set(TRIED)
    assert set(NOT_TRIED) <= set(method_names())


@pytest.mark.parametrize("name", ["NeuronGradient", "NeuronConductance"])
def test_a_neuron_is_explained_where_it_is_chosen(name):
    network, batch = whole_module(modules(), classes=5, size=16), tiny_batch(2)
    options = {"neuron_selector": [0, 1, 1], **({"n_steps": 3} if "Cond" in name else {})}
    explainer = CaptumExplainer(name, layer="2", options=options)
    maps = explainer.explain(network, batch, {}, generator(SEED), {})
    assert maps[0].raw.shape == (3, 16, 16)


@pytest.mark.parametrize(
    "explainer",
    [
        CaptumExplainer("Saliency"),
        CaptumExplainer("integrated-gradients", options={"n_steps": 3}, channels="abs-sum"),
        CaptumExplainer("LayerGradCam"),
        CaptumExplainer("GradientShap", options={"n_samples": 2}, target="label"),
        CaptumExplainer("Occlusion", channels="mean"),
        CaptumExplainer("NoiseTunnel", options={"nt_samples": 2}),
    ],
    ids=lambda explainer: explainer.method,
)
def test_it_keeps_the_contract_of_explainers(explainer):
    check_component(explainer)


@pytest.mark.parametrize(
    "attribution",
    [
        CaptumAttribution("InputXGradient"),
        CaptumAttribution("IntegratedGradients", options={"n_steps": 3}),
        CaptumAttribution("GradientShap", options={"n_samples": 2}),
        CaptumAttribution("LayerGradCam"),
    ],
    ids=lambda attribution: attribution.method,
)
def test_it_keeps_the_contract_of_attributions(attribution):
    check_component(attribution)


def test_at_the_cut_grad_cam_is_ours():
    network, batch = tiny_network(), tiny_batch()
    of_captum = CaptumExplainer("LayerGradCam", options={"relu_attributions": True})
    found = of_captum.explain(network, batch, {}, generator(0), {})
    ours = GradCam().explain(network, batch, {}, generator(0), {})
    for one, other in zip(found, ours, strict=True):
        torch.testing.assert_close(one.values, other.values)
    assert of_captum.needs_cut
    assert not CaptumExplainer("LayerGradCam", layer="2").needs_cut
    assert not CaptumExplainer("Saliency").needs_cut


def test_as_an_attribution_it_gives_what_captum_gives_of_the_readout():
    network, batch = tiny_network(), tiny_batch()
    readout = Readout(network.bottom, network.top, lambda logits: logits.softmax(1))
    activations = network.activations(batch.images)
    maps = as_attribution(IntegratedGradients, options={"n_steps": 5}).attribute(
        readout, activations, batch.images
    )
    method = IntegratedGradients(lambda a: network.top(a).softmax(1))
    for label in range(5):
        rows = [method.attribute(a, target=label, n_steps=5) for a in activations.split(1)]
        torch.testing.assert_close(maps[:, label], torch.cat(rows).detach().sum(1))


def test_an_object_gives_its_settings_and_the_name_of_its_layer():
    module = modules()
    assert as_explainer("IntegratedGradients") == as_explainer(IntegratedGradients)
    assert as_explainer("captum:Saliency") == as_explainer(Saliency(module))
    found = as_explainer(IntegratedGradients(module, multiply_by_inputs=False))
    assert found.constructor == {"multiply_by_inputs": False}
    assert as_explainer(LayerGradCam(module, module[2])).layer == "2"
    assert as_explainer(captum.attr.GuidedGradCam(module, module[2])).layer == "2"
    tunnel = as_explainer(NoiseTunnel(IntegratedGradients(module)))
    assert tunnel.constructor["attribution_method"]["method"] == "IntegratedGradients"
    assert as_explainer(GradCam()) == GradCam()
    assert as_explainer("grad-cam") == GradCam()


def test_an_object_with_functions_of_its_own_has_a_key_of_their_content():
    module, batch = modules(), tiny_batch(2)
    one = as_explainer(Lime(module), options=dict(FEW))
    network = whole_module(module, classes=5, size=16)
    assert len(one.explain(network, batch, {}, generator(0), {})) == 2
    functions = [lambda *_, **__: 1.0, lambda *_, **__: 2.0]
    keys = {str(as_explainer(Lime(module, similarity_func=one)).tree()) for one in functions}
    assert len(keys) == 2


def test_tensors_among_its_options_tell_explainers_apart_by_their_values():
    one, same, other = (
        CaptumExplainer("Saliency", constructor={}, options={"abs": value})
        for value in (torch.tensor([1.0]), torch.tensor([1.0]), torch.tensor([2.0]))
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one.tree() == same.tree()
    assert one != other
    assert one.tree() != other.tree()
    assert one == CaptumExplainer("saliency", options={"abs": torch.tensor([1.0])})


def test_the_module_of_the_user_is_left_as_it_was():
    module, batch = modules().train(), tiny_batch(2)
    before = copy.deepcopy(module.state_dict())
    network = whole_module(module.eval(), classes=5, size=16)
    for name in ("DeepLift", "GuidedBackprop"):
        CaptumExplainer(name).explain(network, batch, {}, generator(0), {})
    assert all(one.inplace for one in module.modules() if hasattr(one, "inplace"))
    assert not any(one._forward_hooks or one._backward_hooks for one in module.modules())
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())


class Functional(nn.Module):
    """A network whose ReLUs are functions."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

    def forward(self, images):
        return self.head(torch.relu(self.body(images)).mean((2, 3)))


class Tokens(nn.Module):
    """A network whose first layer gives no maps."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(16, 4), nn.Linear(3 * 16 * 4, 5)

    def forward(self, images):
        return self.head(self.first(images).flatten(1))


@pytest.mark.parametrize(
    ("explainer", "module", "message"),
    [
        (CaptumExplainer("DeepLift"), resnet18(num_classes=5), "used more than once"),
        (CaptumExplainer("GuidedBackprop"), Functional(), "has none"),
        (CaptumExplainer("LayerGradCam", layer="nothing"), modules(), "unknown layer 'nothing'"),
        (CaptumExplainer("LayerActivation", layer="head"), Tokens(), "no maps"),
        (CaptumExplainer("FeaturePermutation"), modules(), "here is one alone"),
        (CaptumExplainer("Saliency", options={"abs": False}, target="label"), modules(), "labels"),
        (
            CaptumExplainer("Occlusion", options={"sliding_window_shapes": [3, 40, 40]}),
            modules(),
            "cannot explain",
        ),
        (CaptumExplainer("GradientShap", options={"baselines": "blue"}), modules(), "'blue'"),
    ],
)
def test_what_captum_cannot_explain_is_told_in_one_line(explainer, module, message):
    network, batch = whole_module(module.eval(), classes=5, size=16), tiny_batch(1)
    batch = type(batch)(batch.images, batch.ids)
    with pytest.raises(UsageError, match=message) as caught:
        explainer.explain(network, batch, {}, generator(0), {})
    assert "\n" not in str(caught.value)


def test_networks_that_use_a_relu_twice_or_write_in_place_are_explained_by_gradients():
    network, batch = whole_module(resnet18(num_classes=5).eval(), classes=5, size=32), tiny_batch(1)
    for name in ("GuidedBackprop", "Saliency", "InputXGradient"):
        (one,) = CaptumExplainer(name).explain(network, batch, {}, generator(0), {})
        assert one.raw.shape == (3, 16, 16)
        assert one.raw.abs().sum() > 0


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (("integratedgradient",), UnknownNameError, "did you mean 'IntegratedGradients'"),
        (("LLMAttribution",), UnknownNameError, "unknown method of captum"),
        (("json:loads",), ParameterError, "no attribution class of images"),
        (("nothing:Nothing",), ParameterError, "cannot be imported"),
        (("Saliency", "2"), ValueError, "looks at no layer"),
        (("Saliency", "", "predicted", "sum", {}, {"steps": 3}), UnknownNameError, "'steps'"),
        (("Saliency", "", "predicted", "sum", {"eps": 3}), UnknownNameError, "'eps'"),
    ],
)
def test_mistakes_are_told_when_it_is_made(given, error, message):
    with pytest.raises(error, match=message):
        CaptumExplainer(*given)


def test_what_fails_in_captum_itself_fails_in_one_line():
    network = whole_module(modules(), classes=5, size=16)
    explainer = CaptumExplainer("LayerFeaturePermutation", layer="2")
    with pytest.raises(MismatchError, match="captum's LayerFeaturePermutation cannot explain"):
        explainer.explain(network, tiny_batch(3), {}, generator(0), {})


def test_other_objects_are_no_attributions():
    with pytest.raises(ParameterError, match="expected an attribution of Captum"):
        as_explainer(3)
    with pytest.raises(MismatchError, match="no module of its own model"):
        as_explainer(LayerGradCam(modules(), nn.ReLU()))


def test_a_map_with_its_raw_values_is_saved_and_drawn():
    network, batch = tiny_network(), tiny_batch(1)
    (one,) = CaptumExplainer("Saliency").explain(network, batch, {}, generator(0), {})
    again = type(one).from_tensors(one.tensors())
    assert torch.equal(again.raw, one.raw)
    (plain,) = GradCam().explain(network, batch, {}, generator(0), {})
    assert "raw" not in plain.tensors()
