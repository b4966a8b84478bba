"""Ratios of two pieces of work, measured in turn in one run."""

import statistics
import time

import pytest


@pytest.fixture
def ratio(benchmark):
    """Measures `work` against `unit`, A B A B …, and reports the median ratio of pairs."""

    def measure(work, unit, rounds=7):
        work(), unit()  # warm both up
        pairs = []
        for _ in range(rounds):
            pairs.append((_seconds(work), _seconds(unit)))
        ratios = [a / b for a, b in pairs]
        benchmark.extra_info["ratio"] = {
            "median": statistics.median(ratios),
            "min": min(ratios),
            "max": max(ratios),
            "rounds": rounds,
        }
        benchmark.pedantic(work, rounds=1)
        print(f"\nratio {statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]")
        return statistics.median(ratios)

    return measure


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
