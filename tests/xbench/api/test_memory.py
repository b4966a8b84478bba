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
    values, weights = 4 * 2_000_000, 2 * 4 * 4 * 2_000_000
    assert difference * 64 * 64 < 2 * values < weights


def test_a_network_without_gradients_has_a_least_estimate():
    assert memory.bytes_per_pixel(network(Detached(4)), 16) >= memory.IMAGES * 3 * 4


@pytest.mark.parametrize("inside", [False, True])
def test_the_estimate_is_near_what_one_larger_image_takes(inside):
    """Tensors that live at once are counted apart; a process's memory is too noisy for so small."""
    whole = network(plain(4)).cut()
    small = memory.bytes_per_pixel(whole, 16, inside=inside)
    large = memory.bytes_per_pixel(whole, 512, inside=inside)
    assert 2 / 3 < small / large < 3 / 2
    image = torch.rand(1, 3, 512, 512, requires_grad=True)
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        whole.module(image * 1)
    assert large > (1 if not inside else 0.2) * sum(kept.values()) / 512**2


def test_a_gradient_of_the_part_after_the_cut_takes_less_than_one_of_all():
    whole = network(plain(4)).cut()
    part, every = (memory.bytes_per_pixel(whole, 128, inside=inside) for inside in (True, False))
    assert part < every


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
