"""Writes docs/api.md: every public name of xbench, with the first sentence said of it.

Run it after a change of a stub or of a docstring: python tools/api_page.py
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
HEAD = """\
# Public names

What plugins, scripts and notebooks may import, and all that they may: names that are missing
here can change without notice. A name is imported when it is used, so `import xbench` is quick.
The headings below a module say in which part of xbench a name is at home; import it from the
module. Types are in the package, for type checkers.

This page is written by `tools/api_page.py` from the stubs (`xbench/__init__.pyi` and its like).
"""


class Name(NamedTuple):
    """A public name, and the core module that it comes from."""

    name: str
    home: str

    @property
    def room(self) -> str:
        """The part of the core that the name is at home in."""
        return self.home.split(".")[1]


def page(root: Path = ROOT) -> str:
    """The text of the page."""
    return "\n".join([HEAD, *(line for stub in stubs(root) for line in section(stub, root))])


def stubs(root: Path) -> list[Path]:
    """The stubs of the public modules, that of `xbench` first."""
    package = root / "xbench"
    first = package / "__init__.pyi"
    return [first, *sorted({*package.rglob("*.pyi")} - {first})]


def section(stub: Path, root: Path) -> Iterator[str]:
    """Lines about one public module."""
    module = stub.relative_to(root).with_suffix("").as_posix().replace("/", ".")
    own = parsed(stub.with_suffix(".py"))
    yield from (f"## {module.removesuffix('.__init__')}", "", ast.get_docstring(own) or "", "")
    rooms: dict[str, list[Name]] = defaultdict(list)
    for name in names(stub):
        rooms[name.room].append(name)
    for room, here in rooms.items():
        yield from (f"### {room}", "") if len(rooms) > 1 else ()
        yield from (f"- `{name.name}`: {sentence(name, root)}" for name in sorted(here))
        yield ""


def names(stub: Path) -> list[Name]:
    """The names of a stub."""
    imports = [node for node in parsed(stub).body if isinstance(node, ast.ImportFrom)]
    return [Name(alias.name, node.module or "") for node in imports for alias in node.names]


def sentence(name: Name, root: Path) -> str:
    """The first sentence that the source says of a name; `LookupError` where it says nothing."""
    text = said(name.name, parsed(source(name.home, root)))
    if not text:
        raise LookupError(f"{name.home} says nothing of {name.name}")
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z`])", paragraph)[0]


def said(name: str, tree: ast.Module) -> str | None:
    """The docstring of what a module defines by this name, or the string that follows it."""
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node)
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in targets(node):
            value = following.value if isinstance(following, ast.Expr) else None
            return ast.literal_eval(value) if isinstance(value, ast.Constant) else None
    return None


def targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    """The plain names that an assignment is to."""
    found = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in found if isinstance(target, ast.Name)}


def source(module: str, root: Path) -> Path:
    """The file of a core module."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
