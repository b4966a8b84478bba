"""Tests keep to the number of threads that they were given, one unless told otherwise."""

import os
import subprocess
import sys

import pytest
import torch


def test_tests_use_the_number_of_threads_that_was_asked_for():
    assert torch.get_num_threads() == int(os.environ.get("XBENCH_TEST_THREADS") or 1)


@pytest.mark.slow
def test_a_program_that_a_test_starts_uses_as_many_threads():
    count = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
    printed = subprocess.run(count, capture_output=True, text=True, check=True).stdout
    assert int(printed) == torch.get_num_threads()
