"""Listings: the components of a kind that are installed, with what each is in a line."""

import tomllib
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from xbench.components.description import first_line
from xbench.components.kinds import plural
from xbench.components.registry import Registry, installed
from xbench.errors import UnknownNameError, XbenchError


class Listing(Mapping[str, str]):
    """What each component of a kind is, in a line, by name."""

    def __init__(self, kind: str, lines: Mapping[str, str]) -> None:
        self.kind = kind
        self._lines = dict(lines)

    def __getitem__(self, name: str) -> str:
        """The line of a component."""
        if name not in self._lines:
            raise KeyError(str(UnknownNameError(self.kind, name, self._lines)))
        return self._lines[name]

    def __iter__(self) -> Iterator[str]:
        """Names, sorted."""
        return iter(self._lines)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)

    def _ipython_key_completions_(self) -> list[str]:
        """Names, for the tab key."""
        return list(self._lines)

    def __repr__(self) -> str:
        """A line for each."""
        width = max(map(len, self._lines), default=0)
        lines = (f"{name:<{width}}  {line}".rstrip() for name, line in self._lines.items())
        return "\n".join(lines) or f"no {self.kind} is installed"

    def _repr_html_(self) -> str:
        """A table."""
        cell = '<td style="text-align: left">{}</td>'
        rows = (
            f"<tr>{cell.format(f'<code>{escape(name)}</code>')}{cell.format(escape(line))}</tr>"
            for name, line in self._lines.items()
        )
        return f"<table>{''.join(rows)}</table>"


def listing(kind: str, registry: Registry | None = None) -> Listing:
    """The components of the kind, or of its plural; what cannot be imported says why."""
    registry = registry or installed()
    kinds = {name: one for one in registry.kinds for name in (one, plural(one))}
    if kind not in kinds:
        raise UnknownNameError("kind", kind, registry.kinds)
    one = kinds[kind]
    return Listing(one, {name: summary(registry, one, name) for name in registry.names(one)})


def summary(registry: Registry, kind: str, name: str) -> str:
    """What the component is, in a line; or why it cannot be had."""
    try:
        item = registry.get(kind, name)
    except XbenchError as error:
        return f"FAILS: {error}"
    return _title(item) if isinstance(item, Path) else first_line(item)


def _title(path: Path) -> str:
    """The title of a benchmark's file."""
    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", path))
    except (OSError, tomllib.TOMLDecodeError) as error:
        return f"FAILS: {error}"
