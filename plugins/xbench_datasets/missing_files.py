"""Which files are there, and what messages say of files and names that are missing."""

import os
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


def file_sizes(folder: Path, parents: Sequence[str]) -> dict[str, int]:
    """Bytes of every file in these sub-folders, by its path in `folder`."""
    return {
        f"{parent}/{entry.name}": entry.stat().st_size
        for parent in parents
        if (folder / parent).is_dir()
        for entry in os.scandir(folder / parent)
        if entry.is_file()
    }
