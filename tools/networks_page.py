"""Fills the tables of docs/networks.md: what becomes of networks that people bring.

Run it after a change of what is cut or refused: python tools/networks_page.py
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "networks.md"


def filled(page: str, table: str, rows: Iterable[tuple[str, str, str]]) -> str:
    """The page with these rows in the table after the marker of its name."""
    lines = "".join(f"| {name} | {head and f'`{head}`'} | {said} |\n" for name, head, said in rows)
    pattern = re.compile(rf"(<!-- rows: {table} -->\n\n(?:\|.*\n){{2}})(?:\|.*\n)*")
    return pattern.sub(lambda found: found.group(1) + lines, page)


def main() -> None:
    """Fill both tables; that takes some minutes."""
    sys.path.insert(0, str(ROOT))
    from tests.shared.any_network import LIBRARY, awkward_rows, library_row

    page = filled(PAGE.read_text(encoding="utf-8"), "modules", awkward_rows())
    page = filled(page, "libraries", (library_row(*network) for network in LIBRARY))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
