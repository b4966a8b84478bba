"""Tables in text files, as spreadsheets write them, and what identifies a file."""

import csv
import functools
import hashlib
import io
from pathlib import Path

from xbench import DatasetError


def read_rows(file: str, what: str) -> list[tuple[int, list[str]]]:
    """The lines of a CSV file that hold something: number and cells without blanks around them.

    `DatasetError` where it cannot be read; `what` names the file.
    """
    try:
        text = Path(file).expanduser().read_text(encoding="utf-8-sig")
        rows = csv.reader(io.StringIO(text))
        cells = [(rows.line_num, [cell.strip() for cell in row]) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{what}: it cannot be read ({error})") from error
    return [(number, row) for number, row in cells if any(row)]


def file_digest(path: str) -> str:
    """A hash of a file's content; nothing where it cannot be read, which its user finds."""
    try:
        place = Path(path).expanduser()
        stat = place.stat()
        return _digest(str(place), stat.st_size, stat.st_mtime_ns)
    except OSError:
        return ""


@functools.lru_cache(maxsize=32)
def _digest(path: str, size: int, changed: int) -> str:
    """Of a file in this state; keys are asked for often, and files may be large."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]
