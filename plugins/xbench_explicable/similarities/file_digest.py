"""What identifies a file's content."""

import functools
import hashlib
from pathlib import Path


def file_digest(path: str) -> str:
    """A hash of a file's content; nothing where it cannot be read, which its user finds."""
    try:
        file = Path(path).expanduser()
        stat = file.stat()
        return _digest(str(file), stat.st_size, stat.st_mtime_ns)
    except OSError:
        return ""


@functools.lru_cache(maxsize=32)
def _digest(path: str, size: int, changed: int) -> str:
    """Of a file in this state; keys are asked for often, and files may be large."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
