"""Networks as people bring them: each gives a picture or one line."""

import warnings

import pytest
import torch

from tests.shared.any_network import AWKWARD, LIBRARY
from xbench.api.photos.explaining import explain
from xbench.api.photos.given_networks import load_classifier
from xbench.errors import XbenchError

LARGE = (
    *("torchvision:vit_b_16", "timm:maxvit_rmlp_pico_rw_256", "timm:swin_tiny_patch4_window7_224"),
    *("timm:resmlp_12_224", "timm:hrnet_w18_small", "timm:res2net50_14w_8s"),
)
"""Networks of which a smaller one of the kind is among the others; that they are cut, or not, is
tested with all of them."""


def outcome(module, side):
    """A picture's size in bytes, or the line that refuses it."""
    try:
        result = explain(module, torch.rand(3, side, side), size=side)
    except XbenchError as refused:
        return str(refused)
    return len(result[0].png(40))


@pytest.mark.parametrize("name", AWKWARD)
def test_a_module_of_ones_own_gives_a_picture_or_one_line(name):
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated programs
        torch.manual_seed(0)
        found = outcome(AWKWARD[name](), 16)
    assert (found > 1000) if isinstance(found, int) else (found and "\n" not in found), found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "side"), [one for one in LIBRARY if one[0] not in LARGE])
def test_a_network_of_a_library_gives_a_picture_or_one_line(name, side):
    size = None if side >= 224 else side
    loaded = load_classifier(name, weights="random", size=size)
    assert len(loaded.class_names) >= 1000
    assert not loaded.class_names[0].isdigit()
    found = outcome(loaded.network.module.network, side)
    assert (found > 1000) if isinstance(found, int) else (found and "\n" not in found), found
