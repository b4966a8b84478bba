"""The code base keeps to its own rules."""

import ast
import re
from pathlib import Path

import pytest

from xbench.components.registry import KINDS
from xbench.interfaces import hookspecs

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "xbench").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))

pytestmark = pytest.mark.skipif(not CORE, reason="the source tree is not here")

FLOW = [
    "errors hookspecs component registry randomness home progress columns",
    "annotation transform specification declaration published",
    "archive pickles",
    "download",
    "dataset artefact",
    "sheet",
    "loss similarity tracing weights photos",
    "cut linearity",
    "classifier",
    "network readout",
    "difficulty attribution explanation executor augmentation",
    "training fitting",
    "protocol",
    "statistics benchmark record",
    "store",
    "outcome results",
    "runner",
    "explaining testing scaffold page report",
    "cli",
]
"""The flow, from the first link to the last: a module imports from its own line or above."""


def imports(path, *, type_checking=False):
    """Modules that a file imports when it is imported, or anywhere with `type_checking`."""
    tree = ast.parse(path.read_text())
    for node in tree.body if not type_checking else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(path):
    parts = path.relative_to(ROOT / "xbench").parts
    return parts[0].removesuffix(".py")


def rank(name):
    return next((i for i, line in enumerate(FLOW) if name in line.split()), None)


@pytest.mark.parametrize(
    "path", [p for p in CORE if room(p) not in ("__init__", "__main__")], ids=str
)
def test_imports_go_only_along_the_flow(path):
    own = rank(room(path))
    if room(path) == "kernels":
        assert not [m for m in imports(path) if m.startswith("xbench") and "kernels" not in m]
        return
    assert own is not None, f"{room(path)} has no place in the flow"
    for module in imports(path):
        if module.startswith("xbench."):
            other = module.split(".")[1]
            assert other == "kernels" or rank(other) is None or rank(other) <= own, module


@pytest.mark.parametrize("path", CORE, ids=str)
def test_the_core_names_no_method_no_dataset_and_no_paper(path):
    names = r"deliberative|insecurit|\bces\b|cifar10|cub200|ade20k|toybirds|wordnet|metashift"
    assert not re.findall(names, path.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("path", PLUGINS, ids=str)
def test_plugins_are_light_to_import(path):
    if path.name == "__init__.py":
        heavy = {"torch", "torchvision", "timm", "captum", "matplotlib", "numpy"}
        assert not heavy.intersection(m.split(".")[0] for m in imports(path))


@pytest.mark.parametrize("path", [*CORE, *PLUGINS], ids=str)
def test_files_stay_under_400_lines(path):
    assert len(path.read_text().splitlines()) < 400


@pytest.mark.parametrize("path", [*CORE, *PLUGINS], ids=str)
def test_functions_stay_under_50_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 50, node.name


@pytest.mark.parametrize("path", [*CORE, *PLUGINS], ids=str)
def test_no_file_is_named_for_nothing(path):
    assert path.stem not in {
        "utils",
        "util",
        "helpers",
        "helper",
        "base",
        "common",
        "misc",
        "manager",
    }


def test_every_kind_has_a_hook_and_every_hook_a_kind():
    hooks = {name for name in vars(hookspecs) if name.startswith("register_")}
    assert hooks == {hook for hook, _ in KINDS.values()}


def test_every_hook_says_in_one_line_what_it_returns():
    for hook, _ in KINDS.values():
        text = getattr(hookspecs, hook).__doc__
        assert text.startswith("Return ")
        assert "\n" not in text


def test_every_hook_is_documented():
    page = (ROOT / "docs" / "plugins.md").read_text()
    for hook, _ in KINDS.values():
        assert f"`{hook}`" in page, hook


@pytest.mark.parametrize("file", ["pyproject.toml", "xbench_brightness.py"])
def test_the_plugin_in_the_docs_is_the_one_that_is_tested(file):
    page = (ROOT / "docs" / "plugins.md").read_text()
    assert (ROOT / "tests" / "example_plugin" / file).read_text() in page
