"""What losses must do."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from xbench.errors import UsageError
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.loss import Loss, Targets
from xbench.randomness import generator
from xbench.testing.conformance.rules import Beside, Rule, close, finite, form, is_tensor, unchanged
from xbench.testing.tiny import CLASSES, tiny_batch, tiny_images


def rules(loss: Loss, beside: Beside) -> Iterator[Rule]:
    """None where it speaks of the classes of another dataset, or of files that are not here."""
    try:
        loss.check(tiny_images())
    except UsageError:
        return
    trial = Trial(loss)
    yield Rule("targets", trial.targets_faults)
    yield Rule("repeatable", trial.repeatable_faults)
    yield Rule("draws", trial.draws_faults)
    yield Rule("score", trial.score_faults)
    yield Rule("gradient", trial.gradient_faults)
    yield Rule("unchanged", trial.unchanged_faults)


DRAWS = 8
"""Generators that a loss is tried with."""


@dataclass(frozen=True)
class Trial:
    """A loss, and its targets for four images."""

    loss: Loss

    @cached_property
    def batch(self) -> Batch:
        """Of a dataset that can be asked about its classes."""
        return dataclasses.replace(tiny_batch(), source=tiny_images())

    @cached_property
    def targets(self) -> Targets:
        """Made once."""
        return self.make()

    @cached_property
    def logits(self) -> Tensor:
        """Random ones."""
        return torch.randn(len(self.batch.ids), CLASSES, generator=generator("logits"))

    def make(self, seed: int = 0, skipped: int = 0) -> Targets:
        """Make the targets, as of images that have the same labels and other ids."""
        ids = tuple(image + skipped * CLASSES for image in self.batch.ids)
        options: dict[str, Any] = {"classes": CLASSES, "epoch": 0}
        batch = dataclasses.replace(self.batch, ids=ids)
        return self.loss.targets(batch, generator=generator(seed), **options)

    def targets_faults(self) -> Iterator[str]:
        """A distribution over classes for each image."""
        images, distribution, count = *self.targets[:2], len(self.batch.ids)
        if not is_tensor(images, tuple(self.batch.images.shape)):
            yield f"gives as images {form(images)}, not as many and as large ones as it was given"
        if not is_tensor(distribution, (count, CLASSES)):
            yield f"makes as targets {form(distribution)} for {count} images, {CLASSES} classes"
        elif not (distribution >= 0).all():
            yield "has target distributions that are negative somewhere"
        elif not torch.allclose(distribution.sum(dim=1), distribution.new_ones(count)):
            yield "has target distributions that do not sum to 1"

    def repeatable_faults(self) -> Iterator[str]:
        """Randomness comes from the generator alone."""
        again = self.make()
        if not all(close(a, b) for a, b in zip(self.targets[:2], again[:2], strict=True)):
            yield "draws randomness from elsewhere than its generator"

    def draws_faults(self) -> Iterator[str]:
        """All batches of an epoch get the same generator: their ids tell draws apart."""
        draws = [self.make(seed)[:2] for seed in range(DRAWS)]
        others = [self.make(seed, skipped=1)[:2] for seed in range(DRAWS)]
        if not _alike(draws, draws[:1] * DRAWS) and _alike(draws, others):
            yield "draws the same for every batch: seed what is drawn with the ids of images"

    def score_faults(self) -> Iterator[str]:
        """One number."""
        score = self.loss.score(self.logits, self.targets)
        if not is_tensor(score, ()) or not finite(score):
            yield f"gives as its score {form(score)}, not one finite number"

    def gradient_faults(self) -> Iterator[str]:
        """The score is differentiable in the logits, in zeros too."""
        logits = torch.zeros_like(self.logits).requires_grad_()
        score = self.loss.score(logits, self.targets)
        (gradient,) = torch.autograd.grad(score, logits, allow_unused=True)
        if gradient is None or not finite(gradient):
            yield "is not differentiable in the logits"

    def unchanged_faults(self) -> Iterator[str]:
        """Images, labels, logits and targets are left as they are."""
        fresh = Trial(self.loss)
        given = {"images": fresh.batch.images, "labels": fresh.batch.known_labels()}
        with unchanged(self.loss, [], given):
            targets = fresh.make()
        with unchanged(self.loss, [], {"logits": fresh.logits, "targets": targets.distribution}):
            self.loss.score(fresh.logits, targets)
        yield from ()


def _alike(some: Sequence[tuple[Tensor, ...]], others: Sequence[tuple[Tensor, ...]]) -> bool:
    """Whether images and distributions are the same in all of the draws."""
    pairs = zip(some, others, strict=True)
    return all(close(a, b) for pair in pairs for a, b in zip(*pair, strict=True))
