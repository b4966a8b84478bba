"""Where images show what counts: in masks of parts or objects, or in boxes around objects."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from xbench import Dataset, ImageSet, MismatchError, PartMasks, UnknownNameError, annotated
from xbench_saliency.kernels.pointing import boxed


def object_masks(
    test: ImageSet, ids: Sequence[int], parts: Sequence[str]
) -> Bool[np.ndarray, "n h w"]:
    """Pixels of the named parts, or of all that masks show; of a box where there are no masks."""
    if not isinstance(test.dataset, PartMasks):
        (size,) = set(test.sizes(ids))
        return boxed(test.object_boxes(ids).numpy(), size)
    labels, counted = test.part_masks(ids).numpy(), part_numbers(test.dataset, parts)
    return np.isin(labels, counted) if parts else labels >= 0


def part_numbers(dataset: Dataset, parts: Sequence[str]) -> list[int]:
    """The numbers of parts in label maps; `UnknownNameError` for names of none.

    `MismatchError` where the dataset has boxes alone, which have no parts.
    """
    if not parts:
        return []
    if not isinstance(dataset, PartMasks):
        raise MismatchError(
            f"dataset {dataset.name!r} has no masks of parts, which protocol.parts names; "
            "without it the box around the object counts"
        )
    names = annotated(dataset, PartMasks).mask_names()
    return [_number(part, names) for part in parts]


def _number(part: str, names: Sequence[str]) -> int:
    if part not in names:
        raise UnknownNameError("part in protocol.parts", part, names)
    return names.index(part)
