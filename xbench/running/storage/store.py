"""The store: rows, records and artefacts as files, each complete or not there at all.

A store is a folder or any fsspec URL:

    artefacts/<kind>/<key>.safetensors
    rows/<key>.parquet
    records/<benchmark>/<label>-<key>.json
    explanations/<kind>/<key>/<segment>.safetensors
    predictions/<key>/<segment>.safetensors
    scores/<key of the record>.parquet

The first digits of a key hold no versions: what the same components made under others begins
with the same ones. The tree that a key is of lies in the metadata of its file.

Nothing that is read is believed: every file holds a seal, a checksum of its path and its bytes,
and one without a right seal counts as absent. It is named once, made again and written over, so
what a kill or a damaged disk left behind does no harm. Any number of runs may share a store.
"""

import contextlib
import io
import json
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xbench.files.seals import FIELD, header, seal, sealed_record, sealed_table, sealed_tensors
from xbench.interfaces.artefact import Artefact
from xbench.interfaces.component import KIN, Tree
from xbench.running.storage.store_files import STRANGE, StoreFiles
from xbench.running.storage.stored_tensors import StoredTensors

TREE = b"xbench.tree"
"""The key of Parquet metadata under which the tree of a shard lies."""


FACTS = b"xbench"
"""The key of Parquet metadata under which a shard's cost lies."""


class Store:
    """Reads and writes rows, records and artefacts of one store.

    `say` is told in one line of each file that cannot be believed.
    """

    def __init__(self, url: str, say: Callable[[str], None] | None = None) -> None:
        self.url = url
        self.files = StoreFiles(url, say)

    def __reduce__(self) -> tuple[type["Store"], tuple[str]]:
        """Its place, which another process in another folder can open."""
        return Store, (self.files.place,)

    def check_writable(self) -> None:
        """Raise `UnwritableStoreError` unless files can be written here."""
        self.files.check_writable()

    def create(self, path: str, data: bytes) -> bool:
        """Write a file unless there is one; whether it was written. Of several only one does."""
        return self.files.create(path, data)

    @contextlib.contextmanager
    def probe(self) -> Iterator[str]:
        """In this block there is such a file, by which others know that they see this store."""
        path = f"tmp/probe-{uuid.uuid4().hex}.json"
        self.files.write(path, sealed_record(path, {}))
        try:
            yield path
        finally:
            self.files.delete(path)

    def has(self, path: str) -> bool:
        """Whether there is a file of this name that is whole."""
        return self.files.read(path) is not None

    def artefact(self, kind: str, key: str) -> Artefact | None:
        """The artefact with this key, or None where there is none that is whole.

        Its tensors are read when they are touched.
        """
        path = f"artefacts/{kind}/{key}.safetensors"
        return self.files.believed(path, lambda data: self._artefact(path, key, data))

    def put_artefact(self, kind: str, artefact: Artefact, tree: Tree | None = None) -> Artefact:
        """Write an artefact, with the tree that its key is of, unless there is one already.

        Returns what lies in the store then, its tensors left there.
        """
        path = f"artefacts/{kind}/{artefact.key}.safetensors"
        about = {"facts": artefact.facts, "tree": tree or {}}
        metadata = {name: json.dumps(dict(of), sort_keys=True) for name, of in about.items()}
        data = sealed_tensors(path, artefact.tensors, metadata)
        if not self.files.create(path, data):
            if stored := self.artefact(kind, artefact.key):
                return stored
            self.files.write(path, data)
        return self._artefact(path, artefact.key, data)

    def _artefact(self, path: str, key: str, data: bytes) -> Artefact:
        tensors = StoredTensors(self.files.read, path, seal(path, data))
        return Artefact(key, tensors, _mapping(json.loads(header(data)["facts"])))

    def artefact_kin(self, kind: str, key: str) -> Iterator[Tree]:
        """The trees of artefacts that the same components made under other versions."""
        return self._kin(f"artefacts/{kind}", key, ".safetensors", self._artefact_tree)

    def _artefact_tree(self, path: str) -> Tree:
        tree: Tree = json.loads(self.files.header(path)["tree"])
        return tree

    def artefact_keys(self, kind: str) -> list[str]:
        """Keys of the artefacts of a kind, whether they are whole or not, sorted."""
        names = [path.rpartition("/")[2] for path in self.files.listed(f"artefacts/{kind}")]
        suffix = ".safetensors"
        return sorted(name.removesuffix(suffix) for name in names if name.endswith(suffix))

    def rows(self, key: str, cases: Iterable[object] | None = None) -> pa.Table | None:
        """The rows of the shard with this key, or None where there are none that are whole.

        Where its cases are given, there must be rows of each of them and of no other.
        """
        return self.table(f"rows/{key}.parquet", cases)

    def rows_kin(self, key: str) -> Iterator[Tree]:
        """The trees of shards that the same components made under other versions."""
        return self._kin("rows", key, ".parquet", self._rows_tree)

    def _rows_tree(self, path: str) -> Tree:
        with self.files.open(path) as file:
            tree: Tree = json.loads((pq.read_schema(file).metadata or {})[TREE])
        return tree

    def _kin(
        self, folder: str, key: str, suffix: str, read: Callable[[str], Tree]
    ) -> Iterator[Tree]:
        """The trees of files whose keys begin as this one does; of what is damaged, none."""
        own, kin = f"{folder}/{key}{suffix}", f"{folder}/{key[:KIN]}"
        paths = (path for path in self.files.listed(folder) if path.endswith(suffix))
        for path in (path for path in paths if path.startswith(kin) and path != own):
            with contextlib.suppress(OSError, *STRANGE):
                yield read(path)

    def put_rows(self, key: str, rows: pa.Table) -> None:
        """Write the rows of a shard."""
        self.put_table(f"rows/{key}.parquet", rows)

    def table(self, path: str, cases: Iterable[object] | None = None) -> pa.Table | None:
        """The table in a file, or None where there is none that is whole and of these cases."""
        return self.files.believed(path, lambda data: _table(data, cases))

    def put_table(self, path: str, table: pa.Table) -> None:
        """Write a table, over what lies there."""
        self.files.write(path, sealed_table(path, table))

    def record(self, path: str) -> dict[str, Any] | None:
        """The record at this path below `records/`, or None where there is none that is whole."""
        record = self.files.believed(f"records/{path}", lambda data: _mapping(json.loads(data)))
        return record and {name: of for name, of in record.items() if name != FIELD}

    def put_record(self, path: str, record: Mapping[str, Any]) -> str:
        """Write a record as JSON, numbers that are NaN as null; returns its full path."""
        place = f"records/{path}"
        self.files.write(place, sealed_record(place, _finite(record)))
        return self.files.path(place)

    def scores(self, path: str) -> pa.Table | None:
        """The scores of an entry case by case, or None where there are none that are whole."""
        return self.table(path)

    def put_scores(self, path: str, data: bytes) -> None:
        """Write the sealed file of an entry's scores case by case, unless it lies there."""
        if self.files.read(path) != data:
            self.files.write(path, data)


def _table(data: bytes, cases: Iterable[object] | None) -> pa.Table:
    table = pq.read_table(io.BytesIO(data))
    if cases is not None and (fault := case_fault(table, cases)):
        raise ValueError(fault)
    return table


def case_fault(rows: pa.Table, cases: Iterable[object]) -> str:
    """What is wrong with the cases that rows are of, where they should be these; else ""."""
    if "case" not in rows.column_names:
        return "there is no column `case`"
    asked = {str(case) for case in cases}
    there = {str(case) for case in pc.unique(rows.column("case")).to_pylist()}
    if missing := asked - there:
        return f"{len(missing)} of {len(asked)} cases have no row, such as {min(missing)}"
    strange = there - asked
    return f"rows of cases that nobody asked for, such as {min(strange)}" if strange else ""


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{type(value).__name__} where a table should be")
    return value


def _finite(value: Any) -> Any:
    """The value with NaN and infinity as None, since JSON has no numbers for them."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
