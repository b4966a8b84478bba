"""FunnyBirds' preservation and deletion checks: are a map's important parts enough, and needed."""

from collections.abc import Sequence

import torch

from xbench_saliency.kernels.parts import important_parts
from xbench_saliency.part_deletion.interventions import ChangedImages
from xbench_saliency.part_deletion.seen import Checked, Seen

NO_CHECKS = Checked((), ())


def checks(
    images: Sequence[Seen], changes: ChangedImages, thresholds: Sequence[float]
) -> list[Checked]:
    """Of each image, at each threshold, whether its prediction is preserved, and is deleted.

    A part is important if the map has more than that share of its total on the widened part. The
    prediction is preserved if it stays without all other parts, and deleted if it changes without
    the important ones.
    """
    if not (images and thresholds):
        return [NO_CHECKS] * len(images)
    levels = torch.tensor(thresholds, dtype=torch.float64)
    important = torch.stack(
        [important_parts(one.wide_sums, float(one.values.double().sum()), levels) for one in images]
    )
    ids = [one.case.id for one in images]
    sets = torch.cat([~important, important], dim=1)
    predicted = changes.logits(ids, sets).argmax(2)
    before = torch.stack([one.effects.logits for one in images]).argmax(1)
    stays = (predicted == before[:, None]).double()
    count = len(thresholds)
    return [Checked(own[:count].tolist(), (1 - own[count:]).tolist()) for own in stays]
