"""Resizing maps in one order of sums, in resizings by torch's own interpolation.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_resized_maps.py -s
"""

import pytest
import torch
from torch.nn import functional

from xbench.kernels import resized_maps

ALLOWED, TIMES = 1.3, 200


@pytest.mark.parametrize("maps", [1, 3, 10])
@pytest.mark.parametrize(("cells", "side"), [(12, 96), (14, 224)])
def test_resized_maps_against_interpolation(ratio, maps, cells, side):
    torch.set_num_threads(1)
    given, size = torch.rand(maps, cells, cells), (side, side)

    def work():
        for _ in range(TIMES):
            resized_maps(given, size)

    def unit():
        for _ in range(TIMES):
            functional.interpolate(given[None], size, mode="bilinear", align_corners=False)

    assert ratio(work, unit, rounds=15) < ALLOWED
