"""Naming the two classes between which a piece of an image leaves doubt."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import comb
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor

from xbench import MismatchError, PairRegion, UsageError, derived_seed, subject_of
from xbench_study.designs.design import Design, one_network, own_text
from xbench_study.designs.drafts import Draft, DraftOption, Picture, Scene
from xbench_study.shown.shown_region import ShownRegion

Distractors = Literal["random", "top-5"]


class Doubt(NamedTuple):
    """An image, the two classes of its strongest region, and what each condition shows of it."""

    image: int
    classes: tuple[int, int]
    pictures: dict[str, Picture]


@dataclass(frozen=True)
class AmbiguousPair(Design):
    """Which two of five classes could this piece of an image be of? Two of them compete in it.

    "Deliberative Explanations: visualizing network insecurities" (Wang and Vasconcelos, NeurIPS
    2019), section 6. The images are those of which the network is least sure; the classes, and
    the images that stand for them, are drawn once for an image and are the same in all conditions.
    """

    name: ClassVar[str] = "ambiguous-pair"

    images: int = 100
    """Images of which a piece is shown."""
    options: int = 5
    """Classes to choose two from."""
    distractors: Distractors = "random"
    """The other classes: drawn from all, or those that the network finds most likely."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 1 or self.options < 3:
            raise ValueError(
                f"images must be at least 1 and options at least 3, not {self.images} and "
                f"{self.options}"
            )

    @property
    def chance(self) -> float:  # type: ignore[override]
        """Guessing takes each pair alike."""
        return 1 / comb(self.options, 2)

    def text(self) -> str:
        """As the paper has it: two of the classes, each shown by an image, or "don't know"."""
        return own_text(self.name)

    def drafts(self, scene: Scene) -> Sequence[Draft]:
        """One item for each image, with the same options in all conditions."""
        if self.options > len(scene.classes):
            raise UsageError(
                f"{self.options} options are asked for, and there are {len(scene.classes)} "
                f"classes: -p protocol.design.options={len(scene.classes)}"
            )
        logits = scene.logits(one_network(scene))
        places = {image: place for place, image in enumerate(scene.images.ids())}
        return [self._draft(scene, of, logits[places[of.image]]) for of in self._doubts(scene)]

    def _doubts(self, scene: Scene) -> list[Doubt]:
        """As many as asked for; what was left out on the way is counted."""
        left_out: Counter[str] = Counter()
        doubts = list(islice(self._every(scene, left_out), self.images))
        reasons = "; ".join(f"{count} have {reason}" for reason, count in left_out.items())
        if len(doubts) < self.images:
            raise UsageError(
                f"{self.images} images with a region of two classes are asked for, and there are "
                f"{len(doubts)} (of the others {reasons or 'there are none'}); ask for fewer with "
                f"-p protocol.design.images={len(doubts)}"
            )
        if reasons:
            scene.remarks.append(f"images left out: {reasons}")
        return doubts

    def _every(self, scene: Scene, left_out: Counter[str]) -> Iterator[Doubt]:
        """From the image that the network is least sure of; a block is explained when it is due."""
        ids, display = _hardest(scene), _displays(scene)[0]
        for start in range(0, len(ids), self.images):
            block = ids[start : start + self.images]
            made = scene.bench.explanations(
                display.of, subject_of(one_network(scene)), scene.images, block
            )
            pieces = [display.strongest(one) for one in made]
            shown = [scene.shown(condition, block) for condition in scene.entries]
            for image, piece, *pictures in zip(block, pieces, *shown, strict=True):
                fault = display.fault(piece) or _unshown(scene, image, piece)
                if piece is None or fault:
                    left_out[fault] += 1
                else:
                    yield Doubt(
                        image, piece.classes, {n: p for of in pictures for n, p in of.items()}
                    )

    def _draft(self, scene: Scene, of: Doubt, logits: Tensor) -> Draft:
        source = torch.Generator().manual_seed(derived_seed("pair", scene.seed, of.image))
        order = torch.randperm(len(logits), generator=source).tolist()
        if self.distractors == "top-5":
            order = logits.argsort(descending=True).tolist()
        known = [label for label in order if _samples(scene, of.image, label)]
        others = [label for label in known if label not in of.classes][: self.options - 2]
        labels = sorted((*of.classes, *others))
        samples = [_sample(scene, of.image, label, source) for label in labels]
        return Draft(
            image=of.image,
            pictures=of.pictures,
            options=[
                DraftOption(label, pictures=(photo,), right=label in of.classes)
                for label, photo in zip(labels, scene.photos(samples), strict=True)
            ],
            facts={"true": scene.labels[of.image], "a": of.classes[0], "b": of.classes[1]},
        )


def _displays(scene: Scene) -> list[ShownRegion]:
    """What conditions show: regions, and pieces at random places, of one explainer's."""
    displays = [entry.required_explainer for entry in scene.entries.values()]
    regions = [display for display in displays if isinstance(display, ShownRegion)]
    if len(regions) < len(displays) or any(_shared(of) != _shared(regions[0]) for of in regions):
        raise MismatchError(
            "conditions of ambiguous-pair show regions of one explainer, of one coverage: write "
            'explainer = { name = "shown-region", of = … } in each, with place = "random" for the '
            "control"
        )
    return regions


def _shared(display: ShownRegion) -> dict[str, object]:
    """Its parameters, but for the condition and the place."""
    return {n: v for n, v in display.parameters().items() if n not in {"condition", "place"}}


def _hardest(scene: Scene) -> list[int]:
    """All images, from the largest entropy of the network's answer down."""
    logits = scene.logits(one_network(scene)).double().log_softmax(1)
    entropy = -(logits.exp() * logits).sum(1)
    order = entropy.argsort(descending=True, stable=True).tolist()
    ids = scene.images.ids()
    return [ids[place] for place in order]


def _unshown(scene: Scene, image: int, piece: PairRegion | None) -> str:
    """Why the two classes cannot be shown; "" where they can."""
    classes = piece.classes if piece else ()
    shown = all(_samples(scene, image, label) for label in classes)
    return "" if shown else "a class of which there is no other image"


def _samples(scene: Scene, image: int, label: int) -> list[int]:
    """The images of a class that may stand for it: not the one that is asked about."""
    return [other for other, of in scene.labels.items() if of == label and other != image]


def _sample(scene: Scene, image: int, label: int, source: Generator) -> int:
    """A random one of them."""
    samples = _samples(scene, image, label)
    return samples[int(torch.randint(len(samples), (), generator=source))]
