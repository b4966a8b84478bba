"""The CIFAR networks: sizes as published, shortcuts, cuts, training, and real weights."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import vgg

from xbench import WeightsError
from xbench.networks import blank_module, cut_classifier, cut_points, load_state, read_state
from xbench.testing import check_component
from xbench_zoo.cifar.classifier import CifarClassifier, PaddedIdentity
from xbench_zoo.cifar.dense_net import CifarDenseNet
from xbench_zoo.cifar.pyramid_net import CifarPyramidNet
from xbench_zoo.cifar.resnet import CifarResnet
from xbench_zoo.cifar.resnet_v2 import CifarResnetV2
from xbench_zoo.cifar.resnext import CifarResnext
from xbench_zoo.cifar.shake_shake import CifarShakeShake, mixture
from xbench_zoo.cifar.vgg import CifarVgg
from xbench_zoo.cifar.wide_resnet import CifarWideResnet

SMALL = [
    CifarResnet(8),
    CifarResnet(8, "B"),
    CifarResnetV2(8),
    CifarResnetV2(8, shortcut="A"),
    CifarResnetV2(11, "bottleneck"),
    CifarResnetV2(11, "bottleneck", "A"),
    CifarVgg(11),
    CifarWideResnet(10, 2),
    CifarResnext(11, 2, 4),
    CifarDenseNet(10, 4),
    CifarPyramidNet(8, 12),
    CifarShakeShake(8, 8),
]
LIKE_DENSE = (CifarVgg, CifarResnext, CifarDenseNet, CifarPyramidNet, CifarShakeShake)
FILES = {
    20: "resnet20-12fca82f.th",
    32: "resnet32-d509ac18.th",
    44: "resnet44-014dd654.th",
    56: "resnet56-4bfd9763.th",
}


def spelled(value):
    if not isinstance(value, CifarClassifier):
        return str(value)
    return "-".join(map(str, [value.name, *list(value.parameters().values())[:3]]))


def images(count=2, side=32):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def randomised(module):
    """Batch norms as after a training: no part of a block vanishes or is the identity."""
    draws = torch.Generator().manual_seed(2)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.running_var):
                nn.init.uniform_(tensor, 0.5, 1.5, generator=draws)
            for tensor in (layer.bias, layer.running_mean):
                nn.init.uniform_(tensor, -0.3, 0.3, generator=draws)
    return module.eval().requires_grad_(requires_grad=False)


def parameters(classifier, classes=10):
    with torch.device("meta"):  # counted without being drawn
        return sum(p.numel() for p in classifier.module(classes).parameters())


@pytest.mark.parametrize("classifier", SMALL, ids=spelled)
def test_the_cifar_networks_keep_the_contract_of_classifiers(classifier):
    check_component(classifier)


@pytest.mark.parametrize(
    ("depth", "published"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)
def test_residual_networks_are_as_large_as_published(depth, published):
    digits = 1 if depth == 110 else 2
    assert round(parameters(CifarResnet(depth)) / 1e6, digits) == published


@pytest.mark.parametrize(
    "classifier", [CifarResnetV2(110), CifarResnetV2(164, "bottleneck")], ids=spelled
)
def test_pre_activated_networks_are_as_large_as_published(classifier):
    assert round(parameters(classifier) / 1e6, 1) == 1.7


@pytest.mark.parametrize(
    ("classifier", "published"),
    [
        (CifarWideResnet(28, 10), 36.5),
        (CifarWideResnet(40, 4), 8.9),
        (CifarWideResnet(16, 8), 11.0),
        (CifarResnext(29, 8), 34.4),
        (CifarDenseNet(100, 12), 0.8),
        (CifarDenseNet(250, 24), 15.3),
        (CifarDenseNet(190, 40), 25.6),
        (CifarPyramidNet(110, 48), 1.7),
        (CifarShakeShake(26, 32), 2.9),
        (CifarShakeShake(26, 64), 11.7),
        (CifarShakeShake(26, 96), 26.2),
    ],
    ids=spelled,
)
def test_wide_dense_and_shaken_networks_are_as_large_as_published(classifier, published):
    assert round(parameters(classifier) / 1e6, 1) == published


@pytest.mark.parametrize(("widening", "published"), [(84, 3.8), (270, 28.3)])
def test_pyramids_are_within_two_per_cent_of_their_published_size(widening, published):
    assert parameters(CifarPyramidNet(110, widening)) / 1e6 == pytest.approx(published, rel=0.02)


def test_option_a_has_no_parameters_and_option_b_a_projection():
    projections = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert parameters(CifarResnet(20, "B")) - parameters(CifarResnet(20, "A")) == projections


@pytest.mark.parametrize(
    ("classifier", "layers"),
    [
        (CifarResnet(32), 32),
        (CifarResnet(56, "B"), 56),
        (CifarResnetV2(20), 20),
        (CifarResnetV2(29, "bottleneck"), 29),
        (CifarVgg(11), 11),
        (CifarVgg(13), 13),
        (CifarVgg(15), 15),
        (CifarVgg(16), 16),
        (CifarVgg(19), 19),
    ],
    ids=spelled,
)
def test_depth_counts_convolutions_and_linear_layers(classifier, layers):
    module = classifier.module(10)
    counted = [
        name
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(counted) == layers


def test_vgg_has_the_features_of_torchvision():
    ours = CifarVgg().module(10).eval().features
    theirs = vgg.make_layers(vgg.cfgs["D"], batch_norm=True).eval()
    shapes = {name: tensor.shape for name, tensor in ours.state_dict().items()}
    assert shapes == {name: tensor.shape for name, tensor in theirs.state_dict().items()}
    ours.load_state_dict(theirs.state_dict())
    x = images()
    with torch.no_grad():
        assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("classifier", "layer", "shape"),
    [
        (CifarResnet(), "layer3.2.relu2", (64, 8, 8)),
        (CifarResnet(shortcut="B"), "layer3.2.relu2", (64, 8, 8)),
        (CifarResnetV2(20), "relu", (64, 8, 8)),
        (CifarResnetV2(29, "bottleneck"), "relu", (256, 8, 8)),
        (CifarVgg(), "features.42", (512, 2, 2)),
    ],
    ids=str,
)
def test_they_are_cut_after_their_last_stage(classifier, layer, shape):
    network = cut_classifier(classifier, randomised(blank_module(classifier, 7)), 7)
    assert network.layer == layer
    assert network.activations(images()).shape == (2, *shape)
    assert network.logits(images()).shape == (2, 7)


@pytest.mark.parametrize("classifier", SMALL, ids=spelled)
def test_cuts_are_exact(classifier):
    module = randomised(blank_module(classifier, 4))
    x = images()
    maps = [point.name for point in cut_points(module, x) if len(point.shape) == 3]
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in classifier.normalisation())
    expected = module((images() - mean) / std)
    for layer in maps[:: 8 if isinstance(classifier, LIKE_DENSE) else 2]:
        network = cut_classifier(dataclasses.replace(classifier, layer=layer), module, 4)
        assert torch.equal(network.logits(images()), expected)


@pytest.mark.parametrize(("layer", "side"), [("features.32", 4), ("features.22", 8)])
def test_vgg_can_be_cut_where_maps_are_larger(layer, side):
    classifier = CifarVgg(layer=layer)
    network = cut_classifier(classifier, randomised(blank_module(classifier, 7)), 7)
    assert network.activations(images()).shape[2:] == (side, side)


def test_every_block_can_be_explained():
    points = dict(p[:2] for p in cut_points(blank_module(CifarResnet(), 10).eval(), images()))
    for stage, shape in ((1, (16, 32, 32)), (2, (32, 16, 16)), (3, (64, 8, 8))):
        for block in range(3):
            assert points[f"layer{stage}.{block}.relu2"] == shape


def test_option_a_keeps_every_second_pixel_and_pads_with_zeros_on_both_sides():
    maps = torch.randn(2, 4, 7, 6, generator=torch.Generator().manual_seed(3))
    made = PaddedIdentity(4, 9, stride=2)(maps)
    slow = torch.zeros(2, 9, 4, 3)
    for channel in range(4):
        for row in range(4):
            for column in range(3):
                slow[:, channel + 2, row, column] = maps[:, channel, 2 * row, 2 * column]
    assert torch.equal(made, slow)


def normed(layer, maps):
    return functional.batch_norm(
        maps, layer.running_mean, layer.running_var, layer.weight, layer.bias
    )


def test_a_residual_network_computes_what_its_paper_says():
    module = randomised(blank_module(CifarResnet(14, "B"), 3)).double()
    x = images().double()
    maps = functional.relu(normed(module.bn1, functional.conv2d(x, module.conv1.weight, padding=1)))
    for stage in (module.layer1, module.layer2, module.layer3):
        for block in stage:
            stride = 2 if block.conv1.weight.shape[0] != maps.shape[1] else 1
            inner = functional.conv2d(maps, block.conv1.weight, stride=stride, padding=1)
            inner = functional.relu(normed(block.bn1, inner))
            inner = normed(block.bn2, functional.conv2d(inner, block.conv2.weight, padding=1))
            kept = maps
            if stride == 2:
                projection, norm = block.shortcut
                kept = normed(norm, functional.conv2d(maps, projection.weight, stride=2))
            maps = functional.relu(inner + kept)
    logits = maps.mean(dim=(2, 3)) @ module.linear.weight.T + module.linear.bias
    torch.testing.assert_close(module(x), logits)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_a_pre_activated_network_computes_what_its_paper_says(block):
    depth = 14 if block == "basic" else 20
    module = randomised(blank_module(CifarResnetV2(depth, block), 3)).double()
    x = images().double()
    maps = functional.conv2d(x, module.conv1.weight, padding=1)
    for place, stage in enumerate((module.layer1, module.layer2, module.layer3)):
        for number, unit in enumerate(stage):
            activated = functional.relu(normed(unit.bn1, maps))
            # "we adopt the first activation right after conv1 and before splitting into two paths"
            kept = activated if number == 0 else maps
            stride = 2 if number == 0 and place > 0 else 1
            if isinstance(unit.shortcut, nn.Conv2d):
                kept = functional.conv2d(activated, unit.shortcut.weight, stride=stride)
            inner = activated
            for layer in unit.residual:
                if isinstance(layer, nn.Conv2d):
                    wide = layer.kernel_size == (3, 3)
                    # of a block's 3×3 convolutions the first is the one that halves the maps
                    halves = stride if wide and inner.shape[-1] == activated.shape[-1] else 1
                    inner = functional.conv2d(
                        inner, layer.weight, stride=halves, padding=1 if wide else 0
                    )
                elif isinstance(layer, nn.BatchNorm2d):
                    inner = functional.relu(normed(layer, inner))
            maps = kept + inner
    maps = functional.relu(normed(module.bn, maps))
    logits = maps.mean(dim=(2, 3)) @ module.linear.weight.T + module.linear.bias
    torch.testing.assert_close(module(x), logits)


@pytest.mark.parametrize("classifier", SMALL, ids=spelled)
def test_every_parameter_learns(classifier):
    module = blank_module(classifier, 4).train()
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    loss = functional.cross_entropy(module(images(8)), torch.arange(8) % 4)
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters())


def test_a_dense_network_hands_all_maps_on():
    module = randomised(blank_module(CifarDenseNet(10, 4), 3))
    x = module.first(images())
    assert torch.equal(module.layers[0](x)[:, : x.shape[1]], x)
    assert module.layers[0](x).shape[1] == x.shape[1] + 4


def test_a_pyramid_widens_by_equal_steps_and_pads_with_zeros_behind():
    module = randomised(blank_module(CifarPyramidNet(20, 18), 3))
    assert [block.residual[-1].num_features for block in module.layers] == list(range(18, 36, 2))
    block, maps = module.layers[3], torch.rand(2, 22, 8, 8)
    shortcut = block(maps) - block.residual(maps)
    torch.testing.assert_close(shortcut[:, :22], functional.avg_pool2d(maps, 2))
    assert shortcut[:, 22:].abs().max() < 1e-6


def test_branches_are_mixed_by_one_share_and_differentiated_by_another():
    first, second = (torch.rand(50, 2, 3, 3, requires_grad=True) for _ in range(2))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mixed = mixture(first, second)
    mixed.sum().backward()
    forward = ((mixed - second) / (first - second)).detach()
    spread = forward.flatten(1).amax(1) - forward.flatten(1).amin(1)
    assert spread.median() < 1e-3  # one share an image
    torch.testing.assert_close(first.grad + second.grad, torch.ones_like(first))
    assert 0 < first.grad.min() < first.grad.max() < 1
    difference = first.grad[:, 0, 0, 0] - forward[:, 0, 0, 0]
    assert difference.abs().median() > 0.05


def test_shaken_branches_count_alike_once_trained():
    module = blank_module(CifarShakeShake(8, 8), 3).eval()
    block, maps = module.layers[0], torch.rand(1, 16, 8, 8)
    expected = block.shortcut(maps) + (block.first(maps) + block.second(maps)) / 2
    assert torch.equal(block(maps), expected)


def test_shortcuts_between_shaken_stages_see_both_halves_of_the_pixels():
    shortcut = blank_module(CifarShakeShake(8, 8), 3).layers[1].shortcut.eval()
    maps = torch.rand(1, 8, 4, 4)
    here, further = shortcut.bn(
        torch.cat([shortcut.here(maps[..., ::2, ::2]), shortcut.further(maps[..., 1::2, 1::2])], 1)
    ).chunk(2, 1)
    torch.testing.assert_close(shortcut(maps), torch.cat([here, further], 1))


def test_larger_images_will_do():
    for classifier in (CifarResnet(8), CifarResnetV2(8), CifarVgg(11), *SMALL[-5:]):
        network = cut_classifier(classifier, randomised(blank_module(classifier, 4)), 4)
        assert network.logits(images(side=96)).shape == (2, 4)


def test_weights_of_others_bring_their_normalisation():
    made = CifarVgg(mean=(0.4914, 0.4822, 0.4465), std=(0.2023, 0.1994, 0.201))
    assert made.normalisation() == ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.201))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CifarResnet(18), r"cifar-resnet: depth is 18; it must be 6n \+ 2, such as 20"),
        (lambda: CifarResnet(2), r"depth is 2; it must be 6n \+ 2, such as 8"),
        (
            lambda: CifarResnetV2(32, "bottleneck"),
            r"cifar-resnet-v2 with bottleneck blocks: depth is 32; it must be 9n \+ 2, such as 29",
        ),
        (lambda: CifarWideResnet(26), r"depth is 26; it must be 6n \+ 4, such as 28"),
        (lambda: CifarWideResnet(width=0), "width is 0; it must be at least 1"),
        (lambda: CifarResnext(groups=0), "groups and width must be at least 1"),
        (lambda: CifarDenseNet(99), r"depth is 99; it must be 6n \+ 4, such as 100"),
        (lambda: CifarPyramidNet(widening=-1), "widening is -1; it cannot be negative"),
        (lambda: CifarShakeShake(width=7), "width is 7; it must be even"),
        (lambda: CifarVgg(17), "depth is 17; VGG has 11, 13, 15, 16, 19"),
        (lambda: CifarVgg(dropout=1.0), "dropout is 1.0; it needs 0 <= dropout < 1"),
    ],
)
def test_networks_of_another_depth_say_which_there_are(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize("cls", [CifarResnet, CifarResnetV2, CifarVgg])
def test_no_library_has_weights_for_32_pixels(cls):
    message = f"{cls.name} has no weights in a library; leave weights empty to train it, or give"
    with pytest.raises(WeightsError, match=message):
        cls(weights="library").module(3)


def said_and_true(realdata, depth, count):
    classifier = CifarResnet(depth)
    module = classifier.module(10)
    path = realdata / "cifar10_resnets" / FILES[depth]
    load_state(module, read_state(path), str(path))
    network = cut_classifier(classifier, module, 10)
    with np.load(realdata / "cifar10" / "train_first4000_lossless.npz") as archive:
        shown = torch.from_numpy(archive["images"][:count]).permute(0, 3, 1, 2)
        labels = torch.from_numpy(archive["labels"][:count])
    found = [network.logits(chunk / 255).argmax(dim=1) for chunk in shown.split(100)]
    return torch.cat(found), labels


@pytest.mark.realdata
@pytest.mark.parametrize("depth", [32, 44, 56])
def test_published_checkpoints_load_as_they_are(realdata, depth):
    found, labels = said_and_true(realdata, depth, 200)
    assert torch.equal(found, labels)


@pytest.mark.realdata
def test_resnet_20_knows_the_images_that_it_was_trained_with(realdata):
    found, labels = said_and_true(realdata, 20, 2000)
    assert int((found == labels).sum()) == 1997  # 99.85 %


def test_checkpoints_of_another_depth_are_refused(tmp_path):
    torch.save({"state_dict": CifarResnet(20).module(10).state_dict()}, tmp_path / "r20.th")
    with pytest.raises(WeightsError, match="do not fit Resnet: 60 missing"):
        load_state(CifarResnet(32).module(10), read_state(tmp_path / "r20.th"), "r20.th")
