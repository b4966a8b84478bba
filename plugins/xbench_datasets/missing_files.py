"""What messages say of files and names that are missing."""

from collections.abc import Sequence
from pathlib import Path

SHOWN = 3
"""How many missing files a message names; `verify` names all."""


def first_names(names: Sequence[str], most: int = SHOWN) -> str:
    """The names, or the first of them where there are more than `most`."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def lacking(
    folder: Path, absent: Sequence[str], singular: str = "a file", plural: str = "files"
) -> str:
    """That a folder lacks these files."""
    noun = singular if len(absent) == 1 else f"{len(absent)} {plural}"
    return f"{folder} lacks {noun}: {first_names(absent)}"
