"""The public modules: their names, what importing them costs, and who may import what."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import xbench
from xbench.components.registry import KINDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(xbench.__file__).parent
STUBS = sorted(PACKAGE.rglob("*.pyi"))
CORE = sorted(PACKAGE.rglob("*.py"))
OUTSIDE = [
    path
    for folder in ("plugins", "tests", "benchmarks", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if not path.is_relative_to(ROOT / "tests" / "xbench")
]
HISTORY = {"changelog.md", "decisions.md"}
PAGES = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in HISTORY]


def module_of(stub):
    parts = stub.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


DOOR = {module_of(stub): stub for stub in STUBS}


def homes(stub):
    """The module that each name of a stub comes from."""
    nodes = ast.parse(stub.read_text()).body
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {alias.asname: (node.module, alias.name) for node in imports for alias in node.names}


def imported(tree):
    """Modules that are imported anywhere: in functions and for type checkers as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_these_are_the_public_modules():
    assert {"xbench", "xbench.commands", "xbench.kernels", "xbench.networks"} <= DOOR.keys()
    assert "xbench.testing" in DOOR


@pytest.mark.parametrize("module", DOOR)
def test_a_module_has_the_names_of_its_stub_and_no_others(module):
    found = import_module(module)
    assert sorted(homes(DOOR[module])) == found.__all__ == dir(found)


@pytest.mark.parametrize("module", DOOR)
def test_a_name_is_what_its_home_calls_so(module):
    for name, (home, original) in homes(DOOR[module]).items():
        assert name == original
        assert getattr(import_module(module), name) is getattr(import_module(home), name)


@pytest.mark.parametrize("module", DOOR)
def test_no_name_is_that_of_a_module_in_the_same_folder(module):
    # importing the module would put it in the place of the name
    # (the one that can be called is the name and the module at once)
    if DOOR[module].name == "__init__.pyi":
        beside = {path.stem for path in DOOR[module].parent.iterdir()} - {"components"}
        assert not beside & homes(DOOR[module]).keys()


def test_the_room_of_components_is_the_function_of_this_name():
    assert callable(xbench.components)
    assert xbench.components is import_module("xbench.components")
    assert "local" in xbench.components("executor")


def test_the_version_is_public():
    assert re.match(r"\d+\.\d+", xbench.__version__)


def test_importing_the_door_imports_nothing_heavy():
    heavy = {"torch", "torchvision", "timm", "numpy", "matplotlib", "pyarrow"}
    code = f"import sys, {', '.join(DOOR)}; print(sorted({heavy} & sys.modules.keys()))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"[]"]


@pytest.mark.parametrize("module", DOOR)
def test_a_wrong_name_is_refused_and_the_module_is_named(module):
    with pytest.raises(AttributeError, match=f"module '{module}' has no attribute 'nothing'"):
        import_module(module).nothing  # noqa: B018
    with pytest.raises(ImportError, match=f"cannot import name 'nothing' from '{module}'"):
        exec(f"from {module} import nothing")  # noqa: S102


@pytest.mark.parametrize("module", DOOR)
def test_all_names_can_be_imported_at_once(module):
    names = {}
    exec(f"from {module} import *", names)  # noqa: S102
    assert sorted(names.keys() - {"__builtins__"}) == sorted(homes(DOOR[module]))


@pytest.mark.parametrize("path", CORE, ids=str)
def test_nothing_in_the_core_imports_from_the_door(path):
    modules = set(imported(ast.parse(path.read_text())))
    assert not modules & DOOR.keys()
    assert not [module for module in modules if module.startswith(".")]


def test_only_the_registry_names_public_classes_in_strings():
    named = {cls for _, cls in KINDS.values() if cls.startswith("xbench:")}
    assert {cls.removeprefix("xbench:") for cls in named} <= homes(DOOR["xbench"]).keys()
    for path in CORE:
        found = set(re.findall(r"\"(xbench[\w.]*:\w+)\"", path.read_text()))
        assert found == (named if path.name == "registry.py" else set()), path


@pytest.mark.skipif(not (ROOT / "plugins").is_dir(), reason="the source tree is not here")
@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_whoever_is_outside_of_the_core_imports_from_the_door(path):
    modules = set(imported(ast.parse(path.read_text())))
    core = {module for module in modules if module.partition(".")[0] == "xbench"}
    assert core <= DOOR.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_docs_name_no_module_of_the_core_but_the_public_ones(page):
    public = DOOR.keys() | {f"xbench.{name}" for name in homes(DOOR["xbench"])}
    assert set(re.findall(r"\bxbench\.\w+", page.read_text())) <= public
