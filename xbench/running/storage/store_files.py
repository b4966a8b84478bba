"""The files of a store: whole and where they belong, or absent."""

import contextlib
import errno
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import fsspec
import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from safetensors import SafetensorError

from xbench.errors import StoreFullError, UnwritableStoreError
from xbench.files.seals import header, seal

PUTS_ARE_WHOLE = frozenset(
    {"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "r2"}
)
"""Protocols where nobody sees half a file, and where renaming one copies it."""
MOST_HEADER = 100_000_000
"""Bytes; safetensors has no longer ones."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV}
_IN_MEMORY = threading.Lock()

STRANGE = (
    LookupError,
    ValueError,
    TypeError,
    RuntimeError,
    AttributeError,
    pa.ArrowException,
    SafetensorError,
)
"""What parsing raises where a file does not hold what it should."""

Parsed = TypeVar("Parsed")


class FileEntry(NamedTuple):
    """A file as a listing shows it."""

    size: int
    modified: float
    """Seconds since 1970; 0 where the store does not say."""


class StoreFiles:
    """Reads and writes the files below one folder or fsspec URL; paths are relative to it.

    `say` is told in one line of each file that cannot be believed; `damaged` holds their paths
    until they are written again.
    """

    def __init__(self, url: str, say: Callable[[str], None] | None = None) -> None:
        self.url = url
        self.say = say
        self.damaged: set[str] = set()
        self._files, self._root = _opened(url)
        protocol = self._files.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        self._puts_are_whole = not names.isdisjoint(PUTS_ARE_WHOLE)

    @property
    def place(self) -> str:
        """The URL, of a folder its whole path."""
        return self.url if "://" in self.url else str(self._root)

    def __reduce__(self) -> tuple[type["StoreFiles"], tuple[str]]:
        """Its place, which another process in another folder can open; nobody listens there."""
        return StoreFiles, (self.place,)

    def check_writable(self) -> None:
        """Raise `UnwritableStoreError` unless files can be written here."""
        probe = f".probe-{uuid.uuid4().hex}"
        try:
            self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(self._path(probe), b"")
            self._files.rm_file(self._path(probe))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _full(self.url) from error
            raise UnwritableStoreError(
                f"store {self.url!r} is not writable ({error}); choose another with --store"
            ) from error

    def believed(self, path: str, parse: Callable[[bytes], Parsed]) -> Parsed | None:
        """What a whole file holds; None where there is none, or what it holds makes no sense."""
        data = self.read(path)
        if data is not None:
            with contextlib.suppress(*STRANGE):
                return parse(data)
            self._say_damaged(path)
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file that is whole and lies where it belongs, else None."""
        try:
            data: bytes = self._files.cat_file(self._path(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if seal(path, data):
            return data
        self._say_damaged(path)
        return None

    def header(self, path: str) -> dict[str, str]:
        """The metadata of a safetensors file, of which nothing is checked."""
        place = self._path(path)
        length = int.from_bytes(self._files.cat_file(place, 0, 8), "little")
        if length > MOST_HEADER:
            raise ValueError(f"a header of {length} bytes")
        return header(self._files.cat_file(place, 0, 8 + length))

    def _say_damaged(self, path: str) -> None:
        if path not in self.damaged:
            self.damaged.add(path)
            if self.say is not None:
                self.say(f"damaged {kind_of(path)} in store {self.url!r}, made again: {path}")

    def write(self, path: str, data: bytes) -> None:
        """Write a sealed file, over what lies there."""
        with _clear_errors(self.url):
            if self._puts_are_whole:
                self._files.pipe_file(self._path(path), data)
            else:
                with self._temporary(path, data) as temporary:
                    self._files.mv(temporary, self._path(path))
        self.damaged.discard(path)

    def create(self, path: str, data: bytes) -> bool:
        """Write a file unless there is one; whether it was written. Of several only one does."""
        with _clear_errors(self.url):
            try:
                self._create(path, data)
            except FileExistsError:
                return False
        return True

    def _create(self, path: str, data: bytes) -> None:
        target = self._path(path)
        if isinstance(self._files, LocalFileSystem):
            with self._temporary(path, data) as temporary:
                _link(temporary, target, data)
        elif isinstance(self._files, MemoryFileSystem):
            with _IN_MEMORY:  # which asks first and writes then
                self._files.pipe_file(target, data, mode="create")
        else:
            self._make_folder(target)
            self._files.pipe_file(target, data, mode="create")

    def delete(self, path: str) -> None:
        """Remove a file, if it is there."""
        with _clear_errors(self.url), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(path))
        self.damaged.discard(path)

    def listed(self, folder: str = "") -> dict[str, FileEntry]:
        """All files in a folder and below it, sorted by path."""
        self._files.invalidate_cache()  # others write here too
        found = self._files.find(self._path(folder).rstrip("/"), detail=True)
        entries = {self._relative(str(path)): _entry(of) for path, of in found.items()}
        return dict(sorted(entries.items()))

    def open(self, path: str) -> Any:
        """The file, open for reading at any place; nothing of it is checked."""
        return self._files.open(self._path(path), "rb")

    def path(self, path: str) -> str:
        """The full path of a file."""
        return self._path(path)

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self._root}/")

    def _make_folder(self, place: str) -> None:
        if not self._puts_are_whole:
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)

    @contextlib.contextmanager
    def _temporary(self, path: str, data: bytes) -> Iterator[str]:
        """A temporary file with this content, on its way to `path`; nothing is left of it."""
        temporary = self._path(f"tmp/{uuid.uuid4().hex}")
        for place in (temporary, self._path(path)):
            self._make_folder(place)
        try:
            self._files.pipe_file(temporary, data)
            yield temporary
        finally:
            with contextlib.suppress(OSError):
                self._files.rm_file(temporary)


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the place in it."""
    try:
        files, root = fsspec.core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise UnwritableStoreError(
            f"store {url!r} cannot be opened ({error}); choose a folder with --store"
        ) from error
    return files, str(root)


def kind_of(path: str) -> str:
    """What kind of file lies at a path: its folder, and where there are many kinds, the next."""
    folder, *below = path.split("/")
    return f"{folder} {below[0]}" if folder in ("artefacts", "explanations") else folder


def _link(temporary: str, target: str, data: bytes) -> None:
    """Give a written file its name; `FileExistsError` where something has it."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # readers may see half of it, and take it for damaged
        with Path(target).open("xb") as file:
            file.write(data)


def _entry(of: Mapping[str, Any]) -> FileEntry:
    times = (of.get(name) for name in ("mtime", "LastModified", "last_modified", "created"))
    time = next((time for time in times if time is not None), 0.0)
    seconds = time.timestamp() if isinstance(time, datetime) else time
    return FileEntry(int(of["size"] or 0), float(seconds))


def _full(url: str) -> StoreFullError:
    return StoreFullError(
        f"no space left in store {url!r}; what was finished is kept: free some space and run "
        "the same command again"
    )


@contextlib.contextmanager
def _clear_errors(url: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(url) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise UnwritableStoreError(
                f"store {url!r} is not writable ({error}); choose another with --store"
            ) from error
        raise
