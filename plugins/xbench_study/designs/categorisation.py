"""Naming what a picture shows, many people for each picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from xbench import UsageError
from xbench_study.designs.design import Collected, Design, enough, own_text
from xbench_study.designs.drafts import IMAGE, Draft, DraftOption, Scene
from xbench_study.material.item import Kind


@dataclass(frozen=True)
class Categorisation(Design):
    """What does the picture show? People's answers become human label counts.

    "Human Uncertainty Makes Classification More Robust" (Peterson, Battleday, Griffiths and
    Russakovsky, ICCV 2019), section 3: after a training phase images are named as quickly and as
    accurately as possible, and among them come obvious ones, which show who reads. Obvious are
    those that the benchmark's network is right and surest about.
    """

    name: ClassVar[str] = "categorisation"
    collects: ClassVar[Collected] = "labels"

    images: int = 200
    """Images that are named; as many of each class as can be."""
    checks: int = 20
    """Obvious images."""
    training: int = 1
    """Images of each class that are shown with their name beforehand."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 1 or self.checks < 0 or self.training < 0:
            raise ValueError("images must be at least 1, checks and training at least 0")

    def text(self) -> str:
        """As the paper has it: no limit of time, a check after every 20 images."""
        return own_text(self.name)

    def drafts(self, scene: Scene) -> Sequence[Draft]:
        """Images to name, obvious ones, and some of each class to learn the names from."""
        training, trials = self._by_class(scene)
        checks = self._obvious(scene, {*training, *trials})
        kinds: list[tuple[Kind, list[int]]] = [
            ("training", training),
            ("check", checks),
            ("trial", trials),
        ]
        return [draft for kind, ids in kinds for draft in _drafts(scene, kind, ids)]

    def _by_class(self, scene: Scene) -> tuple[list[int], list[int]]:
        """Images for training, and to be named."""
        training: list[int] = []
        trials: list[int] = []
        share, left = divmod(self.images, len(scene.classes))
        for place, label in enumerate(scene.classes):
            ids = [image for image, of in scene.labels.items() if of == label]
            wanted = share + (place < left)
            what = f"images of class {scene.names[label]!r}"
            chosen = enough(ids, self.training + wanted, what)
            training += chosen[: self.training]
            trials += chosen[self.training :]
        return training, trials

    def _obvious(self, scene: Scene, taken: set[int]) -> list[int]:
        """The images that the network is right and surest about, of those that are left."""
        if not self.checks:
            return []
        entry = next(iter(scene.entries.values()))
        shares = scene.logits(entry).double().softmax(1)
        sure = shares.amax(1).tolist()
        of = dict(
            zip(scene.images.ids(), zip(sure, shares.argmax(1).tolist(), strict=True), strict=True)
        )
        right = [
            image
            for image, (_, given) in of.items()
            if given == scene.labels[image] and image not in taken
        ]
        if len(right) < self.checks:
            raise UsageError(
                f"{self.checks} obvious images are asked for, and the network is right about "
                f"{len(right)} others: -p protocol.design.checks={len(right)}"
            )
        return sorted(right, key=lambda image: -of[image][0])[: self.checks]


def _drafts(scene: Scene, kind: Kind, ids: Sequence[int]) -> Iterator[Draft]:
    names = scene.names
    for image, photo in zip(ids, scene.photos(ids), strict=True):
        label = scene.labels[image]
        yield Draft(
            image=image,
            pictures={IMAGE: photo},
            options=[DraftOption(k, names[k], right=k == label) for k in scene.classes],
            kind=kind,
            label=names[label] if kind == "training" else "",
            facts={"true": label},
        )
