"""Rating how reasonable single mistakes are, without knowing whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from xbench import ParameterError, Similarity
from xbench_study.designs.design import Design, enough, own_text
from xbench_study.designs.drafts import IMAGE, Draft, DraftOption, Scene


@dataclass(frozen=True)
class MistakeRating(Design):
    """How reasonable is it to take this for that? People rate mistakes of several classifiers.

    "Not All Failure Modes are Created Equal" (Olmo, Sengupta and Kambhampati 2020), Table 4: the
    images are such as all classifiers miss; which classifier a mistake is of is hidden.
    """

    name: ClassVar[str] = "mistake-rating"
    measures: ClassVar[str] = "degree"

    images: int = 50
    """Images whose mistakes are rated, one mistake of each classifier."""
    similarity: Similarity | None = None
    """How alike classes are; with `below`, which images count as missed badly enough."""
    below: float = 1.0
    """Only images of which each classifier's mistake has a similarity below this."""

    def __post_init__(self) -> None:
        """Refuse impossible counts."""
        if self.images < 1:
            raise ValueError(f"images must be at least 1, not {self.images}")

    def text(self) -> str:
        """As the paper has it: five degrees, and "I cannot tell"."""
        return own_text(self.name)

    def drafts(self, scene: Scene) -> Sequence[Draft]:
        """One item for each image and classifier."""
        given = {name: self._predicted(scene, name) for name in scene.entries}
        ids = enough(self._missed(scene, given), self.images, "images that all classifiers miss")
        names = scene.names
        return [
            Draft(
                image=image,
                pictures={IMAGE: photo},
                options=[DraftOption(predicted[image], names[predicted[image]])],
                label=names[scene.labels[image]],
                conditions=(condition,),
                facts={
                    "true": scene.labels[image],
                    "predicted": predicted[image],
                    f"predicted by {condition}": predicted[image],
                },
            )
            for image, photo in zip(ids, scene.photos(ids), strict=True)
            for condition, predicted in given.items()
        ]

    def _predicted(self, scene: Scene, condition: str) -> dict[int, int]:
        """The class that a classifier gives to each image."""
        logits = scene.logits(scene.entries[condition])
        return dict(zip(scene.images.ids(), logits.argmax(1).tolist(), strict=True))

    def _missed(self, scene: Scene, given: dict[str, dict[int, int]]) -> list[int]:
        missed = [
            image
            for image, label in scene.labels.items()
            if all(predicted[image] != label for predicted in given.values())
        ]
        if self.similarity is None:
            if self.below != 1.0:
                raise ParameterError("below is a similarity: say which with design.similarity")
            return missed
        matrix = self.similarity.matrix(scene.images.dataset)
        return [
            image
            for image in missed
            if all(
                float(matrix[scene.labels[image], predicted[image]]) < self.below
                for predicted in given.values()
            )
        ]
