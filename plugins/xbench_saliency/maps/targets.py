"""Targets: which class of an image is explained, and against which other one."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from xbench import Batch, Explainer, ImageSet, MismatchError, ParameterError, UnknownNameError

Target = int | str
"""`predicted` (the most probable class), the image's `label`, or a class's number or name."""
Against = int | str
"""Nothing (""), `runner-up` (the most probable class beside the one explained), or a class's number
or name."""
WORDS = {"target": ("predicted", "label"), "against": ("", "runner-up")}
"""What is no name of a class."""


class Explained(NamedTuple):
    """What of each image is explained: the logit of a class, or a difference of two logits."""

    classes: Int64[Tensor, " n"]
    against: Int64[Tensor, " n"] | None
    probabilities: Float64[Tensor, " n"]
    """That the network gives the classes."""

    def values(self, logits: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
        """The logit of each image's class, less that of the class it is contrasted with."""
        own = logits.gather(1, self.classes[:, None])[:, 0]
        if self.against is None:
            return own
        return own - logits.gather(1, self.against[:, None])[:, 0]

    def of(self, places: Int64[Tensor, " m"]) -> "Explained":
        """What is explained of the images at these places, any of them more than once."""
        places = places.to(self.classes.device)
        others = None if self.against is None else self.against[places]
        return Explained(self.classes[places], others, self.probabilities[places])


def explained(
    target: Target, against: Against, logits: Float[Tensor, "n classes"], batch: Batch
) -> Explained:
    """What is explained; `ParameterError` where a class is contrasted with itself.

    `MismatchError` where labels or names are asked for and not known, `ParameterError` for a number
    and `UnknownNameError` for a name that no class has.
    """
    classes = target_classes(target, logits, batch)
    shares = logits.double().softmax(1).gather(1, classes[:, None])[:, 0]
    if against == "":
        return Explained(classes, None, shares)
    if against == "runner-up":
        others = logits.scatter(1, classes[:, None], float("-inf")).argmax(1)
        return Explained(classes, others, shares)
    others = _of_class("against", against, logits, batch)
    if (others == classes).any():
        raise ParameterError(
            f"against is {against}, which is also the class that is explained of some images; "
            'take against = "runner-up"'
        )
    return Explained(classes, others, shares)


def target_classes(
    target: Target, logits: Float[Tensor, "n classes"], batch: Batch
) -> Int64[Tensor, " n"]:
    """The class of each image; `MismatchError` where labels or names are asked for and not known.

    `ParameterError` for a number and `UnknownNameError` for a name that no class has.
    """
    if target == "label":
        return batch.known_labels().to(logits.device)
    if target == "predicted":
        return logits.argmax(1)
    return _of_class("target", target, logits, batch)


def check_names(explainer: Explainer, images: ImageSet) -> None:
    """`UnknownNameError` for a class in its `target` or `against` that the images do not have."""
    names = images.dataset.class_names()
    for what, words in WORDS.items():
        value = getattr(explainer, what, None)
        if isinstance(value, str) and value not in words:
            _number(what, value, names)


def _number(what: str, name: str, names: Sequence[str]) -> int:
    if name not in names:
        raise UnknownNameError(f"class in {what}", name, (*filter(None, WORDS[what]), *names))
    return names.index(name)


def _of_class(
    what: str, number: int | str, logits: Float[Tensor, "n classes"], batch: Batch
) -> Int64[Tensor, " n"]:
    if isinstance(number, str):
        if batch.source is None:
            raise MismatchError(
                f"{what} is {number!r}, and names of classes are known of a dataset's images "
                "alone; give the class's number"
            )
        number = _number(what, number, batch.source.dataset.class_names())
    if not 0 <= number < logits.shape[1]:
        message = f"{what} is {number}, and the network has the classes 0 to {logits.shape[1] - 1}"
        raise ParameterError(message)
    return torch.full((len(logits),), number, device=logits.device)
