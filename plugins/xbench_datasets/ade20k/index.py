"""The index of the full ADE20K of 2016, `index_ade20k.mat`: which image has which objects."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from xbench import DatasetError
from xbench_datasets.ade20k.lists import Objects, changed
from xbench_datasets.matlab import Kind, read_struct

FIELDS: dict[str, Kind] = {
    "filename": "texts",
    "typeset": "numbers",
    "objectnames": "texts",
    "objectPresence": "nonzero",
}
TRAINING, VALIDATION = 1, 2
"""Values of `typeset`."""


@dataclass(frozen=True, eq=False)
class Index:
    """What the index says of each image."""

    path: Path
    stems: tuple[str, ...]
    training: Bool[np.ndarray, " n"]
    names: tuple[str, ...]
    """Names of all 3 148 objects; label maps count them from 1."""
    present: Bool[np.ndarray, "n names"]
    """Whether an image shows an object, be it as a part of another one."""

    @functools.cached_property
    def rows(self) -> dict[str, int]:
        """The row of each image by name."""
        return {stem: row for row, stem in enumerate(self.stems)}

    def presence(self, objects: Objects, stems: Sequence[str]) -> Bool[np.ndarray, "n objects"]:
        """Whether each image shows each object of the list; of several columns any counts."""
        columns = _columns(self.path, self.names, objects)
        rows = self._rows(stems)
        return np.stack([self.present[np.ix_(rows, group)].any(1) for group in columns], axis=1)

    def _rows(self, stems: Sequence[str]) -> list[int]:
        unknown = [stem for stem in stems if stem not in self.rows]
        if unknown:
            raise DatasetError(
                f"{self.path} has no image {unknown[0]} ({len(unknown)} of the listed"
                f" {len(stems)} images are not in it): index and list disagree"
            )
        rows = [self.rows[stem] for stem in stems]
        wrong = [row for row in rows if self.training[row] != ("train" in self.stems[row])]
        if wrong:
            raise DatasetError(
                f"{self.path}: typeset puts {self.stems[wrong[0]]} into the other split"
                f" ({len(wrong)} in all): index and list disagree"
            )
        return rows


def read_index(path: Path) -> Index:
    """The index; read again only if the file has changed."""
    return _read(path, changed(path))


@functools.lru_cache(maxsize=2)
def _read(path: Path, time: int) -> Index:
    content = read_struct(path, "index", FIELDS)
    stems = tuple(str(name).partition(".")[0] for name in content["filename"])
    names = tuple(str(name).strip() for name in content["objectnames"])
    presence, kinds = np.asarray(content["objectPresence"]), np.ravel(content["typeset"])
    if presence.shape != (len(names), len(stems)) or len(kinds) != len(stems):
        raise DatasetError(
            f"{path}: objectPresence is {presence.shape[0]} × {presence.shape[1]}, but there are"
            f" {len(names)} objectnames, {len(stems)} filenames and {len(kinds)} typesets"
        )
    if not np.isin(kinds, (TRAINING, VALIDATION)).all():
        row = int(np.flatnonzero(~np.isin(kinds, (TRAINING, VALIDATION)))[0])
        raise DatasetError(f"{path}: typeset of {stems[row]} should be 1 or 2, found {kinds[row]}")
    return Index(path, stems, kinds == TRAINING, names, presence.T)


def _columns(path: Path, names: tuple[str, ...], objects: Objects) -> list[list[int]]:
    """The index's columns of each object of the list; `DatasetError` for one without any."""
    columns: list[list[int]] = [[] for _ in objects.names]
    for column, name in enumerate(names):
        if (place := objects.place(name)) >= 0:
            columns[place].append(column)
    lacking = [name for name, group in zip(objects.names, columns, strict=True) if not group]
    if lacking:
        raise DatasetError(
            f"{path} has no object {lacking[0]!r}, which the list of objects has"
            f" ({len(lacking)} in all): index and list disagree"
        )
    return columns
