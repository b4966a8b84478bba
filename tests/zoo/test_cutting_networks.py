"""Networks of torchvision and timm are cut exactly, and where one would cut them."""

import pytest
import timm
import torch
import torchvision
from torchvision.models import get_model

from xbench.networks import (
    arrangement_at,
    cut_module,
    cut_traced,
    default_layer,
    output_of,
    points_of,
    trace,
)

MOST = 5
"""Cuts of a network that are tried, or a few more, where not every one is."""


def example(size):
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


def made(name, **options):
    library, _, architecture = name.partition(":")
    torch.manual_seed(0)
    maker = get_model if library == "torchvision" else timm.create_model
    if architecture == "VisionTransformer":
        return torchvision.models.VisionTransformer(**options).eval()
    if architecture == "googlenet":
        options |= {"aux_logits": False, "init_weights": True}
    return maker(architecture, **options).eval()


def check_cuts(name, size, stride, **options):
    """Every `stride`-th cut of the network is exact, or fewer; returns how many there are."""
    module, x = made(name, **options), example(size)
    expected = output_of(module, x)
    traced = trace(module, x)
    points = points_of(traced, x)
    for point in points[:: stride if stride == 1 else max(stride, len(points) // MOST)]:
        halves = cut_traced(traced, point.name, x)
        assert torch.equal(output_of(halves.top, output_of(halves.bottom, x)), expected), point
    return len(points)


@pytest.mark.parametrize(("name", "cuts"), [("resnet18", 23), ("squeezenet1_1", 34)])
def test_every_listed_cut_is_exact(name, cuts):
    assert check_cuts(f"torchvision:{name}", 64, stride=1, num_classes=10) == cuts


SMALL = [
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:mobilenet_v3_small",
    "torchvision:regnet_y_400mf",
    "timm:repvgg_a0",
    "timm:res2net50_14w_8s",
    "timm:ghostnet_100",
    "timm:convnext_atto",
    "timm:nfnet_l0",
]


@pytest.mark.parametrize("name", SMALL)
def test_cuts_of_common_networks_are_exact(name):
    assert check_cuts(name, 64, stride=9, num_classes=10) > 9


MORE = [
    ("torchvision:alexnet", 96),
    ("torchvision:densenet121", 64),
    ("torchvision:googlenet", 64),
    ("torchvision:mobilenet_v2", 64),
    ("timm:resnest14d", 64),
    ("timm:dla34", 64),
    ("timm:skresnet18", 64),
    ("timm:resnetv2_50", 64),
    ("timm:fastvit_t8", 64),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), MORE)
def test_cuts_of_many_networks_are_exact(name, size):
    assert check_cuts(name, size, stride=12)


def default(name, size, **options):
    x = example(size)
    return default_layer(trace(made(name, **options), x), x)


@pytest.mark.parametrize(
    ("name", "size", "layer", "classes"),
    [
        ("torchvision:vgg11_bn", 32, "features.27", 1000),
        ("torchvision:resnet50", 64, "layer4.2.relu_2", 10),
        ("torchvision:alexnet", 96, "features.11", 1000),
        ("torchvision:squeezenet1_1", 64, "features.12.cat", 10),
        ("torchvision:squeezenet1_1", 64, "features.12.cat", 1000),
        ("torchvision:swin_t", 64, "permute", 10),
        ("timm:resnet18", 64, "layer4.1.act2", 10),
        ("timm:resnet18", 64, "layer4.1.act2", 1000),
    ],
)
def test_the_default_is_the_last_convolutional_stage(name, size, layer, classes):
    assert default(name, size, num_classes=classes) == layer


SMALL_SWIN = {"img_size": 64, "window_size": 4, "depths": (2, 2, 1, 1), "embed_dim": 48}
SMALL_VIT = {
    "image_size": 64,
    "patch_size": 16,
    "num_layers": 3,
    "num_heads": 3,
    "hidden_dim": 48,
    "mlp_dim": 96,
}
ARRANGED = [
    ("timm:vit_tiny_patch16_224", 64, {"img_size": 64}, "blocks.10.add_1", "tokens+1 4x4"),
    (
        "timm:vit_tiny_patch16_224",
        64,
        {"img_size": 64, "class_token": False, "global_pool": "avg"},
        "blocks.11.add_1",
        "tokens 4x4",
    ),
    ("timm:mixer_s32_224", 64, {"img_size": 64}, "norm", "tokens 2x2"),
    ("timm:mambaout_femto", 64, {}, "stages.3.blocks.2.add", "channels-last 2x2"),
    ("timm:levit_128s", 224, {}, "stages.2.blocks.3.add_1", "tokens 4x4"),
    (
        "timm:swin_tiny_patch4_window7_224",
        64,
        SMALL_SWIN,
        "norm",
        "channels-last 2x2",
    ),
    ("torchvision:swin_t", 64, {}, "permute", "maps 2x2"),
]
MORE_ARRANGED = [
    ("timm:levit_conv_128s", 224, {}, "stages.2.blocks.3.add_1", "maps 4x4"),
    ("timm:mvitv2_tiny", 96, {"img_size": 96}, "norm.layer_norm", "tokens 3x3"),
    ("timm:swinv2_tiny_window8_256", 64, SMALL_SWIN, "norm", "channels-last 2x2"),
    (
        "torchvision:VisionTransformer",
        64,
        SMALL_VIT,
        "encoder.layers.encoder_layer_1.add_1",
        "tokens+1 4x4",
    ),
    (
        "timm:deit_tiny_distilled_patch16_224",
        64,
        {"img_size": 64},
        "blocks.10.add_1",
        "tokens+2 4x4",
    ),
]


def check_arranged(name, size, options, layer, arrangement):
    """The network is cut at its default layer into maps of proven locations, exactly."""
    module, x = made(name, num_classes=10, **options), example(size)
    traced = trace(module, x)
    assert default_layer(traced, x) == layer
    assert str(arrangement_at(traced, layer, x)) == arrangement
    network = cut_module(module, classes=10, size=size)
    activations = network.activations(x)
    height, width = network.grid
    assert activations.shape[2:] == (height + network.extra_rows, width)
    assert torch.equal(output_of(network.top, activations), output_of(module, x))


@pytest.mark.parametrize(("name", "size", "options", "layer", "arrangement"), ARRANGED)
def test_networks_of_tokens_or_with_channels_last_are_cut_into_maps(
    name, size, options, layer, arrangement
):
    check_arranged(name, size, options, layer, arrangement)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "options", "layer", "arrangement"), MORE_ARRANGED)
def test_more_networks_of_tokens_are_cut_into_maps(name, size, options, layer, arrangement):
    check_arranged(name, size, options, layer, arrangement)


def test_networks_of_tokens_can_be_cut_at_any_block():
    module, x = made("timm:vit_tiny_patch16_224", img_size=64, num_classes=10), example(64)
    traced = trace(module, x)
    assert len(points_of(traced, x)) >= 30
    halves = cut_traced(traced, "blocks.5.add_1", x)
    assert torch.equal(output_of(halves.top, output_of(halves.bottom, x)), output_of(module, x))


def test_a_half_in_double_precision_leaves_the_network_alone():
    module, x = made("torchvision:resnet18"), example(64)
    expected = output_of(module, x)
    halves = cut_traced(trace(module, x), "layer3.1.relu_1", x)
    halves.top.double()
    halves.bottom.double()
    assert output_of(halves.top, output_of(halves.bottom, x.double())).dtype == torch.float64
    assert torch.equal(output_of(module, x), expected)
