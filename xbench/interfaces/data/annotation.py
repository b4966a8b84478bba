"""Kinds of annotation: a dataset has a kind by implementing its class.

Every method that takes `ids` returns one item per id, in that order. Coordinates are
pixels of the dataset's own images, x to the right and y down, the centre of the first
pixel at (0.5, 0.5); an `ImageSet` carries them through its transform.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import UnionType
from typing import NamedTuple, TypeAlias, get_args

from jaxtyping import Bool, Float, Float64, Int, Int16, Int64, UInt8
from torch import Generator, Tensor


class Annotation(ABC):
    """The root of all annotation kinds."""


AnnotationKind: TypeAlias = type[Annotation] | UnionType
"""A kind of annotation, or several of which any will do: `PartMasks | ObjectBoxes`."""


class PartPoints(Annotation):
    """One point for each part of each image."""

    @abstractmethod
    def part_names(self) -> tuple[str, ...]:
        """Names of the parts; `class_attributes` speaks of them by index."""

    @abstractmethod
    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n parts 3"]:
        """x, y and visibility (0 or 1) of each part; x and y of a hidden part mean nothing."""


class PartMasks(Annotation):
    """A label map for each image."""

    @abstractmethod
    def mask_names(self) -> tuple[str, ...]:
        """Names of the parts or objects that label maps speak of by index."""

    @abstractmethod
    def part_masks(self, ids: Sequence[int]) -> Sequence[Int16[Tensor, "_ _"]]:
        """For each pixel the index of the part it shows, −1 where it shows none."""


class ObjectBoxes(Annotation):
    """One upright box for each image, around the object that its label names."""

    @abstractmethod
    def object_boxes(self, ids: Sequence[int]) -> Float[Tensor, "n 4"]:
        """The upper left corner, x and y, then width and height; inside the image.

        All four are NaN where an image has no box.
        """


class PartRemovals(Annotation):
    """Images can be rendered again without some of their parts, all else being as it was."""

    exact_removals: bool = True
    """Whether no pixel changes outside the masks; false where edges or shadows do."""

    @abstractmethod
    def images_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n masks"]
    ) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images, each without the parts that are marked for it.

        Parts are those of `PartMasks.mask_names`. Outside the masks of its removed parts no pixel
        of an image changes where removals are exact; with nothing marked none does. An image of
        which there is no such picture is refused with a `DatasetError`.
        """


class PartRedraws(Annotation):
    """Images can be rendered again with other values of some parts' attributes."""

    @abstractmethod
    def images_redrawn(
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n masks"], draw: int
    ) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images, values of the marked parts drawn from the mixture of all classes.

        Parts are those of `PartMasks.mask_names`; `draw`, at least 0, counts independent draws.
        All else is as it was.
        """


class PartAttribute(NamedTuple):
    """One attribute of one part, such as the colour of the back."""

    part: int
    name: str
    values: tuple[str, ...]
    frequencies: Float64[Tensor, "classes values"]
    """Per cent of the images of a class that show a value; rows need not sum to 100."""


class ClassAttributes(Annotation):
    """How often each class shows each value of each part's attributes."""

    @abstractmethod
    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """All attributes of all parts, ordered by part."""


class ClassHierarchy(Annotation):
    """A tree above the classes."""

    @abstractmethod
    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """For each class its ancestors, nearest first."""


class Contexts(Annotation):
    """The settings in which images were taken, and what else they show beside their class."""

    @abstractmethod
    def context_names(self) -> tuple[str, ...]:
        """Names of the settings."""

    @abstractmethod
    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which of the settings each image shows: none, one or several."""


class Concept(NamedTuple):
    """A human concept and the family it belongs to."""

    name: str
    family: str


class ConceptExamplesPair(NamedTuple):
    """Images that show a concept, and images that do not."""

    positive: UInt8[Tensor, "n 3 h w"]
    negative: UInt8[Tensor, "n 3 h w"]


class ConceptExamples(Annotation):
    """Images with and without each of a list of human concepts."""

    @abstractmethod
    def concepts(self) -> tuple[Concept, ...]:
        """The concepts of which there are examples."""

    @abstractmethod
    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """`count` images with and `count` without the concept, none of them in any split."""


class AnnotatorLabels(NamedTuple):
    """Labels one by one, with who gave them."""

    places: Int64[Tensor, " labels"]
    """Of the images, in the ids that were asked for."""
    annotators: Int64[Tensor, " labels"]
    """Numbers from 0 on, the same for all images of the dataset."""
    classes: Int64[Tensor, " labels"]


class HumanLabels(Annotation):
    """Labels that several annotators gave to each image."""

    simulated: bool = False
    """Whether the annotators are simulated rather than people."""

    @abstractmethod
    def label_counts(self, ids: Sequence[int]) -> Int[Tensor, "n classes"]:
        """How many annotators chose each class."""

    def annotator_labels(self, ids: Sequence[int]) -> AnnotatorLabels | None:
        """The labels that are counted there, one by one; None unless it is known who gave which."""
        return None


class IdealObserver(Annotation):
    """What an observer who knows how images come about can say of them, exactly."""

    @abstractmethod
    def part_likelihoods(self, ids: Sequence[int]) -> Float64[Tensor, "n parts classes"]:
        """P(attribute values of the part | class); 1 for every class where it is hidden."""

    @abstractmethod
    def class_posterior(self, ids: Sequence[int]) -> Float64[Tensor, "n classes"]:
        """P(class | attribute values of all visible parts); rows sum to 1."""


def annotation_kinds(cls: type) -> tuple[type[Annotation], ...]:
    """The annotation kinds that a dataset class implements, in the order they stand here."""
    return tuple(kind for kind in Annotation.__subclasses__() if issubclass(cls, kind))


def kinds_of(need: AnnotationKind) -> tuple[type[Annotation], ...]:
    """The kinds of which any will do: one, or those of a union."""
    return get_args(need) if isinstance(need, UnionType) else (need,)
