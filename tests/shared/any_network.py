"""What becomes of a network that somebody brings: one line."""

import warnings
from collections.abc import Callable, Iterator

import timm
import torch
import torchvision
from torch import nn

from tests.shared import awkward_networks as awkward
from tests.shared.awkward_networks import SIDE
from xbench import XbenchError
from xbench.networks import (
    adapted,
    check_outputs,
    head_layer,
    unwrapped,
    whole_module,
    with_output,
)


def outcome(module: nn.Module, classes: int, side: int) -> str:
    """Where it is cut exactly, or that it runs whole and why, or the line that refuses it."""
    network = whole_module(adapted(module, side), classes=classes, size=side, name="it")
    try:
        said = check_outputs(network, (side, side))
    except XbenchError as refusal:
        return f"refused: {refusal}"
    try:
        network.cut()
    except XbenchError as refusal:
        return "; ".join([f"runs whole: {refusal}", *said])
    rows, columns = network.grid
    where = f"cut at `{network.layer}` ({rows} × {columns})"
    return "; ".join([where, *said, *network.notes])


CLASSES = 8
AWKWARD: dict[str, Callable[[], nn.Module]] = {
    "branches on values": lambda: awkward.Branching(CLASSES),
    "asserts a size": lambda: awkward.AssertsItsSize(CLASSES),
    "unpacks `n, c, h, w = x.shape`": lambda: awkward.UnpacksItsShape(CLASSES),
    "assigns to items": lambda: awkward.AssignsItems(CLASSES),
    "adds in place": lambda: awkward.AddsInPlace(CLASSES),
    "has a backward pass of its own": lambda: awkward.OwnBackward(CLASSES),
    "uses `torch.no_grad()` inside": lambda: awkward.WithoutGradients(CLASSES),
    "detaches its images": lambda: awkward.Detached(CLASSES),
    "keeps its channels last": lambda: awkward.ChannelsLast(CLASSES),
    "switches autocast on": lambda: awkward.Autocast(CLASSES),
    "recomputes by checkpoints": lambda: awkward.Checkpointing(CLASSES),
    "uses weights twice": lambda: awkward.SharedWeights(CLASSES),
    "has spectral norm": lambda: awkward.spectral_norm(CLASSES),
    "subtracts the mean of the batch": lambda: awkward.BatchNormalised(CLASSES),
    "gives one logit": lambda: awkward.plain(1),
    "gives a logit too many": lambda: awkward.plain(CLASSES + 1),
    "gives probabilities": lambda: awkward.Probabilities(CLASSES),
    "returns a dictionary": lambda: awkward.Dictionary(CLASSES),
    'the same, `output = "logits"`': lambda: with_output(awkward.Dictionary(CLASSES), "logits"),
    "returns a tuple": lambda: awkward.Pair(CLASSES),
    'the same, `output = "1"`': lambda: with_output(awkward.Pair(CLASSES), "1"),
    "wants more than images": lambda: awkward.ExtraArgument(CLASSES),
    "is in half precision": lambda: awkward.plain(CLASSES).half(),
    "is in bfloat16": lambda: awkward.plain(CLASSES).bfloat16(),
    "is in double precision": lambda: awkward.plain(CLASSES).double(),
    "has lazy layers": lambda: awkward.lazy(CLASSES),
    "takes one channel": lambda: awkward.grey(CLASSES),
    "is in `nn.DataParallel`": lambda: nn.DataParallel(awkward.plain(CLASSES)),
    "is in `torch.compile`": lambda: awkward.compiled(CLASSES),
    "is a TorchScript program": lambda: awkward.scripted(CLASSES),
    "is an exported program": lambda: awkward.exported(CLASSES),
    "is quantised dynamically": lambda: awkward.quantised(CLASSES),
    "sums a wide layer over groups": lambda: awkward.GroupReadout(CLASSES),
    "averages two heads": lambda: awkward.TwoHeads(CLASSES),
    "has a head of three layers": lambda: awkward.DeepHead(CLASSES),
    "is fully convolutional": lambda: awkward.Fully(CLASSES),
}
"""Modules of one's own, by what is awkward about them."""


def awkward_rows() -> Iterator[tuple[str, str, str]]:
    """Of each awkward module: what it is, its head, and what becomes of it."""
    for name, make in AWKWARD.items():
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated programs
            torch.manual_seed(0)
            module = make()
            yield name, head_layer(unwrapped(module), CLASSES), outcome(module, CLASSES, SIDE)


LIBRARY = (
    ("torchvision:alexnet", 96),
    ("torchvision:vgg16_bn", 64),
    ("torchvision:resnet50", 64),
    ("torchvision:densenet121", 64),
    ("torchvision:squeezenet1_1", 64),
    ("torchvision:mobilenet_v2", 64),
    ("torchvision:mobilenet_v3_small", 64),
    ("torchvision:shufflenet_v2_x0_5", 64),
    ("torchvision:mnasnet0_5", 64),
    ("torchvision:efficientnet_b0", 64),
    ("torchvision:regnet_y_400mf", 64),
    ("torchvision:convnext_tiny", 64),
    ("torchvision:swin_t", 64),
    ("torchvision:vit_b_16", 224),
    ("timm:resnet18", 64),
    ("timm:repvgg_a0", 64),
    ("timm:res2net50_14w_8s", 64),
    ("timm:ghostnet_100", 64),
    ("timm:convnext_atto", 64),
    ("timm:efficientnet_b0", 64),
    ("timm:efficientvit_b0", 64),
    ("timm:mobilenetv3_small_050", 64),
    ("timm:mobilevit_xxs", 64),
    ("timm:regnetx_002", 64),
    ("timm:nfnet_l0", 64),
    ("timm:dla34", 64),
    ("timm:hrnet_w18_small", 64),
    ("timm:maxvit_rmlp_pico_rw_256", 256),
    ("timm:swin_tiny_patch4_window7_224", 224),
    ("timm:vit_tiny_patch16_224", 224),
    ("timm:deit_tiny_distilled_patch16_224", 224),
    ("timm:mixer_s32_224", 224),
    ("timm:resmlp_12_224", 224),
    ("timm:levit_128s", 224),
    ("timm:mambaout_femto", 64),
    ("timm:poolformer_s12", 64),
    ("timm:pit_ti_224", 224),
    ("timm:xcit_nano_12_p16_224", 224),
    ("timm:tnt_s_patch16_224", 224),
    ("timm:edgenext_xx_small", 64),
)
"""Networks of libraries, with the side of the images that they are tried on."""


def library_row(name: str, side: int) -> tuple[str, str, str]:
    """Of a network of a library, with random weights: name, head, and what becomes of it."""
    library, _, architecture = name.partition(":")
    maker = torchvision.models.get_model if library == "torchvision" else timm.create_model
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = maker(architecture, num_classes=CLASSES)
    return f"{name}, {side} px", head_layer(module, CLASSES), outcome(module, CLASSES, side)
