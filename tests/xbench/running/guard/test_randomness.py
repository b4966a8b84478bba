"""Global random generators belong to a block, and are after it what they were."""

import random

import numpy as np
import pytest
import torch

from xbench.running.guard.randomness import own_randomness


def draws():
    return random.random(), random.gauss(0, 1), np.random.rand(), torch.rand(()).item()  # noqa: S311, NPY002


def test_what_is_drawn_in_a_block_depends_on_its_seed_alone():
    with own_randomness(7):
        first = draws()
    draws()
    with own_randomness(7):
        assert draws() == first
    with own_randomness(2**62):
        assert not set(draws()) & set(first)


def test_what_is_drawn_after_a_block_is_what_would_have_been_drawn_without_it():
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    expected = draws()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    with own_randomness(7):
        draws()
    assert draws() == expected


def test_a_block_that_draws_is_not_told_of():
    told = []
    with own_randomness(7, say_reseeded=told.append):
        for _ in range(2000):
            draws()
    assert told == []


@pytest.mark.parametrize(
    ("seed", "name"),
    [
        (lambda: random.seed(0), "random.seed"),
        (lambda: np.random.seed(0), "numpy.random.seed"),  # noqa: NPY002
        (lambda: torch.manual_seed(0), "torch.manual_seed"),
        (lambda: torch.random.manual_seed(0), "torch.manual_seed"),
    ],
)
def test_a_block_that_seeds_a_generator_is_told_of_once_and_changes_nothing(seed, name):
    told = []
    torch.manual_seed(3)
    expected = draws()[-1]
    torch.manual_seed(3)
    with own_randomness(7, say_reseeded=told.append):
        seed(), seed()
    assert told == [name]
    assert draws()[-1] == expected
    assert random.seed.__self__ is random._inst


def test_generators_are_restored_after_an_error():
    state, seed = random.getstate(), random.seed
    with pytest.raises(ZeroDivisionError), own_randomness(7):
        draws()[0] / 0
    assert random.getstate() == state
    assert random.seed == seed


def test_a_block_within_a_block_is_no_seed_that_is_told_of():
    told = []
    with own_randomness(7, say_reseeded=told.append):
        first = draws()
        with own_randomness(8, say_reseeded=told.append):
            draws()
        second = draws()
    assert told == []
    with own_randomness(7):
        assert (draws(), draws()) == (first, second)
