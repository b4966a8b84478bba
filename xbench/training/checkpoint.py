"""Checkpoints: what an unfinished training leaves behind. Whole and its own, or absent."""

import errno
import hashlib
import io
import pickle
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from xbench.errors import StoreFullError, UnwritableStoreError

DIGEST = 32
"""Bytes of the checksum that a file begins with."""


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain values and tensors under a temporary name, then rename.

    Trainings that run at the same time do not meet: each has temporary names of its own, and
    the last to finish an epoch leaves its checkpoint. `StoreFullError`, `UnwritableStoreError`.
    """
    buffer = io.BytesIO()
    torch.save({**content, "of": path.name}, buffer)
    data = buffer.getvalue()
    temporary = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(hashlib.sha256(data).digest() + data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        message = f"the checkpoint {str(path)!r} cannot be written: {error.strerror}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(f"{message}; make room, then repeat the command") from error
        raise UnwritableStoreError(message) from error


def read_checkpoint(
    path: Path, device: torch.device, names: frozenset[str]
) -> dict[str, Any] | None:
    """What was written, if it holds exactly these names; None where the file is anything else."""
    data = path.read_bytes()
    if hashlib.sha256(data[DIGEST:]).digest() != data[:DIGEST]:
        return None
    try:
        content = torch.load(io.BytesIO(data[DIGEST:]), map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError):
        return None
    if not isinstance(content, dict) or content.keys() != names | {"of"}:
        return None
    return content if content.pop("of") == path.name else None
