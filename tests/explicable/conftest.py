"""Datasets of nothing but class names, and what people said of them."""

import pytest

from small_datasets import Judged, Named, Treed


@pytest.fixture
def named():
    """Makes a dataset with these class names."""
    return lambda *names: Named(tuple(names))


@pytest.fixture
def treed():
    """Makes a dataset whose classes have these ancestors, nearest first."""
    return lambda ancestors: Treed(
        tuple(ancestors), ancestors=tuple(map(tuple, ancestors.values()))
    )


@pytest.fixture
def judged():
    """Makes a dataset of these counts and labels."""
    return lambda names, counts, truth: Judged(
        tuple(names), counts=tuple(map(tuple, counts)), truth=tuple(truth)
    )
