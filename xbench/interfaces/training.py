"""Training: what it consists of."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

from xbench.interfaces.component import Tree, plain


@dataclass(frozen=True)
class Training:
    """How a classifier is trained. `ValueError` for a value that cannot be."""

    epochs: int = 20
    """0 takes the weights as they are."""
    batch_size: int = 64
    optimiser: str = "adamw"
    """One of timm's. `momentum` is plain SGD with momentum, `sgd` has Nesterov's."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    decay_all: bool = False
    """Whether biases and the parameters of normalisation layers decay as well."""
    momentum: float = 0.9
    schedule: str = "cosine"
    """One of timm's, stepped at every update; "none" keeps the rate."""
    warmup_epochs: float = 0.0
    decay_epochs: float = 30.0
    """After how many epochs the schedule "step" multiplies the rate by `decay_rate`."""
    decay_rate: float = 0.1
    final_rate: float = 0.0
    """Where the schedule "cosine" ends."""
    body_rate: float = 1.0
    """The learning rate of everything but the head is multiplied by this; 0 freezes it."""
    frozen_epochs: int = 0
    """For how many epochs only the head learns, and the body is in evaluation mode."""
    new_head: bool = False
    """Whether the head starts from random weights, also where there are others for it."""
    augmentation: Literal["batched", "timm"] = "batched"
    flip: float = 0.5
    """How often an image is mirrored."""
    shift: int = 0
    """"batched": how far an image is moved at most, in pixels."""
    crop_scale: tuple[float, float] = (1.0, 1.0)
    """Area of the random crop that is enlarged to the full image; (1, 1) for none."""
    crop_ratio: tuple[float, float] = (0.75, 4 / 3)
    """Width / height of the random crop."""
    colour_jitter: float = 0.0
    """"timm" only."""
    auto_augment: str = ""
    """"timm" only: a policy such as "rand-m9-mstd0.5"."""
    erasing: float = 0.0
    """"timm" only: how often a rectangle is erased."""

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("epochs", "shift", "frozen_epochs", "learning_rate", "body_rate", "flip"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it cannot be negative")
        if self.batch_size < 2:
            raise ValueError(f"batch_size is {self.batch_size}; training needs at least 2")
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            raise ValueError(f"crop_scale is ({low}, {high}); it needs 0 < low <= high <= 1")
        single = {"colour_jitter": 0.0, "auto_augment": "", "erasing": 0.0}
        for name, off in single.items():
            if self.augmentation != "timm" and getattr(self, name) != off:
                raise ValueError(f'{name} needs augmentation = "timm"')

    def tree(self) -> Tree:
        """The fields as plain values."""
        return {field.name: plain(getattr(self, field.name)) for field in dataclasses.fields(self)}
