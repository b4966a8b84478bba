"""The store: rows, records and artefacts as files, each complete or not there at all.

A store is a folder or any fsspec URL:

    artefacts/<kind>/<key>.safetensors
    rows/<key>.parquet
    records/<benchmark>/<label>-<key>.json

The first digits of a key hold no versions: what the same components made under others begins
with the same ones. The tree that a key is of lies in the metadata of its file.

A file is written under a temporary name and renamed. Beside rows and artefacts lies
`<file>.sha256`, written the same way; a file without a matching checksum counts as absent,
so what a kill or a damaged disk left behind is made again.
"""

import contextlib
import errno
import hashlib
import io
import json
import math
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from xbench.errors import StoreFullError, UnwritableStoreError
from xbench.interfaces.artefact import Artefact
from xbench.interfaces.component import KIN, Tree

TREE = b"xbench.tree"
"""The key of Parquet metadata under which the tree of a shard lies."""


class Store:
    """Reads and writes the files of one store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = fsspec.core.url_to_fs(url)

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

    def artefact(self, kind: str, key: str) -> Artefact | None:
        """The artefact with this key, or None where there is none that is whole."""
        data = self._read(f"artefacts/{kind}/{key}.safetensors")
        return None if data is None else _artefact(key, data)

    def put_artefact(self, kind: str, artefact: Artefact, tree: Tree | None = None) -> None:
        """Write an artefact, with the tree that its key is of."""
        from safetensors.torch import save

        about = {"facts": artefact.facts, "tree": tree or {}}
        metadata = {name: json.dumps(dict(of), sort_keys=True) for name, of in about.items()}
        tensors = {name: tensor.contiguous() for name, tensor in artefact.tensors.items()}
        self._write(f"artefacts/{kind}/{artefact.key}.safetensors", save(tensors, metadata))

    def artefact_kin(self, kind: str, key: str) -> Iterator[Tree]:
        """The trees of artefacts that the same components made under other versions."""
        return self._kin(f"artefacts/{kind}", key, ".safetensors", self._artefact_tree)

    def _artefact_tree(self, path: str) -> Tree:
        length = int.from_bytes(self._files.cat_file(path, 0, 8), "little")
        header = json.loads(self._files.cat_file(path, 8, 8 + length))
        tree: Tree = json.loads(header["__metadata__"]["tree"])
        return tree

    def artefact_keys(self, kind: str) -> list[str]:
        """Keys of the artefacts of a kind, whether they are whole or not, sorted."""
        try:
            paths = self._files.ls(self._path(f"artefacts/{kind}"), detail=False)
        except FileNotFoundError:
            return []
        names = [str(path).rpartition("/")[2] for path in paths]
        suffix = ".safetensors"
        return sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix))

    def rows(self, key: str) -> pa.Table | None:
        """The rows of the shard with this key, or None where there are none that are whole."""
        data = self._read(f"rows/{key}.parquet")
        return None if data is None else pq.read_table(io.BytesIO(data))

    def rows_kin(self, key: str) -> Iterator[Tree]:
        """The trees of shards that the same components made under other versions."""
        return self._kin("rows", key, ".parquet", self._rows_tree)

    def _rows_tree(self, path: str) -> Tree:
        with self._files.open(path, "rb") as file:
            tree: Tree = json.loads((pq.read_schema(file).metadata or {})[TREE])
        return tree

    def _kin(
        self, folder: str, key: str, suffix: str, read: Callable[[str], Tree]
    ) -> Iterator[Tree]:
        """The trees of files whose keys begin as this one does; of what is damaged, none."""
        paths = self._files.glob(self._path(f"{folder}/{key[:KIN]}*{suffix}"))
        for path in sorted(path for path in map(str, paths) if key not in path):
            with contextlib.suppress(OSError, ValueError, KeyError):
                yield read(path)

    def put_rows(self, key: str, rows: pa.Table) -> None:
        """Write the rows of a shard."""
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, compression="zstd")
        self._write(f"rows/{key}.parquet", buffer.getvalue())

    def record(self, path: str) -> dict[str, Any] | None:
        """The record at this path below `records/`, or None."""
        try:
            return json.loads(self._files.cat_file(self._path(f"records/{path}")))
        except FileNotFoundError:
            return None

    def put_record(self, path: str, record: Mapping[str, Any]) -> str:
        """Write a record as JSON, numbers that are NaN as null; returns its full path."""
        text = json.dumps(_finite(record), indent=2, allow_nan=False)
        with _clear_errors(self.url):
            self._move([(self._temporary(text.encode() + b"\n"), f"records/{path}")])
        return self._path(f"records/{path}")

    def _path(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _read(self, path: str) -> bytes | None:
        try:
            data = self._files.cat_file(self._path(path))
            stated = self._files.cat_file(self._path(f"{path}.sha256"))
        except FileNotFoundError:
            return None
        return data if stated.decode().strip() == _checksum(data) else None

    def _write(self, path: str, data: bytes) -> None:
        with _clear_errors(self.url):
            parts = [(data, path), (_checksum(data).encode() + b"\n", f"{path}.sha256")]
            self._move([(self._temporary(part), target) for part, target in parts])

    def _temporary(self, data: bytes) -> str:
        """Write a temporary file; on failure nothing is left of it."""
        path = self._path(f"tmp/{uuid.uuid4().hex}")
        self._files.makedirs(self._path("tmp"), exist_ok=True)
        try:
            self._files.pipe_file(path, data)
        except BaseException:
            with contextlib.suppress(OSError):
                self._files.rm_file(path)
            raise
        return path

    def _move(self, moves: list[tuple[str, str]]) -> None:
        for temporary, target in moves:
            self._files.makedirs(self._path(target).rpartition("/")[0], exist_ok=True)
            self._files.mv(temporary, self._path(target))


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _artefact(key: str, data: bytes) -> Artefact:
    from safetensors.torch import load

    length = int.from_bytes(data[:8], "little")
    facts = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["facts"])
    return Artefact(key, load(data), facts)


def _finite(value: Any) -> Any:
    """The value with NaN and infinity as None, since JSON has no numbers for them."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


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
