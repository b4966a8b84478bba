"""The code blocks of the README and the docs, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"\s*```(\w*)\s*")
NEEDS = re.compile(r"<!-- needs: (.+) -->")
"""Stands above a block whose commands cannot be run without what it names."""
NO_COMMANDS = ("text", "python", "toml")
"""Languages of blocks that show something else."""
COMMAND = re.compile(r"(?:^|\s|/)xbench (?P<arguments>.*)")
SEVERAL = re.compile(r" && | ; |; do |\s\|\s")
"""What stands between commands in one line."""


class Block(NamedTuple):
    """A code block of a page, fenced or indented."""

    page: str
    line: int
    language: str
    """"" for a block that is indented or says nothing of it."""
    text: str
    needs: str
    """What its commands cannot do without, as a marker above it says; "" if there is none."""


class Command(NamedTuple):
    """A command that a page shows."""

    page: str
    text: str
    needs: str

    @property
    def arguments(self) -> list[str]:
        """What follows `xbench`; optional arguments are given, and nothing is redirected."""
        plain = re.sub(r"\[(--[^\]]*)\]", r"\1", self.text)
        return shlex.split(plain.partition(" > ")[0].replace("$fold", "0"), comments=True)[1:]


def pages(project: Path) -> list[Path]:
    """The README and the docs but for their history."""
    docs = sorted((project / "docs").glob("*.md"))
    return [project / "README.md", *(p for p in docs if p.stem not in ("changelog", "decisions"))]


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page, in order."""
    lines, start, fence, above = page.read_text(encoding="utf-8").split("\n"), None, None, ""
    for number, line in enumerate([*lines, ""]):
        marked, fenced = NEEDS.fullmatch(line.strip()), FENCE.fullmatch(line)
        inside = fence is not None or line.startswith("    ")
        if start is None and (fenced or inside):
            start, fence = number, fenced and fenced[1]
        elif start is not None and (fenced if fence is not None else not inside):
            first, last = (start + 1, number) if fence is not None else (start, number)
            text = "\n".join(lines[first:last])
            yield Block(page.name, start + 1, fence or "", text, above)
            start, fence, above = None, None, ""
        elif marked:
            above = marked[1]
        elif start is None and line.strip():
            above = ""


def commands(block: Block) -> Iterator[Command]:
    """The calls of `xbench` in a block."""
    if block.language in NO_COMMANDS:
        return
    for line in re.sub(r"\\\n\s*", " ", block.text).split("\n"):
        code = line.strip()
        for part in SEVERAL.split(code.partition("  #")[0]):
            found = COMMAND.search(part)
            if found and not code.startswith("#"):
                yield Command(block.page, f"xbench {found['arguments'].strip()}", block.needs)
