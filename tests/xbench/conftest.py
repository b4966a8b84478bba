"""What the tests of the core share."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def web() -> ModuleType:
    """The module that serves files badly."""
    place = Path(__file__).parent / "files" / "web.py"
    specification = importlib.util.spec_from_file_location("web", place)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
