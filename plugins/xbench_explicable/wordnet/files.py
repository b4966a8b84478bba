"""The files of WordNet's nouns: the bundled ones, or those of a full WordNet 3.0."""

import functools
import gzip
import hashlib
import io
import re
from importlib.resources import files
from pathlib import Path

from xbench import ParameterError

DATA = files("xbench_explicable") / "data"
FILES = ("data.noun", "index.noun")
EXCEPTIONS = "noun.exc"
"""Irregular plurals, which a folder may lack."""
VERSION = "3.0"
"""The release whose places in data.noun are the ids of ImageNet's classes."""


class Lines:
    """The lines of data.noun by the place where each begins in the full file."""

    def __init__(self, text: str) -> None:
        rows = text.splitlines(keepends=True)
        self._rows = {int(row[:8]): row for row in rows if row[:8].isdigit()}
        self._place = 0

    def seek(self, place: int) -> None:
        """Go to a place in the full file."""
        self._place = place

    def readline(self) -> str:
        """The line that begins there, or nothing."""
        return self._rows.get(self._place, "")

    def __contains__(self, place: int) -> bool:
        return place in self._rows


def stream(folder: str, file: str) -> Lines | io.StringIO:
    """One of WordNet's files to read from."""
    text = file_text(folder, file)
    return Lines(text) if file == "data.noun" else io.StringIO(text)


def file_text(folder: str, file: str) -> str:
    """The content of one of WordNet's files; nothing of those for verbs and the like."""
    if file == "lexnames":
        return (DATA / file).read_text(encoding="ascii")
    if "noun" not in file:
        return ""
    if not folder:
        return gzip.decompress((DATA / f"{file}.gz").read_bytes()).decode("ascii")
    path = Path(folder).expanduser() / file
    if path.is_file():
        text = path.read_text(encoding="latin-1")
        return _checked_release(text, path) if file == "data.noun" else text
    if file in FILES:
        raise ParameterError(
            f"wordnet={folder}: there is no file {file!r}; name the folder that holds "
            f"{' and '.join(FILES)} of WordNet {VERSION}"
        )
    return ""


def _checked_release(text: str, file: Path) -> str:
    """The text, if it is of the release whose places are ImageNet's ids."""
    release = re.search(r"WordNet (\d+\.\d+) Copyright", text[:5000], re.IGNORECASE)
    if release is None or release[1] != VERSION:
        description = f"WordNet {release[1]}" if release else "no WordNet"
        raise ParameterError(
            f"{file}: this is {description}, but ids of classes are those of WordNet {VERSION}"
        )
    return text


State = tuple[tuple[int, int], ...]
"""Size and time of change of each file; nothing of the bundled ones, which stay as they are."""


def state(folder: str) -> State:
    """Tells one content of a folder from another; nothing where files are missing."""
    names = (*FILES, EXCEPTIONS) if folder else ()
    paths = [Path(folder).expanduser() / name for name in names]
    stats = [path.stat() for path in paths if path.is_file()]
    return tuple((stat.st_size, stat.st_mtime_ns) for stat in stats)


def digest(folder: str = "") -> str:
    """A hash of the nouns that are read; nothing where they cannot be, which their user finds."""
    try:
        return _digest(folder, state(folder))
    except ParameterError:
        return ""


@functools.lru_cache(maxsize=4)
def _digest(folder: str, state: State) -> str:
    text = "".join(file_text(folder, file) for file in (*FILES, EXCEPTIONS))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
