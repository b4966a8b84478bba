"""Guessing the label that a network wrongly gave, with or without explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from xbench import UsageError, derived_seed
from xbench_study.designs.design import Design, enough, one_network, own_text
from xbench_study.designs.drafts import IMAGE, Draft, DraftOption, Scene

Distractors = Literal["random", "hard"]


class Mistake(NamedTuple):
    """An image that the network takes for something else."""

    image: int
    label: int
    predicted: int
    options: tuple[int, ...]
    """Classes to choose from, the predicted one among them, in no telling order."""


@dataclass(frozen=True)
class WrongLabel(Design):
    """Which label did the algorithm give? One option is the wrong one that it gave.

    "How Useful Are the Machine-Generated Interpretations to General Users?" (Shen and Huang, HCOMP
    2020). The distractors of an image are drawn once, from all classes but the correct and the
    predicted one, and are the same in all conditions.
    """

    name: ClassVar[str] = "wrong-label"

    images: int = 200
    """Mistakes that people are asked about."""
    options: int = 5
    """Labels to choose from."""
    distractors: Distractors = "random"
    """Drawn from all classes; or the classes that the network finds next likely."""
    apart: bool = False
    """Whether each image is shown in one condition alone (experiment 1), or in all (2)."""
    share: tuple[int, int] = (1, 1)
    """Which of how many shares of the network's mistakes the images come from: [1, 2] and [2, 2]
    have none in common, whatever else is asked."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 1 or self.options < 2:
            raise ValueError(
                f"images must be at least 1 and options at least 2, not {self.images} and "
                f"{self.options}"
            )
        if len(self.share) != 2 or not 1 <= self.share[0] <= self.share[1]:
            raise ValueError(f"share is [1, 2] for the first of two shares, not {[*self.share]}")

    @property
    def chance(self) -> float:  # type: ignore[override]
        """Guessing takes each option alike."""
        return 1 / self.options

    def text(self) -> str:
        """As the paper has it: one of the options, after five seconds at the earliest."""
        return own_text(self.name)

    def drafts(self, scene: Scene) -> Sequence[Draft]:
        """The mistakes, their pictures in each condition, and one for training."""
        mistakes, conditions = self.mistakes(scene), tuple(scene.entries)
        ids = [mistake.image for mistake in mistakes]
        pictures = [{IMAGE: photo} for photo in scene.photos(ids)]
        for condition in conditions:
            for shown, more in zip(pictures, scene.shown(condition, ids), strict=True):
                shown.update(more)
        return [
            Draft(
                image=mistake.image,
                pictures=shown,
                options=self._options(mistake, scene.names),
                label=scene.names[mistake.label],
                conditions=(conditions[place % len(conditions)],) if self.apart else (),
                facts={"true": mistake.label, "predicted": mistake.predicted},
            )
            for place, (mistake, shown) in enumerate(zip(mistakes, pictures, strict=True))
        ]

    def mistakes(self, scene: Scene) -> list[Mistake]:
        """The mistakes of the network that all conditions explain, evenly spread, with options."""
        entry = one_network(scene)
        logits, ids = scene.logits(entry), scene.images.ids()
        self._check_classes(logits.shape[1])
        places = {image: place for place, image in enumerate(ids)}
        predicted = logits.argmax(1).tolist()
        wrong = [i for i, given in zip(ids, predicted, strict=True) if given != scene.labels[i]]
        of, shares = self.share
        what = "mistakes of the network" + (f" in share {of} of {shares}" if shares > 1 else "")
        chosen = enough(wrong[of - 1 :: shares], self.images, what)
        return [
            self._mistake(image, scene.labels[image], logits[places[image]], scene.seed)
            for image in chosen
        ]

    def _check_classes(self, classes: int) -> None:
        if self.options > classes - 1:
            raise UsageError(
                f"{self.options} options are asked for, and of {classes} classes "
                f"{classes - 1} are not the correct one: -p protocol.design.options={classes - 1}"
            )

    def _mistake(self, image: int, label: int, logits: Tensor, seed: int) -> Mistake:
        predicted = int(logits.argmax())
        source = torch.Generator().manual_seed(derived_seed("distractors", seed, image))
        order = torch.randperm(len(logits), generator=source).tolist()
        if self.distractors == "hard":
            order = logits.argsort(descending=True).tolist()
        others = [c for c in order if c not in (label, predicted)][: self.options - 1]
        mixed = torch.randperm(self.options, generator=source).tolist()
        options = [predicted, *others]
        return Mistake(image, label, predicted, tuple(options[place] for place in mixed))

    def _options(self, mistake: Mistake, names: Sequence[str]) -> list[DraftOption]:
        return [
            DraftOption(label, names[label], right=label == mistake.predicted)
            for label in mistake.options
        ]
