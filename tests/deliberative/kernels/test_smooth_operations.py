"""Operations by parts compute what torch's own compute."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from xbench_deliberative.kernels.smooth_operations import SmoothOperations

CALLS = {
    "layer norm": lambda x: functional.layer_norm(x, (4,)),
    "layer norm with weights": lambda x: functional.layer_norm(
        x, x.shape[2:], x[0, 0], x[0, 1], 1e-3
    ),
    "torch's layer norm": lambda x: torch.layer_norm(x, (4,), x[0, 0, 0], None, 1e-5),
    "instance norm": functional.instance_norm,
    "instance norm with weights": lambda x: functional.instance_norm(
        x, weight=x[0, :, 0, 0], bias=x[0, :, 1, 1], eps=1e-3
    ),
    "instance norm of statistics": lambda x: functional.instance_norm(
        x, x[0, :, 0, 0], x[0, :, 0, 1].exp(), use_input_stats=False
    ),
    "torch's instance norm": lambda x: torch.instance_norm(
        x, None, None, None, None, True, 0.1, 1e-3, False
    ),
    "hard sigmoid": lambda x: functional.hardsigmoid(4 * x),
    "glu": functional.glu,
    "glu of channels": lambda x: functional.glu(x, 1),
    "a layer": nn.InstanceNorm2d(2),
    "what has no other form": lambda x: functional.gelu(x).softmax(1),
}


@pytest.mark.parametrize("name", CALLS)
@given(st.integers(0, 1000))
def test_operations_by_parts_equal_torch_s(name: str, seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    values = torch.randn(2, 2, 3, 4, generator=source, dtype=torch.float64)
    wanted = CALLS[name](values)
    with SmoothOperations():
        found = CALLS[name](values)
    assert torch.allclose(found, wanted, atol=1e-12)
