"""MetaShift: photographs of Visual Genome by what they show and in which context."""

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Generator, Tensor

from xbench import (
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Contexts,
    DatasetError,
    UnknownNameError,
    damaged_photos,
    data_home,
    location,
    square_photo,
)
from xbench_datasets.metashift.index import WHAT, Selection, in_test, selection
from xbench_datasets.missing_files import first_names
from xbench_datasets.photo_files import PhotoFile, PhotoFiles
from xbench_datasets.way_out import option

INDEX = "full-candidate-subsets.pkl"
IMAGES = ("images", "allImages/images")
"""Where photographs lie in the root: the first of these that is a folder."""
FAMILY = "contexts"
WAY_OUT = (
    f"{option('metashift')} says where images/ and full-candidate-subsets.pkl are, `index=FILE`"
    " likewise where another index is; docs/datasets.md says where to get them."
)


@dataclass(frozen=True)
class Metashift(PhotoFiles, Contexts, ConceptExamples):
    """Photographs of some animals, or other subjects, and what else they show.

    Ids are the numbers of the photographs. One that shows several of the classes is left out.
    """

    name: ClassVar[str] = "metashift"

    root: str = location("")
    """The folder of photographs and index; "" for the data folder's."""
    index: str = ""
    """An index of the same form that lies elsewhere; "" for `root`'s."""
    classes: tuple[str, ...] = ("bear", "bird", "cat", "dog", "elephant")
    minimum: int = 25
    """Contexts count if a class has so many images in them."""
    test_share: float = 0.3
    """The share of images in the split `test`."""
    size: int = 224
    """Side of concept examples in pixels."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if len(set(self.classes)) != len(self.classes) or not self.classes:
            raise ValueError(f"classes should be different names, got {', '.join(self.classes)}")
        if not 0 < self.test_share < 1:
            raise ValueError(f"test_share should be between 0 and 1, got {self.test_share}")
        if self.minimum < 1 or self.size < 1:
            raise ValueError("minimum and size should be 1 or more")

    def folder(self) -> Path:
        """The root."""
        root = Path(self.root).expanduser() if self.root else data_home() / self.name
        return root.absolute()

    def index_file(self) -> Path:
        """The file with the index; `DatasetError` if there is none."""
        file = Path(self.index).expanduser().absolute() if self.index else self.folder() / INDEX
        if not file.is_file():
            raise DatasetError(f"{WHAT}: {file} is not there. {WAY_OUT}")
        return file

    def check(self) -> None:
        """Name photographs that are missing, and what is wrong with the index."""
        present, ids = self._present(), list(self._selection().labels)
        if absent := [f"{image}.jpg" for image in ids if image not in present]:
            noun = "photograph is" if len(absent) == 1 else "photographs are"
            raise DatasetError(
                f"{WHAT}: {len(absent)} of {len(ids)} {noun} not in {self._images_folder()}:"
                f" {first_names(absent)}. {WAY_OUT}"
            )

    def verify(self) -> list[str]:
        """Every missing or damaged photograph of the classes."""
        try:
            ids = list(self._selection().labels)
            return damaged_photos([self._photo(image).path for image in ids])
        except DatasetError as error:
            return [str(error)]

    def fingerprint(self) -> str:
        """A hash of the index's content, and of labels, splits and sizes of the photographs."""
        digest = hashlib.sha256(self.index_file().read_bytes())
        present = self._present()
        for image, label in self._selection().labels.items():
            test = in_test(image, self.test_share)
            digest.update(f"{image} {label} {test} {present.get(image, 0)}\n".encode())
        return digest.hexdigest()[:32]

    def class_names(self) -> tuple[str, ...]:
        """The classes, as they were named."""
        return self.classes

    def splits(self) -> tuple[str, ...]:
        """Train and test, by a hash of the photograph's number."""
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        """Numbers of the split's photographs, ascending."""
        if split not in self.splits():
            raise UnknownNameError("split of metashift", split, self.splits())
        labels, test = self._selection().labels, split == "test"
        return [image for image in labels if in_test(image, self.test_share) == test]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's class in `classes`."""
        labels = self._selection().labels
        return torch.tensor([labels[image] for image in self._known(ids)], dtype=torch.int64)

    def photos(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The photographs, which are named by their numbers."""
        return [self._photo(image) for image in self._known(ids)]

    def left_out(self) -> int:
        """How many images show more than one of the classes, and are in no split therefore."""
        return self._selection().left_out

    def context_names(self) -> tuple[str, ...]:
        """All contexts that some class has in at least `minimum` images, sorted."""
        return tuple(self._selection().contexts)

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which contexts the index names for each image."""
        lists, images = self._selection().contexts.values(), self._known(ids)
        columns = [torch.tensor([image in members for image in images]) for members in lists]
        return torch.stack(columns, dim=1).bool()

    def concepts(self) -> tuple[Concept, ...]:
        """The contexts that photographs of none of the classes show too."""
        contexts, most = self._selection().pool_contexts, len(self._selection().pool)
        return tuple(
            Concept(name, FAMILY) for name, members in contexts.items() if 0 < len(members) < most
        )

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """Photographs in no split that the index names for the concept, and others.

        Fewer than `count` where there are not so many.
        """
        names = [concept.name for concept in self.concepts()]
        if name not in names:
            raise UnknownNameError("concept of metashift", name, names)
        members, present = self._selection().pool_contexts[name], self._present().keys()
        pools = (members & present, (self._selection().pool - members) & present)
        positive, negative = (self._examples(pool, name, count, generator) for pool in pools)
        return ConceptExamplesPair(positive, negative)

    def _examples(
        self, pool: frozenset[int], name: str, count: int, generator: Generator
    ) -> UInt8[Tensor, "n 3 s s"]:
        if not pool:
            raise DatasetError(
                f"{WHAT}: {self._images_folder()} has no photograph of none of the classes that"
                f" would tell with {name!r} from without. {WAY_OUT}"
            )
        ids, order = sorted(pool), torch.randperm(len(pool), generator=generator)[:count]
        images = [ids[place] for place in order.tolist()]
        return torch.stack([square_photo(*self._photo(image), self.size) for image in images])

    def _selection(self) -> Selection:
        file = self.index_file()
        return selection(file, file.stat().st_mtime_ns, self.classes, self.minimum)

    def _known(self, ids: Sequence[int]) -> Sequence[int]:
        labels = self._selection().labels
        for image in ids:
            if image not in labels:
                raise UnknownNameError("image id of metashift", str(image), ())
        return ids

    def _images_folder(self) -> Path:
        return _images_folder(self.folder())

    def _present(self) -> dict[int, int]:
        folder = self._images_folder()
        return _sizes(folder, folder.stat().st_mtime_ns) if folder.is_dir() else {}

    def _photo(self, image: int) -> PhotoFile:
        return PhotoFile(self._images_folder() / f"{image}.jpg", f"{WHAT}, image {image}")


def _images_folder(root: Path) -> Path:
    folders = (root / name for name in IMAGES if (root / name).is_dir())
    return next(folders, root / IMAGES[0])


@functools.lru_cache(maxsize=2)
def _sizes(folder: Path, changed: int) -> dict[int, int]:
    """Bytes of each numbered photograph."""
    files = (file for file in os.scandir(folder) if file.name.endswith(".jpg"))
    return {int(f.name[:-4]): f.stat().st_size for f in files if f.name[:-4].isdecimal()}
