"""Speed: about how long a training will take, from a few of its updates."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from xbench.errors import XbenchError
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Part
from xbench.interfaces.recipe import TrainingPlan
from xbench.networks.heads import head_layer
from xbench.networks.loading import blank_module
from xbench.randomness import derived_seed
from xbench.training.fitting import timed_update

FEW = 8
"""Images of the first update; a slow network is measured with so many alone."""
QUICK = 2.0
"""Seconds: an update that takes less is measured again, with a whole batch."""


@dataclass(frozen=True)
class _Some(Part):
    """A few images."""

    some: tuple[int, ...]

    def ids(self) -> tuple[int, ...]:
        """Their ids."""
        return self.some

    def tree(self) -> Tree:
        """Their ids: they are part of no key."""
        return {"ids": list(self.some)}


def training_seconds(plan: TrainingPlan, device: torch.device) -> float | None:
    """About how long the whole training takes on the device; None where that cannot be measured.

    A network with random weights is trained for a few updates, and forgotten.
    """
    ids = plan.images.ids()
    try:
        plan.images.batch(ids[:FEW])  # the first time something is loaded
        start = time.perf_counter()
        plan.images.batch(ids[-FEW:])
        reading = (time.perf_counter() - start) / len(ids[-FEW:])
        step = _seconds_of_update(plan, ids, device)
    except (XbenchError, ValueError, RuntimeError):  # whatever is wrong, the training says it
        return None
    return len(ids) * (reading + step * plan.training.epochs)


def _seconds_of_update(plan: TrainingPlan, ids: Sequence[int], device: torch.device) -> float:
    """Seconds of an update for each of its images."""
    random = replace(plan.classifier, weights="")
    for count in (FEW, plan.training.batch_size):
        some = replace(plan, images=replace(plan.images, part=_Some(tuple(ids[:count]))))
        module = blank_module(random, plan.classes, derived_seed("speed"))
        heads = tuple(filter(None, [head_layer(module, plan.classes)]))
        seconds = timed_update(some, module, heads, device)
        if seconds > QUICK:
            break
    return seconds / len(some.images.ids())
