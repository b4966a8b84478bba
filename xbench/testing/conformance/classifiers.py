"""What classifiers must do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from xbench.interfaces.classifier import Classifier
from xbench.networks.loading import blank_module
from xbench.randomness import generator
from xbench.testing.conformance.rules import (
    Beside,
    Rule,
    all_close,
    close,
    finite,
    form,
    is_tensor,
    unchanged,
)
from xbench.testing.tiny import CLASSES


def rules(classifier: Classifier, beside: Beside) -> Iterator[Rule]:
    """None for one with weights: these may have to be downloaded."""
    if classifier.weights:
        return
    trial = Trial(classifier)
    yield Rule("input", trial.input_faults)
    yield Rule("logits", trial.logits_faults)
    yield Rule("weights", trial.weights_faults)
    yield Rule("batches", trial.batches_faults)
    yield Rule("unchanged", trial.unchanged_faults)


@dataclass(frozen=True)
class Trial:
    """A classifier with random weights, and what it makes of two images."""

    classifier: Classifier

    @cached_property
    def module(self) -> nn.Module:
        """In evaluation mode."""
        return blank_module(self.classifier, CLASSES).eval().requires_grad_(requires_grad=False)

    @cached_property
    def images(self) -> Tensor:
        """Two."""
        size = self.classifier.input_size()
        return torch.rand(2, 3, size, size, generator=generator("images"))

    @cached_property
    def logits(self) -> Tensor:
        """Of both images together."""
        return self.module(self.images)

    def input_faults(self) -> Iterator[str]:
        """The side of the input and the normalisation are numbers that can be."""
        size, (mean, std) = self.classifier.input_size(), self.classifier.normalisation()
        if not isinstance(size, int) or size < 1:
            yield f"has an input of size {size!r}"
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            yield f"normalises by the mean {mean} and the deviation {std}"

    def logits_faults(self) -> Iterator[str]:
        """One finite logit for each image and class."""
        if not is_tensor(self.logits, (2, CLASSES)):
            yield f"makes as logits {form(self.logits)} for 2 images and {CLASSES} classes"
        elif not finite(self.logits):
            yield "makes logits that are NaN or infinite"

    def weights_faults(self) -> Iterator[str]:
        """Random weights come from torch's current generator."""
        again = blank_module(self.classifier, CLASSES)
        if not all_close(again.state_dict(), self.module.state_dict()):
            yield "draws random weights from elsewhere than torch's current generator"

    def batches_faults(self) -> Iterator[str]:
        """An image's logits do not depend on what else is in its batch."""
        if not close(self.module(self.images[1:]), self.logits[1:]):
            yield "makes other logits of an image when it is alone in its batch"

    def unchanged_faults(self) -> Iterator[str]:
        """A pass leaves weights and images as they are."""
        fresh = Trial(self.classifier)
        with unchanged(self.classifier, [fresh.module], {"images": fresh.images}):
            fresh.module(fresh.images)
        yield from ()
