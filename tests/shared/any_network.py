"""What becomes of a network that somebody brings: one line."""

import warnings
from collections.abc import Callable, Iterator

import torch
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
    return "; ".join([f"cut at `{network.layer}`", *said, *network.notes])


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
