"""What is seen of an image: its map, its parts, and what they do; and the row that it makes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int16, Int64
from torch import Tensor

from xbench import Case, ImageSet, MismatchError, PartMasks, annotated
from xbench_saliency.kernels.parts import outside_share, part_areas, part_sums, widened_sums
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.part_deletion.effects import PartEffects
from xbench_saliency.part_deletion.rows import NONE, ImageRow


class Seen(NamedTuple):
    """An image, where its parts are, what its map says of each, and what they do."""

    case: Case
    saliency: SaliencyMap
    effects: PartEffects
    mask: Int16[Tensor, "h w"]
    values: Float32[Tensor, "h w"]
    """The map at the size of the image."""
    areas: Int64[Tensor, " parts"]
    sums: Float64[Tensor, " parts"]
    wide_sums: Float64[Tensor, " parts"]

    @property
    def changed(self) -> Bool[Tensor, " parts"]:
        """Which parts were changed one by one: those that are large enough."""
        changed = torch.zeros(len(self.areas), dtype=torch.bool)
        changed[self.effects.parts] = True
        return changed


class Checked(NamedTuple):
    """Whether an image's prediction stays, or goes, with its important parts, by threshold."""

    preserved: Sequence[float]
    deleted: Sequence[float]


def map_of(saliency: SaliencyMap, mask: Int16[Tensor, "h w"]) -> Float32[Tensor, "h w"]:
    """The map at the size of the image; `MismatchError` if the mask has another one."""
    if saliency.size != tuple(mask.shape):
        sizes = ["x".join(map(str, size)) for size in (saliency.size, mask.shape)]
        raise MismatchError(
            f"a map is for an image of {sizes[0]} pixels, and the part mask of its image has "
            f"{sizes[1]}; explain the images as the benchmark's transform makes them"
        )
    return saliency.at_image_size().float()


def seen_images(
    test: ImageSet,
    cases: Sequence[Case],
    saliency: Sequence[SaliencyMap],
    effects: Sequence[PartEffects],
    width: int,
) -> list[Seen]:
    """One for each case; parts are widened by `width` pixels where FunnyBirds sums over them."""
    if not cases:
        return []
    parts = len(annotated(test.dataset, PartMasks).mask_names())
    masks = test.part_masks([case.id for case in cases])
    values = torch.stack([map_of(one, mask) for one, mask in zip(saliency, masks, strict=True)])
    of_parts = part_areas(masks, parts), part_sums(values, masks, parts)
    pairs = zip(values, masks, strict=True)
    wide = [widened_sums(own, mask, parts, width) for own, mask in pairs]
    columns = zip(cases, saliency, effects, masks, values, *of_parts, wide, strict=True)
    return [Seen(*column) for column in columns]


def image_row(
    seen: Seen,
    evidence: Float64[Tensor, " parts"] | None,
    checked: Checked,
    sensitivity: float,
    names: Sequence[str],
) -> ImageRow:
    """The row of an image: of the parts that were changed, and of the whole."""
    label, against, chosen = seen.saliency.label, seen.saliency.against, seen.effects.parts
    return ImageRow(
        case=seen.case,
        label=label,
        against=NONE if against is None else against,
        parts=[names[part] for part in chosen.tolist()],
        pixels=seen.areas[chosen].tolist(),
        drops=seen.effects.drops(label, against).tolist(),
        log_drops=seen.effects.log_drops(label).tolist(),
        evidence=[] if evidence is None else evidence[chosen].tolist(),
        sums=seen.sums[chosen].tolist(),
        wide_sums=seen.wide_sums[chosen].tolist(),
        too_small=int(((seen.areas > 0) & ~seen.changed).sum()),
        background_share=outside_share(seen.values, seen.mask),
        preserved=checked.preserved,
        deleted=checked.deleted,
        sensitivity=sensitivity,
    )
