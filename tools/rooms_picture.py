"""The picture of the house in docs/house.md, drawn from the imports of the sources.

python tools/rooms_picture.py

writes docs/images/rooms.svg; a test fails when that is stale.
"""

import ast
import textwrap
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from rooms import PLUGINS, ROOMS, ROOT, Import, Module, imports, modules, room

PICTURE = ROOT / "docs" / "images" / "rooms.svg"
WIDTH, ARCS, MARGIN = 1000, 150, 10
LINE, GAP, PAD = 17, 9, 8
"""Height of a line of text, space between boxes, and inside them."""
NAME, CHARACTER = 118, 6.7
"""Room for a box's name; the mean width of a character."""
INK, GREY, FILL, EDGE, ARC = "#1b1b1b", "#5c5c5c", "#f5f6f8", "#c9ced6", "#3b6ea5"


class Box(NamedTuple):
    """A room, what it is for, and the names of what lies in it."""

    name: str
    purpose: str
    content: str
    top: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """In pixels."""
        return PAD * 2 + LINE * (1 + len(self.lines))

    @property
    def middle(self) -> float:
        """Where arrows end."""
        return self.top + self.height / 2


def picture() -> str:
    """The SVG: rooms of the core in order with their imports, then plugins with their folders."""
    known = modules()
    core = list(_stacked(((name, *_core_room(name, known)) for name in ROOMS), 58, WIDTH - ARCS))
    below = core[-1].top + core[-1].height + 58
    plugins = list(_stacked(((n, *_plugin(n, known)) for n in PLUGINS), below, WIDTH))
    height = plugins[-1].top + plugins[-1].height + MARGIN
    arcs = _arcs(core, imports(known))
    parts = [
        _head(height),
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>',
        _MARKER,
        _title(22, "xbench/", "the core: a room imports only from rooms above it"),
        _text(MARGIN, 44, "An arrow leads to the nearest rooms that a room imports from.", GREY),
        *arcs,
        *(part for box in core for part in _drawn(box, WIDTH - ARCS)),
        _title(below - 28, "plugins/", "import names from xbench and its public modules alone"),
        *(part for box in plugins for part in _drawn(box, WIDTH)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _head(height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="12.5" role="img" aria-label="The rooms of xbench and their imports">'
    )


_MARKER = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    f'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{ARC}"/></marker></defs>'
)


def _core_room(name: str, known: dict[str, Module]) -> tuple[str, str]:
    inside = [module for module in known if module.startswith(f"xbench.{name}.")]
    return _purpose(known[f"xbench.{name}"]), _names(inside, f"xbench.{name}", known)


def _plugin(name: str, known: dict[str, Module]) -> tuple[str, str]:
    inside = [module for module in known if module.startswith(f"{name}.")]
    return _purpose(known[name]), _names(inside, name, known)


def _names(inside: Iterable[str], above: str, known: dict[str, Module]) -> str:
    """Modules of a folder, then its own folders with theirs."""
    folders: dict[str, list[str]] = {above: []}
    for name in inside:
        module = known[name]
        own = folders.setdefault(module.folder, [])
        if module.path.name != "__init__.py":
            own.append(name.rpartition(".")[2])
    told = [" ".join(folders.pop(above))]
    told += [f"{name.removeprefix(above)[1:]}/ {' '.join(of)}" for name, of in folders.items()]
    return "  ·  ".join(filter(None, told))


def _purpose(module: Module) -> str:
    """The first sentence of its docstring."""
    text = ast.get_docstring(ast.parse(module.path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _stacked(rooms: Iterable[tuple[str, str, str]], top: float, width: float) -> Iterator[Box]:
    """Boxes below each other."""
    fitting = int((width - MARGIN * 2 - NAME - PAD * 2) / CHARACTER)
    for name, purpose, content in rooms:
        lines = tuple(textwrap.wrap(content, fitting, break_on_hyphens=False))
        box = Box(name, purpose, content, top, lines)
        yield box
        top += box.height + GAP


def _drawn(box: Box, width: float) -> Iterator[str]:
    yield (
        f'<rect x="{MARGIN}" y="{box.top:.0f}" width="{width - 2 * MARGIN}" '
        f'height="{box.height:.0f}" rx="5" fill="{FILL}" stroke="{EDGE}"/>'
    )
    base = box.top + PAD + LINE - 5
    label = box.name.removeprefix("xbench_")
    yield _text(MARGIN + PAD, base, label, INK, weight="bold")
    yield _text(MARGIN + PAD + NAME, base, box.purpose, INK)
    for row, line in enumerate(box.lines, start=1):
        yield _text(MARGIN + PAD + NAME, base + row * LINE, line, GREY)


def _arcs(boxes: list[Box], found: list[Import]) -> Iterator[str]:
    """Arrows to the nearest rooms: those that no other imported room imports as well."""
    places = {box.name: box for box in boxes}
    used = {name: _used(name, found) for name in places}
    for name, own in used.items():
        nearest = [o for o in own if not any(o in used[between] for between in own)]
        for other in sorted(nearest):
            yield _arc(places[name], places[other])


def _used(name: str, found: list[Import]) -> set[str]:
    """The rooms that a room imports from, directly or by way of others."""
    direct: dict[str, set[str]] = {}
    for one in found:
        if {room(one.of), room(one.imported)} <= set(ROOMS) and room(one.of) != room(one.imported):
            direct.setdefault(room(one.of), set()).add(room(one.imported))
    waiting, seen = list(direct.get(name, ())), set[str]()
    while waiting:
        other = waiting.pop()
        if other not in seen:
            seen.add(other)
            waiting.extend(direct.get(other, ()))
    return seen


def _arc(lower: Box, upper: Box) -> str:
    x = WIDTH - ARCS - MARGIN
    start, end = lower.top + PAD + 4, upper.top + upper.height - PAD - 4
    bend = min(ARCS - 2 * MARGIN, 26 + (start - end) * 0.24)
    return (
        f'<path d="M{x} {start:.0f} C{x + bend:.0f} {start:.0f} {x + bend:.0f} {end:.0f} '
        f'{x + 2} {end:.0f}" fill="none" stroke="{ARC}" stroke-width="1.3" marker-end="url(#tip)"/>'
    )


def _title(y: float, name: str, purpose: str) -> str:
    return (
        f'<text x="{MARGIN}" y="{y:.0f}" font-size="16" fill="{INK}"><tspan font-weight="bold">'
        f"{escape(name)}</tspan>  {escape(purpose)}</text>"
    )


def _text(x: float, y: float, text: str, colour: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y:.0f}" fill="{colour}" font-weight="{weight}">{escape(text)}</text>'


def main(place: Path = PICTURE) -> None:
    """Write the picture."""
    place.write_text(picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
