"""Classes that a study leaves out."""

from collections.abc import Sequence
from dataclasses import dataclass

from xbench import Dataset, ImageSet, Part, Tree, UsageError


@dataclass(frozen=True)
class WithoutClasses(Part):
    """The images of a split that are of none of these classes."""

    dataset: Dataset
    split: str
    labels: tuple[int, ...]

    def ids(self) -> tuple[int, ...]:
        """In the split's order."""
        ids = list(self.dataset.ids(self.split))
        labels = self.dataset.labels(ids).tolist()
        return tuple(i for i, label in zip(ids, labels, strict=True) if label not in self.labels)

    def tree(self) -> Tree:
        """The classes that are left out."""
        return {"without classes": list(self.labels)}


def without_classes(images: ImageSet, names: Sequence[str]) -> ImageSet:
    """The images of other classes; `UsageError` for a name that no class has."""
    known = images.dataset.class_names()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"no class is called {unknown[0]!r}, so it cannot be left out; `xbench study new` "
            "without --without names those that may disturb"
        )
    if not names:
        return images
    labels = tuple(sorted({known.index(name) for name in names}))
    part = WithoutClasses(images.dataset, images.split, labels)
    return ImageSet(images.dataset, images.split, images.transform, part)
