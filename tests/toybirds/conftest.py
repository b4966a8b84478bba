"""A few images of toybirds, drawn once."""

import pytest

from xbench_toybirds.dataset import Toybirds


@pytest.fixture(scope="session")
def birds():
    """The dataset with its defaults."""
    return Toybirds()
