"""What the benchmarks of studies ask people about."""

import pytest

from xbench import load_benchmark


@pytest.mark.parametrize("name", ["wrong-label-1", "wrong-label-2"])
def test_networks_of_photographs_are_asked_as_they_are(name):
    benchmark = load_benchmark(name)
    for line in benchmark.lines:
        entry = next(iter(benchmark.entries(line)))
        assert entry.training.epochs == 0


def test_the_two_experiments_take_other_mistakes():
    one, two = (load_benchmark(f"wrong-label-{number}").protocol.design for number in (1, 2))
    assert one.share[1] == two.share[1]
    assert one.share[0] != two.share[0]
