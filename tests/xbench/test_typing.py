"""Code from outside passes `mypy --strict` against the package as it is installed."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import xbench
from xbench.components.scaffold import write_plugin
from xbench.testing.conformance.suite import faults_in

pytestmark = pytest.mark.slow

MISTAKES = {
    'name: ClassVar[str] = "squares"': "name: ClassVar[str] = 5",
    "def input_size(self) -> int:": "def input_size(self) -> str:",
    "def readout(self, network: Network, artefacts: Artefacts)": "def readout(self, network: int)",
    "return Readout(network.bottom, network.top, doubt)": "return Readout(network.top, doubt)",
    "annotated(dataset, ClassHierarchy)": "annotated(dataset, Contexts)",
    'CaseScores("share", "higher",': 'CaseScores("share", "upward",',
    "    per_image,\n": "    per_image,\n    no_such_name,\n",
    "def share(spot: Spot) -> float:": "def share(spot):",
    "makes: ClassVar[type[Explanation]] = Spot": "makes: ClassVar[type[Explanation]] = Even",
    "return [InTurn]": "return [Spots]",
    'print_table("Kinds",': "print_table(5,",
}
"""What stands in the plugin of every kind, and a mistake to put in its place."""

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """Calls `mypy --strict` in an empty folder, and gives what it prints."""
    folder = tmp_path_factory.mktemp("mypy")
    command = [sys.executable, "-W", "error", "-m", "mypy", "--strict", "--config-file="]
    environment = {key: value for key, value in os.environ.items() if key != "MYPYPATH"}

    def call(paths):
        arguments = ["--cache-dir", str(folder), *map(str, paths)]
        run = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
        called = subprocess.run([*command, *arguments], check=False, **run)
        assert not called.stderr
        return called.stdout

    return call


def programs(project, folder):
    """Files with the Python blocks of the README and the docs, by the name of their page."""
    for page in [project / "README.md", *sorted((project / "docs").glob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(BLOCK.findall(text)):
            path = folder / f"{page.stem.replace('-', '_')}_{number}.py"
            path.write_text(block, encoding="utf-8")
            yield path, text


def copied(path, folder):
    """A copy of a file, away from its neighbours."""
    return shutil.copy(path, folder / path.name)


def test_plugins_and_what_the_docs_show_pass(strict, project, tmp_path):
    blocks = [path for path, _ in programs(project, tmp_path)]
    assert {"plugins_0", "classifiers_1", "saliency_0"} <= {path.stem for path in blocks}
    plugins = [
        copied(project / "tests" / "typing" / "every_kind.py", tmp_path),
        copied(project / "tests" / "example_plugin" / "xbench_brightness.py", tmp_path),
        write_plugin("my-score", tmp_path) / "my_score.py",
    ]
    count = len(blocks) + len(plugins)
    found = strict([*blocks, *plugins])
    assert found == f"Success: no issues found in {count} source files\n"


def test_each_mistake_in_a_plugin_is_found(strict, project, tmp_path):
    right = (project / "tests" / "typing" / "every_kind.py").read_text()
    paths = [tmp_path / f"mistake_{number}.py" for number in range(len(MISTAKES))]
    for path, (part, mistake) in zip(paths, MISTAKES.items(), strict=True):
        assert right.count(part) == 1, part
        path.write_text(right.replace(part, mistake))
    found = strict(paths)
    for path, mistake in zip(paths, MISTAKES.values(), strict=True):
        assert f"{path.name}:" in found, mistake


def test_public_names_have_types(strict, tmp_path):
    package = Path(xbench.__file__).parent
    stubs = [path.relative_to(package.parent) for path in package.rglob("*.pyi")]
    modules = [".".join(stub.with_suffix("").parts).removesuffix(".__init__") for stub in stubs]
    names = [f"{module}.{name}" for module in modules for name in import_module(module).__all__]
    lines = [f"import {', '.join(modules)}", *(f"reveal_type({name})" for name in names)]
    program = tmp_path / "program.py"
    program.write_text("\n".join([*lines, ""]))
    types = dict(re.findall(r":(\d+): note: Revealed type is \"(.*)\"", strict([program])))
    untyped = {name for line, name in enumerate(names, 2) if types[str(line)] == "Any"}
    assert untyped == {"xbench.Rows"}  # pyarrow comes without types


def test_each_component_of_the_typed_plugin_does_what_its_kind_must(project):
    plugin = runpy.run_path(str(project / "tests" / "typing" / "every_kind.py"))
    made = {name: plugin[name]() for name in ("Doubt", "Even", "Linear", "Siblings", "Squared")}
    components = [*made.values(), plugin["Squares"](), plugin["Corner"](), plugin["InTurn"]()]
    explainer = plugin["Spots"](made["Doubt"], made["Even"])
    for component in [*components, explainer]:
        assert not list(faults_in(component)), component


def test_what_the_docs_show_runs_and_prints_what_they_say(project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for path, page in programs(project, tmp_path):
        runpy.run_path(str(path))
        for line in capsys.readouterr().out.splitlines():
            assert line in page, path.name
