"""What the benchmarks of studies ask people about."""

import pytest

from xbench import load_benchmark


@pytest.mark.parametrize("name", ["wrong-label-1", "wrong-label-2"])
def test_networks_of_photographs_are_asked_as_they_are(name):
    benchmark = load_benchmark(name)
    for line in benchmark.lines:
        entry = next(iter(benchmark.entries(line)))
        assert entry.training.epochs == 0
