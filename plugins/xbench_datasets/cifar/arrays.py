"""Arrays of numbers in NumPy's files."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from xbench import DatasetError


def read_array(file: Path, what: str, way_out: str, mmap_mode: Literal["r"] | None = None) -> Any:
    """What NumPy reads from a file, an array or an archive of some; `DatasetError` if nothing."""
    try:
        return np.load(file, mmap_mode=mmap_mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:  # NumPy may advise to unpickle it
        message = f"{what}: {file} cannot be read as an array of numbers. {way_out}"
        raise DatasetError(message) from error
