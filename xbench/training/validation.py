"""Validation: what a trained module makes of images, and how it errs on them."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench.interfaces.data.annotation import ClassHierarchy
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.workplace import Workplace
from xbench.networks.network import Normalised


class Mistakes(NamedTuple):
    """How a network does on a split."""

    accuracy: float
    within_parent: float | None
    """The share of wrong predictions whose class has the same parent as the true one; None
    where the dataset has no hierarchy or nothing is wrong."""


def mistakes(
    plan: TrainingPlan, module: nn.Module, images: ImageSet, workplace: Workplace
) -> Mistakes:
    """How the trained module does on `images`."""
    return mistakes_in(module_outputs(plan, module, images, workplace), images)


def module_outputs(
    plan: TrainingPlan, module: nn.Module, images: ImageSet, workplace: Workplace
) -> Float[Tensor, "n outputs"]:
    """What the module makes of all the images, in evaluation mode, on the CPU."""
    network = Normalised(module, plan.classifier.normalisation()).to(workplace.device).eval()
    ids, outputs = images.ids(), [torch.zeros(0, plan.classes)]
    for start in range(0, len(ids), workplace.batch_size):
        batch = images.batch(ids[start : start + workplace.batch_size]).to(workplace.device)
        with torch.no_grad():
            outputs.append(network(batch.images).cpu())
    return torch.cat(outputs[1:] or outputs)


def mistakes_in(logits: Float[Tensor, "n classes"], images: ImageSet) -> Mistakes:
    """How right the largest logit of every image is."""
    guess, truth = logits.argmax(dim=1), images.dataset.labels(images.ids())
    wrong = guess != truth
    accuracy = float((~wrong).double().mean()) if len(wrong) else math.nan
    return Mistakes(accuracy, _within_parent(images.dataset, guess[wrong], truth[wrong]))


def _within_parent(dataset: Dataset, guess: Tensor, truth: Tensor) -> float | None:
    if not isinstance(dataset, ClassHierarchy) or not len(guess):
        return None
    parents = [ancestors[0] for ancestors in dataset.class_ancestors()]
    same = [parents[a] == parents[b] for a, b in zip(guess.tolist(), truth.tolist(), strict=True)]
    return sum(same) / len(same)
