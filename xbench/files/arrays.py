"""Files of arrays that NumPy wrote, read without running anything of what they hold."""

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xbench.errors import UsageError

LARGEST = 8 * 2**30
"""Bytes of an unpacked array; predictions of a million images and a thousand classes fit."""
DAMAGED = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What NumPy and the libraries below it raise for files that are damaged or encrypted."""


def read_arrays(
    path: Path, what: str, main: Sequence[str], others: Sequence[str], advice: str
) -> dict[str, np.ndarray]:
    """Those arrays of a `.npz` file that have one of the names; `UsageError` if it has none.

    What a `.npy` file holds has the first of the `main` names, of which errors speak. `what` says
    what is read from the file, and `advice` how such a file is written.
    """
    if path.suffix not in (".npy", ".npz"):
        raise UsageError(f"{path}: {what} are read from .npz and .npy files")
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {main[0]: content}
            _check_sizes(path, content.zip)
            arrays = {name: content[name] for name in (*main, *others) if name in content.files}
            if not all(isinstance(array, np.ndarray) for array in arrays.values()):
                raise ValueError("a member is no array")
            if not arrays:
                found = ", ".join(map(repr, content.files)) or "none at all"
                wanted = " or ".join(
                    filter(None, [", ".join(map(repr, main[:-1])), repr(main[-1])])
                )
                raise UsageError(f"{path} has no array {wanted}, but {found}")
            return arrays
    except DAMAGED as error:
        reason = _reason(error)
        raise UsageError(f"{path} cannot be read as {what} ({reason}); {advice}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.partition(". If you trust")[0]  # NumPy's advice is to unpickle


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    for info in archive.infolist():
        if info.file_size > LARGEST:
            raise UsageError(
                f"{path}: {info.filename} unpacks to {info.file_size / 2**30:.0f} GiB; at most "
                f"{LARGEST // 2**30} GiB are read"
            )
