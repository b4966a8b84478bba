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
"explainer.{name}" = "{module}"
"""

MODULE = '''\
"""An xbench plugin: the explainer `{name}`."""

from dataclasses import dataclass
from typing import ClassVar

from xbench.explanation import Explainer, Explanation
from xbench.hookspecs import hookimpl


@dataclass(frozen=True)
class {cls}(Explainer):
    """Says what it does in one sentence."""

    name: ClassVar[str] = "{name}"
    of: Explainer
    makes: ClassVar[type[Explanation]] = Explanation

    def explain(self, network, batch, artefacts, generator):
        """Give the explanations of another explainer; put your own here."""
        return self.of.explain(network, batch, artefacts, generator)


@hookimpl
def register_explainers():
    """Return our explainer."""
    return [{cls}]
'''


def write_plugin(name: str, folder: Path) -> Path:
    """Write a plugin that provides one explainer; returns its folder."""
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
