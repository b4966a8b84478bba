"""Lines drawn at random from the sources, to guess the rooms they live in.

python tools/random_lines.py SEED [--answers]

prints twenty lines of code that say something, without their files; with --answers the files.
"""

import random
import re
import sys
from pathlib import Path

from rooms import ROOT

COUNT = 20


def lines(seed: int) -> list[tuple[str, str]]:
    """Lines with their files, drawn with this seed from all that hold a word and import nothing."""
    paths = sorted([*(ROOT / "xbench").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])
    known = [(line.strip(), str(path.relative_to(ROOT))) for path in paths for line in _text(path)]
    return random.Random(seed).sample(known, COUNT)  # noqa: S311 - not for secrets


def _text(path: Path) -> list[str]:
    """Lines that somebody could place: with letters, and no import."""
    text = path.read_text(encoding="utf-8").splitlines()
    return [line for line in text if re.search(r"[a-z]{3}", line) and not _imports(line)]


def _imports(line: str) -> bool:
    return line.strip().startswith(("from ", "import ", "return None", "else:", "try:"))


if __name__ == "__main__":
    for number, (line, path) in enumerate(lines(int(sys.argv[1])), start=1):
        print(f"{number:2}  {path if '--answers' in sys.argv else line}")  # noqa: T201
