"""Classifiers of the zoo: names, sizes, weights, errors."""

import sys
import urllib.error

import pytest
import torch
from torch import nn

from xbench import (
    Artefact,
    CutError,
    DownloadError,
    Normalisation,
    NumericalError,
    ParameterError,
    UnknownNameError,
    WeightsError,
)
from xbench.networks import blank_module, cut_module, cut_table, load_network
from xbench_zoo.heads import replace_head
from xbench_zoo.small import SmallCnn
from xbench_zoo.timm_models import Timm
from xbench_zoo.torchvision_models import Torchvision
from xbench_zoo.user import UserModule

CPU = torch.device("cpu")


def loaded(classifier, classes=4):
    state = blank_module(classifier, classes).state_dict()
    return load_network(classifier, Artefact("key", state, {"classes": classes}), CPU)


def images(size, count=2):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_names_are_those_of_the_libraries():
    assert {"vgg16_bn", "resnet50", "alexnet", "squeezenet1_1"} <= set(Torchvision.offers())
    assert not [name for name in Torchvision.offers() if "segmentation" in name or "rcnn" in name]
    assert {"resnet18", "vit_tiny_patch16_224"} <= set(Timm.offers())
    assert SmallCnn.offers() == UserModule.offers() == ()


@pytest.mark.parametrize(
    ("classifier", "text"),
    [
        (
            Torchvision("vgg16bn"),
            "unknown torchvision architecture 'vgg16bn'; did you mean 'vgg16_bn'",
        ),
        (Timm("resnet81"), "unknown timm architecture 'resnet81'; did you mean 'resnet18'"),
        (
            Timm("resnet18.nobody"),
            "unknown timm architecture 'resnet18.nobody'.* Known: resnet18.a1",
        ),
    ],
)
def test_an_unknown_architecture_suggests_the_nearest(classifier, text):
    for question in (classifier.input_size, classifier.normalisation, lambda: classifier.module(3)):
        with pytest.raises(UnknownNameError, match=text):
            question()


def test_sizes_and_normalisations_are_those_of_the_library():
    assert Torchvision("inception_v3").input_size() == 299
    assert Torchvision("squeezenet1_1").input_size() == 224
    assert Torchvision("resnet50").normalisation() == Normalisation()
    assert Timm("inception_v4").input_size() == 299
    assert Timm("inception_v4").normalisation() == Normalisation((0.5,) * 3, (0.5,) * 3)


@pytest.mark.parametrize(
    "classifier",
    [SmallCnn(), Torchvision("squeezenet1_1"), Timm("resnet10t"), Torchvision("googlenet")],
    ids=str,
)
def test_networks_have_the_classes_asked_for_and_normalise_inside(classifier):
    network = loaded(classifier)
    x = images(96)
    assert network.logits(x).shape == (2, 4)
    module = blank_module(classifier, 4).eval()
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in classifier.normalisation())
    with torch.no_grad():
        expected = module((x - mean) / std)
    assert torch.equal(network.logits(x), expected)


def test_random_weights_depend_on_the_seed_alone():
    torch.manual_seed(5)
    first = blank_module(SmallCnn(), 3, seed=1).state_dict()
    torch.manual_seed(6)
    assert torch.equal(
        blank_module(SmallCnn(), 3, seed=1).state_dict()["head.weight"], first["head.weight"]
    )
    assert not torch.equal(
        blank_module(SmallCnn(), 3, seed=2).state_dict()["head.weight"], first["head.weight"]
    )


def test_the_small_network_makes_12_by_12_maps():
    network = loaded(SmallCnn())
    assert network.layer == "stage5.relu"
    assert network.activations(images(96)).shape == (2, 96, 12, 12)


def test_the_small_network_has_its_widths():
    network = loaded(SmallCnn((4, 5, 6, 7, 8)))
    assert network.activations(images(96)).shape == (2, 8, 12, 12)
    with pytest.raises(ValueError, match="every layer needs at least one channel"):
        SmallCnn((4, 5, 6, 7, 0))
    with pytest.raises(WeightsError, match="small-cnn has no weights in a library"):
        SmallCnn(weights="library").module(3)


def test_passes_are_counted_in_images():
    network = loaded(SmallCnn())
    activations = network.activations(images(96, 3)).requires_grad_()
    network.top(activations)[:, 0].sum().backward()
    network.logits(images(96, 2))
    assert network.passes.snapshot() == {
        "forward": 2,
        "backward": 0,
        "bottom_forward": 3,
        "top_forward": 3,
        "top_backward": 3,
    }


def test_no_parameter_needs_a_gradient_and_nothing_is_in_training_mode():
    network = loaded(SmallCnn())
    for part in (network.bottom, network.top):
        assert not part.training
        assert not [p for p in part.parameters() if p.requires_grad]


def test_a_named_layer_is_where_the_network_is_cut():
    assert loaded(SmallCnn(layer="stage4")).layer == "stage4.relu"
    with pytest.raises(CutError, match="gives 96 values for an image, which lie on no"):
        loaded(SmallCnn(layer="flat")).cut()
    with pytest.raises(CutError, match=r"there is no layer 'stage6'; did you mean 'stage\d"):
        loaded(SmallCnn(layer="stage6")).cut()


def test_weights_of_another_network_name_the_classifier():
    state = blank_module(SmallCnn(), 4).state_dict()
    del state["head.bias"]
    with pytest.raises(
        WeightsError, match="small-cnn weights key' do not fit Sequential: 1 missing"
    ):
        load_network(SmallCnn(), Artefact("key", state, {"classes": 4}), CPU)


def test_logits_that_are_no_numbers_name_the_images():
    network = loaded(SmallCnn())
    x = images(96, 4)
    x[1], x[3] = float("nan"), float("inf")
    text = "classifier 'small-cnn' gives logits that are NaN or infinite for images 8, 6; check"
    with pytest.raises(NumericalError, match=text):
        network.logits(x, (9, 8, 7, 6))
    with pytest.raises(NumericalError, match="for images at positions 1, 3; check"):
        network.logits(x)


def test_trained_weights_are_loaded_without_downloading_the_librarys(monkeypatch):
    state = blank_module(Torchvision("squeezenet1_1"), 4).state_dict()
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", lambda *_, **__: pytest.fail("asked"))
    classifier = Torchvision("squeezenet1_1", weights="library")
    assert load_network(classifier, Artefact("key", state, {"classes": 4}), CPU).classes == 4


def test_a_network_is_the_same_with_and_without_the_librarys_weights():
    assert blank_module(Torchvision("googlenet"), 4).transform_input


def test_the_table_of_cuts_names_the_default():
    library = Torchvision("squeezenet1_1", weights="library")
    points, default, _, arrangements = cut_table(library, 1000)
    assert default == "features.12.cat"
    assert next(p for p in points if p.name == default).shape == (512, 13, 13)
    assert arrangements[default] == "maps 13x13"


@pytest.mark.parametrize("weights", ["torchvision", "timm"])
def test_weights_that_cannot_be_downloaded_say_what_to_do(weights, monkeypatch):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torchvision.models.get_model", unreachable)
    monkeypatch.setattr("timm.create_model", unreachable)
    kinds = {"torchvision": Torchvision, "timm": Timm}
    classifier = kinds[weights]("resnet18", weights="library")
    text = f"{weights}'s weights of 'resnet18' could not be had.*no route to host.*give a file"
    with pytest.raises(DownloadError, match=text):
        classifier.module(10)


def test_an_architecture_without_weights_in_the_library_says_so():
    with pytest.raises(
        WeightsError, match=r"timm has no weights for 'resnet.*'; leave weights empty"
    ):
        Timm(_without_weights(), weights="library").module(10)


def _without_weights():
    import timm

    pretrained = {name.partition(".")[0] for name in timm.list_pretrained()}
    return next(name for name in timm.list_models("resnet*") if name not in pretrained)


@pytest.mark.parametrize(
    "architecture", ["squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5"]
)
def test_a_head_is_replaced_by_one_of_another_size(architecture):
    module = blank_module(Torchvision(architecture), 1000).eval()
    body = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        assert replace_head(module, 1000, 7).eval()(images(64)).shape == (2, 7)
    changed = [n for n, t in module.state_dict().items() if t.shape != body[n].shape]
    assert {name.rpartition(".")[2] for name in changed} == {"weight", "bias"}


def test_a_network_without_a_head_cannot_have_it_replaced():
    with pytest.raises(WeightsError, match="Sequential has no layer with 1000 outputs"):
        replace_head(nn.Sequential(nn.Linear(3, 3)), 1000, 7)


class Averages(nn.Module):
    """No parameter at all."""

    def forward(self, x):
        return (x * 2).mean((2, 3))


@pytest.fixture
def own_module(monkeypatch):
    """A module of a user's, `mine`."""
    made = type(sys)("mine")
    made.network = lambda classes: nn.Sequential(nn.Conv2d(3, classes, 3), nn.ReLU(), Averages())
    made.averages = lambda _: Averages()
    made.nothing = lambda _: None
    monkeypatch.setitem(sys.modules, "mine", made)


@pytest.mark.usefixtures("own_module")
def test_a_users_own_network_keeps_its_layer_names():
    network = loaded(UserModule("mine:network", side=16, layer="1"), classes=5)
    assert network.layer == "1"
    assert network.logits(images(16)).shape == (2, 5)


@pytest.mark.usefixtures("own_module")
def test_a_network_without_parameters_has_a_device():
    network = loaded(UserModule("mine:averages", side=16), classes=3)
    assert network.device == CPU
    assert network.layer == "mul"
    assert cut_module(Averages(), classes=3, size=8).device == CPU


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(
    ("function", "error", "text"),
    [
        ("mine.network", ParameterError, "write it as package.module:function"),
        ("nowhere:network", ParameterError, "'nowhere' cannot be imported .* PYTHONPATH"),
        (
            "mine:netwrk",
            UnknownNameError,
            "unknown function of mine 'netwrk'; did you mean 'network'",
        ),
        ("mine:nothing", ParameterError, "mine:nothing returned NoneType, not a torch.nn.Module"),
    ],
)
def test_a_function_that_cannot_be_used_says_why(function, error, text):
    with pytest.raises(error, match=text):
        UserModule(function).module(3)
