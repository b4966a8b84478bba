"""A new plugin: the files that `xbench plugins new` writes."""

import keyword
from pathlib import Path

from xbench.errors import ParameterError

PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1"
dependencies = ["xbench-xai"]

[project.entry-points.xbench]
"difficulty.{name}" = "{module}"
"""

MODULE = '''\
"""An xbench plugin: the difficulty score `{name}`."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from xbench import Artefacts, Difficulty, Network, Readout, hookimpl


@dataclass(frozen=True)
class {cls}(Difficulty):
    """One minus the margin between the two largest class probabilities; put your own here."""

    name: ClassVar[str] = "{name}"

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """A prediction in [0, 1] for each image, differentiable in the logits."""
        return Readout(network.bottom, network.top, margin)


def margin(logits: Tensor) -> Tensor:
    """(n, classes) logits to (n, 1) difficulties."""
    largest = logits.softmax(dim=1).topk(2).values
    return 1 - largest[:, :1] + largest[:, 1:]


@hookimpl
def register_difficulties() -> list[type[Difficulty]]:
    """Return our difficulty score."""
    return [{cls}]
'''


def write_plugin(name: str, folder: Path) -> Path:
    """Write a plugin that provides one difficulty score; returns its folder."""
    module = name.replace("-", "_")
    if not module.isidentifier() or keyword.iskeyword(module) or module != module.lower():
        raise ParameterError(
            f"{name!r} is no name for a plugin: use lower-case letters, digits and hyphens"
        )
    target = folder / name
    if target.exists():
        raise ParameterError(f"{target} is already there; choose another name or --out")
    cls = "".join(part.capitalize() for part in module.split("_"))
    texts = {"pyproject.toml": PROJECT, f"{module}.py": MODULE}
    target.mkdir(parents=True)
    for file, text in texts.items():
        (target / file).write_text(text.format(name=name, module=module, cls=cls), encoding="utf-8")
    return target
