"""What messages say of files and names that are missing."""

from collections.abc import Sequence
from pathlib import Path

SHOWN = 3
"""How many missing files a message names; `verify` names all."""


def first_names(names: Sequence[str], most: int = SHOWN) -> str:
    """The names, or the first of them where there are more than `most`."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def lacking(folder: Path, absent: Sequence[str], one: str = "a file", many: str = "files") -> str:
    """That a folder lacks these files."""
    noun = one if len(absent) == 1 else f"{len(absent)} {many}"
    return f"{folder} lacks {noun}: {first_names(absent)}"
