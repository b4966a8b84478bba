"""toybirds: the embedded dataset."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, Int8, Int16, Int64, UInt8
from torch import Generator, Tensor

from xbench import (
    ClassAttributes,
    ClassHierarchy,
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Contexts,
    Dataset,
    HumanLabels,
    IdealObserver,
    ObjectBoxes,
    PartAttribute,
    PartMasks,
    PartPoints,
    PartRedraws,
    PartRemovals,
    Tree,
    fingerprint,
)
from xbench_toybirds.concepts import catalogue
from xbench_toybirds.confounding import Confounding
from xbench_toybirds.drawing import parts, removal
from xbench_toybirds.drawing.contexts import CONTEXTS
from xbench_toybirds.drawing.render import render, render_regions
from xbench_toybirds.drawing.scene import FRAME, SHIFTED, USUAL, Scenes, draw_scenes
from xbench_toybirds.interventions import checked_marks, pixels_redrawn, redrawn_values, variants_of
from xbench_toybirds.observing import annotators, observer
from xbench_toybirds.recent import Recent
from xbench_toybirds.refusal import refuse
from xbench_toybirds.splits import REDRAWN, SPAN, SPLITS, Splits, are_of, labels_of, whole
from xbench_toybirds.world import ATTRIBUTES, CLASSES, GENERA, NDIFF, PARTS, World, genus_of

RENDERING = 4
"""Raised with every change that alters an image, a label or an annotation."""

_NO_PART_IN_TRAINING = (
    *("validation", "test", "shifted", "fresh_seed"),
    *("annotators", "attention", "lapses"),
)


class _View(NamedTuple):
    scenes: Scenes
    regions: Int8[np.ndarray, "n h w"]
    visible: Bool[np.ndarray, "n parts"]


@dataclass(frozen=True)
class Toybirds(
    Dataset,
    PartPoints,
    PartMasks,
    ObjectBoxes,
    PartRemovals,
    PartRedraws,
    ClassAttributes,
    ClassHierarchy,
    Contexts,
    ConceptExamples,
    HumanLabels,
    IdealObserver,
):
    """Drawn birds of four genera with five species each, known exactly.

    An image is a function of the fields and its id alone, the same on every machine.
    """

    name: ClassVar[str] = "toybirds"
    simulated = True

    seed: int = 0
    """Decides the classes as well as the images."""
    train: int = 6000
    """Number of images of each split; an image does not depend on it."""
    validation: int = 500
    test: int = 1000
    shifted: int = 1000
    """Images taken under other conditions: smaller, darker, noisier, more often covered."""
    ndiff: int = 5
    """In how many parts any two species of a genus differ."""
    colour_concentration: float = 0.7
    """How often a part shows the colour that is typical of the class."""
    shape_concentration: float = 0.8
    """How often a part shows the pattern or shape that is typical of the class."""
    kinship: float = 0.5
    """How much of the rest falls on the two other values that are usual in the genus."""
    confounded_class: str = ""
    """The class that `confounded_context` goes with in train and validation; "" for none."""
    confounded_context: str = ""
    confound_strength: float = 0.0
    """How often the context of the confounded class is set to the confounded context."""
    annotators: int = 50
    """How many simulated annotators label each image."""
    attention: float = 0.7
    """How often a simulated annotator notices a visible part."""
    lapses: float = 0.02
    """How often a simulated annotator answers with any class, without looking."""
    fresh_seed: int = 0
    """Draws other images for test and shifted; 0 for those that everybody has."""

    def __post_init__(self) -> None:
        """Refuse impossible parameters, naming the parameter."""
        self._check_sizes()
        self._check_shares()
        self._confounding().check()

    def _check_sizes(self) -> None:
        if self.ndiff not in NDIFF:
            refuse("ndiff", self.ndiff, f"one of {', '.join(map(str, NDIFF))}")
        if self.fresh_seed < 0:
            refuse("fresh_seed", self.fresh_seed, "at least 0")
        if self.annotators < 1:
            refuse("annotators", self.annotators, "at least 1")
        for split in SPLITS:
            if not 0 <= getattr(self, split) <= SPAN:
                refuse(split, getattr(self, split), f"a number of images up to {SPAN}")

    def _check_shares(self) -> None:
        for field in ("colour_concentration", "shape_concentration", "kinship"):
            if not 0 < getattr(self, field) < 1:
                refuse(field, getattr(self, field), "between 0 and 1, both excluded")
        for field in ("confound_strength", "attention", "lapses"):
            if not 0 <= getattr(self, field) <= 1:
                refuse(field, getattr(self, field), "between 0 and 1")

    def check(self) -> None:
        """Nothing can be missing: everything is drawn."""

    def parameters(self) -> Tree:
        """The fields; what draws fresh images only where it does."""
        fields = super().parameters()
        return {name: fields[name] for name in fields if name != "fresh_seed" or self.fresh_seed}

    def fresh(self, seed: int) -> "Toybirds":
        """The same world with other test images."""
        if seed < 1:
            refuse("fresh_seed", seed, "at least 1")
        for split in REDRAWN:
            if 2 * whole(getattr(self, split)) > SPAN:
                refuse(split, getattr(self, split), f"at most {SPAN // 2} for fresh images")
        return replace(self, fresh_seed=seed)

    def fingerprint(self) -> str:
        """A hash of the fields and of the rendering's version."""
        return fingerprint({"rendering": RENDERING, "parameters": self.parameters()})

    def training_fingerprint(self) -> str:
        """A hash of the rendering's version and of the fields that training images depend on."""
        fields = {k: v for k, v in self.parameters().items() if k not in _NO_PART_IN_TRAINING}
        return fingerprint({"rendering": RENDERING, "parameters": fields})

    def class_names(self) -> tuple[str, ...]:
        """Genus and species of each class."""
        return CLASSES

    def splits(self) -> tuple[str, ...]:
        """Names of the splits; only train and validation can be confounded."""
        return SPLITS

    def ids(self, split: str) -> Sequence[int]:
        """Ids of a split's images; every run of 20 holds each class once."""
        return self._splits().ids(split)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The label of each image."""
        return torch.from_numpy(labels_of(self._splits().checked(ids)))

    def images(  # type: ignore[override]
        self, ids: Sequence[int]
    ) -> UInt8[Tensor, "n 3 96 96"]:
        """The images, RGB."""
        return _tensor(self._pixels(ids))

    def _pixels(self, ids: Sequence[int]) -> UInt8[np.ndarray, "n h w 3"]:
        return _recent(self, "pixels").of(ids, lambda new: render(self._scenes(new)).pixels)

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Every image is 96 pixels high and wide."""
        return [(FRAME, FRAME)] * len(ids)

    def part_names(self) -> tuple[str, ...]:
        """The twelve parts, named and ordered as in bird datasets."""
        return PARTS

    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n parts 3"]:
        """The centre of what each part shows, moved to the nearest pixel that shows it."""
        return torch.from_numpy(_recent(self, "points").of(ids, self._part_points))

    def _part_points(self, ids: Sequence[int]) -> Float32[np.ndarray, "n parts 3"]:
        view = self._view(ids)
        return parts.points(view.regions, view.visible)

    def mask_names(self) -> tuple[str, ...]:
        """The same as the parts."""
        return PARTS

    def part_masks(  # type: ignore[override]
        self, ids: Sequence[int]
    ) -> Int16[Tensor, "n 96 96"]:
        """For each pixel the part it shows; hidden parts may show a few pixels."""
        return torch.from_numpy(parts.masks(self._view(ids).regions))

    def object_boxes(self, ids: Sequence[int]) -> Float[Tensor, "n 4"]:
        """Around all that an image shows of its bird."""
        return torch.from_numpy(parts.boxes(self._view(ids).regions))

    def images_without(  # type: ignore[override]
        self, ids: Sequence[int], removed: Bool[Tensor, "n parts"]
    ) -> UInt8[Tensor, "n 3 96 96"]:
        """The images, each without the parts that are marked for it: what is beneath them shows.

        An id may stand there several times; its image is painted once.
        """
        known, variants = variants_of(ids, removed)
        return _tensor(removal.pixels_without(self._scenes(known), self._pixels(known), variants))

    def visible_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n parts"]
    ) -> Int64[Tensor, "n parts"]:
        """`visible_parts` of these images: a part may be visible once another is away."""
        return torch.from_numpy(self._visible_without(ids, removed).astype(np.int64))

    def _visible_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n parts"]
    ) -> Bool[np.ndarray, "n parts"]:
        known, variants = variants_of(ids, removed)
        scenes = self._scenes(known)
        regions = removal.regions_without(scenes, render_regions(scenes), variants)
        return parts.visibility(regions, scenes.take(variants.scene))

    def class_posterior_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n parts"]
    ) -> Float64[Tensor, "n classes"]:
        """`class_posterior` given the values of what is visible once parts are removed."""
        visible = self._visible_without(ids, removed)
        return self._posterior(self._scenes(ids).values, visible)

    def images_redrawn(  # type: ignore[override]
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n parts"], draw: int
    ) -> UInt8[Tensor, "n 3 96 96"]:
        """The images, values of the marked parts drawn as images of any class have them."""
        values = self._values_redrawn(ids, redrawn, draw)
        known = self._splits().checked(ids)
        return _tensor(pixels_redrawn(known, self._scenes(ids), values, self._pixels(ids)))

    def attribute_values_redrawn(
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n parts"], draw: int
    ) -> Int64[Tensor, "n attributes"]:
        """`attribute_values` of these images."""
        return torch.from_numpy(self._values_redrawn(ids, redrawn, draw))

    def _values_redrawn(
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n parts"], draw: int
    ) -> Int64[np.ndarray, "n attributes"]:
        if draw < 0:
            refuse("draw", draw, "at least 0")
        marks = checked_marks("redrawn", ids, redrawn)
        known = self._splits().checked(ids)
        return redrawn_values(self.world(), known, self._scenes(ids).values, marks, draw)

    def class_posterior_redrawn(
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n parts"], draw: int
    ) -> Float64[Tensor, "n classes"]:
        """`class_posterior` given the values that are drawn, which the observer takes as usual."""
        values = self._values_redrawn(ids, redrawn, draw)
        return self._posterior(values, self._view(ids).visible)

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """The true distributions from which attribute values are drawn, in per cent."""
        table = torch.from_numpy(self.world().distributions() * 100)
        return tuple(
            PartAttribute(a.part, a.name, a.values, table[:, column, : len(a.values)].clone())
            for column, a in enumerate(ATTRIBUTES)
        )

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """For each class its genus, then `bird`."""
        return tuple((GENERA[genus_of(label)], "bird") for label in range(len(CLASSES)))

    def context_names(self) -> tuple[str, ...]:
        """Names of the settings."""
        return CONTEXTS

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which setting each image shows: exactly one."""
        places = torch.from_numpy(self._scenes(ids).context)
        return torch.nn.functional.one_hot(places, len(CONTEXTS)).bool()

    def concepts(self) -> tuple[Concept, ...]:
        """Concepts of four families, near-synonyms and correlated ones among them."""
        return catalogue.concepts()

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """`count` images with and `count` without the concept, drawn for the purpose."""
        draw = int(torch.randint(2**20, (), generator=generator))
        examples = catalogue.examples(self.world(), name, count, draw)
        return ConceptExamplesPair(*map(_tensor, examples))

    def label_counts(self, ids: Sequence[int]) -> Int64[Tensor, "n classes"]:
        """How many of the simulated annotators chose each class."""
        counts = annotators.label_counts(
            self._likelihoods(ids),
            self.seed,
            self._splits().checked(ids),
            annotators=self.annotators,
            attention=self.attention,
            lapses=self.lapses,
        )
        return torch.from_numpy(counts)

    def part_likelihoods(self, ids: Sequence[int]) -> Float64[Tensor, "n parts classes"]:
        """P(attribute values of the part | class); 1 for every class where it is hidden.

        The values are known as they were drawn, not estimated from pixels.
        """
        return torch.from_numpy(self._likelihoods(ids))

    def class_posterior(self, ids: Sequence[int]) -> Float64[Tensor, "n classes"]:
        """P(class | attribute values of all visible parts), classes equally frequent."""
        return torch.from_numpy(observer.class_posterior(self._likelihoods(ids)))

    def attribute_values(self, ids: Sequence[int]) -> Int64[Tensor, "n attributes"]:
        """Index of the value drawn for each of `class_attributes`, of hidden parts too."""
        return torch.from_numpy(self._scenes(ids).values)

    def visible_parts(self, ids: Sequence[int]) -> Int64[Tensor, "n parts"]:
        """1 where a part is visible, 0 where it is hidden."""
        return torch.from_numpy(self._view(ids).visible.astype(np.int64))

    def world(self) -> World:
        """What decides the classes."""
        return World(
            self.seed,
            self.ndiff,
            self.colour_concentration,
            self.shape_concentration,
            self.kinship,
        )

    def _posterior(
        self, values: Int64[np.ndarray, "n attributes"], visible: Bool[np.ndarray, "n parts"]
    ) -> Float64[Tensor, "n classes"]:
        table = self.world().distributions()
        likelihoods = observer.part_likelihoods(table, values, visible)
        return torch.from_numpy(observer.class_posterior(likelihoods))

    def _likelihoods(self, ids: Sequence[int]) -> Float64[np.ndarray, "n parts classes"]:
        view = self._view(ids)
        table = self.world().distributions()
        return observer.part_likelihoods(table, view.scenes.values, view.visible)

    def _view(self, ids: Sequence[int]) -> _View:
        scenes = self._scenes(ids)
        regions = render_regions(scenes)
        return _View(scenes, regions, parts.visibility(regions, scenes))

    def _splits(self) -> Splits:
        sizes = (self.train, self.validation, self.test, self.shifted)
        return Splits(sizes, self.fresh_seed)

    def _confounding(self) -> Confounding:
        return Confounding(self.confounded_class, self.confounded_context, self.confound_strength)

    def _scenes(self, ids: Sequence[int]) -> Scenes:
        known = self._splits().checked(ids)
        labels = labels_of(known)
        usual = draw_scenes(self.world(), known, labels, USUAL)
        shifted = draw_scenes(self.world(), known, labels, SHIFTED)
        is_shifted = are_of(known, "shifted")
        scenes = Scenes(
            *(
                np.where(is_shifted.reshape(-1, *[1] * (field.ndim - 1)), other, field)
                for field, other in zip(usual, shifted, strict=True)
            )
        )
        contexts = self._confounding().contexts(self.seed, known, scenes.context)
        return scenes._replace(context=contexts)


@functools.lru_cache(maxsize=4)
def _recent(birds: Toybirds, what: str) -> Recent:
    """What was made of these birds' images last."""
    return Recent()


def _tensor(pixels: UInt8[np.ndarray, "n h w 3"]) -> UInt8[Tensor, "n 3 h w"]:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, 3, 1)))
