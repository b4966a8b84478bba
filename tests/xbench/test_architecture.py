"""The code base keeps to its own rules."""

import ast
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from xbench.components.registry import KINDS
from xbench.interfaces import hookspecs

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "xbench").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))

pytestmark = pytest.mark.skipif(not CORE, reason="the source tree is not here")

ROOMS = (
    "errors exports randomness kernels interfaces components files networks training benchmark "
    "results running reports api testing cli"
)
"""The rooms in order: each imports only from those before it, and from itself."""
MOST_LINES, MOST_MODULES = 40, 16
"""Of a function, of a folder."""


def tool(name):
    """A module of `tools/`, which is no package."""
    place = ROOT / "tools" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, place)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


rooms = tool("rooms")
KNOWN = rooms.modules()
IMPORTS = rooms.imports(KNOWN)


def house(folder, files):
    """A tree of sources: the text of each module."""
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for parent in path.relative_to(folder).parents[:-1]:
            (folder / parent / "__init__.py").touch()
    known = rooms.modules(folder)
    return known, rooms.imports(known)


def test_the_core_consists_of_these_rooms_in_this_order():
    assert tuple(ROOMS.split()) == rooms.ROOMS
    own = {path.relative_to(ROOT / "xbench").parts[0].removesuffix(".py") for path in CORE}
    assert own == {*rooms.ROOMS, *rooms.DOORS, "__init__", "__main__"}


def test_no_import_runs_upwards_between_rooms():
    assert rooms.upward(IMPORTS) == []


def test_no_imports_form_a_circle():
    assert rooms.circles(IMPORTS, KNOWN) == []


@pytest.mark.parametrize(
    "text",
    [
        "from xbench.running.store import Store",
        "import xbench.running.store",
        "from xbench.running import store",
        "def f():\n    from xbench.running.store import Store",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import xbench.running.store",
        "from xbench import Store",
    ],
)
def test_an_import_of_a_later_room_or_of_the_door_is_found_wherever_it_stands(tmp_path, text):
    files = {"xbench/interfaces/loss": text, "xbench/running/store": ""}
    _, found = house(tmp_path, files)
    assert [one.of for one in rooms.upward(found)] == ["xbench.interfaces.loss"]
    back = {"xbench/interfaces/loss": "", "xbench/running/store": "import xbench.interfaces.loss"}
    _, found = house(tmp_path, back)
    assert rooms.upward(found) == []


INSIDE = "def draw():\n    from {} import B"
TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from {} import B"


@pytest.mark.parametrize(
    ("text", "other", "circle"),
    [
        ("from {} import B", "plugins/p/b", True),
        (TYPES, "plugins/p/b", True),
        (INSIDE, "plugins/p/b", False),
        (INSIDE, "plugins/p/pictures/b", True),
    ],
)
def test_a_circle_is_found_but_for_functions_in_one_folder(tmp_path, text, other, circle):
    name = other.removeprefix("plugins/").replace("/", ".")
    files = {"plugins/p/a": text.format(name), other: "from p.a import A"}
    known, found = house(tmp_path, files)
    assert rooms.circles(found, known) == ([["p.a", name]] if circle else [])


def test_no_folder_is_crowded():
    counts = Counter(path.parent for path in [*CORE, *PLUGINS])
    assert {folder: n for folder, n in counts.items() if n > MOST_MODULES} == {}


def test_functions_stay_small():
    nodes = [node for path in [*CORE, *PLUGINS] for node in ast.walk(ast.parse(path.read_text()))]
    functions = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lines = sorted(node.end_lineno - node.lineno + 1 for node in functions)
    assert lines[-1] <= MOST_LINES
    assert lines[len(lines) // 2] <= 6
    assert lines[len(lines) * 9 // 10] <= 15


def test_the_picture_of_the_rooms_is_drawn_from_these_imports():
    picture = tool("rooms_picture")
    stale = "run python tools/rooms_picture.py"
    assert picture.PICTURE.read_text() == picture.picture(), stale


def imports(path):
    """Modules that a file imports when it is imported."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


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
