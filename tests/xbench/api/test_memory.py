"""Memory, estimated before work."""

import pytest
import torch

from awkward_networks import Detached, plain
from xbench.api.photos import memory
from xbench.errors import UsageError
from xbench.networks.loading import whole_module


def network(module):
    return whole_module(module, classes=4, size=16)


def test_a_larger_image_needs_more_in_proportion():
    whole = network(plain(4))
    small, large = (memory.bytes_per_pixel(whole, side) for side in (32, 128))
    assert small == pytest.approx(large, rel=0.2)
    assert large > 4 * 8  # the first layer alone has eight channels of floats


def test_weights_do_not_count():
    thin, wide = torch.nn.Sequential(plain(4)), torch.nn.Sequential(plain(4))
    wide.append(torch.nn.Linear(4, 2_000_000, bias=False)).append(torch.nn.Linear(2_000_000, 4))
    difference = memory.bytes_per_pixel(network(wide), 64) - memory.bytes_per_pixel(
        network(thin), 64
    )
    assert difference * 64 * 64 < 4 * 2_000_000


def test_a_network_without_gradients_has_a_least_estimate():
    assert memory.bytes_per_pixel(network(Detached(4)), 16) >= memory.BLANK * 3 * 4


def test_batches_fit_or_one_line_says_what_to_do():
    assert memory.batch_that_fits(32, 10.0, (10, 10), None, "net") == 32
    assert memory.batch_that_fits(32, 10.0, (10, 10), 10_000_000, "net") == 32
    assert memory.batch_that_fits(32, 10.0, (10, 10), 3_000, "net") == 2
    with pytest.raises(UsageError) as refused:
        memory.batch_that_fits(32, 1e4, (6000, 8000), 10_000_000_000, "net")
    assert str(refused.value) == (
        "one image of 8000×6000 pixels needs about 480 GB in net, and 7.0 GB can be had; fit "
        "photos to fewer pixels (--size 224, size=224), or take another device"
    )


def test_what_is_free_is_known_here():
    free = memory.available_bytes(torch.device("cpu"))
    assert free is None or free > 0
