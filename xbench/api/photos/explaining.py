"""Explaining images with a network, without a dataset and without training."""

import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xbench.api.photos.explained import ClassProbability, Explained, ExplainedImage
from xbench.api.photos.given_explainers import artefacts_of, given_explainers, with_field
from xbench.api.photos.given_images import GivenImage, given_images, pixels_of
from xbench.api.photos.given_networks import (
    LoadedClassifier,
    Wishes,
    default_builder,
    label_of,
    loaded,
    read_names,
)
from xbench.api.photos.memory import available_bytes, batch_that_fits, bytes_per_pixel
from xbench.api.photos.transforms import unfitted
from xbench.api.progress import without_widgets
from xbench.api.setting import chosen_device
from xbench.errors import MismatchError, UsageError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.classifier import PhotoTransform
from xbench.interfaces.component import looks_inside
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.explanation import Explainer, explained
from xbench.interfaces.workplace import Progress, Silent
from xbench.randomness import generator
from xbench.running.workplace import LocalWorkplace

MOST_CLASSES = 3
"""How many of the most probable classes are told."""
BATCH = 32
_NORMALISED = (
    "values outside [0, 1] count as normalised already: they reach the network as they are, and "
    "pictures show them with mean and std undone"
)


@dataclass(frozen=True)
class Request:
    """What is asked of an explanation besides network, image and explainer."""

    target: str | int | None = None
    fields: Mapping[str, Any] | None = None
    """Values of fields of the explainers, such as `bank`, for those that have them."""
    fit: bool = True
    batch_size: int = BATCH
    seed: int = 0
    images: int = 0
    """How many images there are, where that is known: for progress alone."""


@without_widgets()
def explain(  # noqa: PLR0913 - each by name, and each may be left out
    model: Any,
    image: Any,
    explainer: Any = "grad-cam",
    *,
    classes: Sequence[str] | str | Path | None = None,
    transform: PhotoTransform | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    target: str | int | None = None,
    weights: str | Path | None = None,
    size: int | None = None,
    fit: bool = True,
    batch_size: int = BATCH,
    device: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Explained:
    """Explain what a network sees in images: one explanation for each image and explainer.

    `model` is a `torch.nn.Module`, a name such as "torchvision:resnet50", a `Classifier`, or what
    `load_classifier` returns, whose parameters say what the others here mean. `image` is the path
    of a photo or folder, a Pillow image, an array or tensor, a list of these, or a `DataLoader`.
    `explainer` is a name, a table of parameters, an `Explainer`, or a list; `target` is the class
    that is explained, by name or number. With `fit=False` photos keep their size.
    """
    names = read_names(Path(classes)) if isinstance(classes, (str, Path)) else classes
    builder = default_builder()
    explainers = given_explainers(explainer, builder)
    images = given_images(image)
    first = list(itertools.islice(images, 1))  # what is no image is found out before work
    wishes = Wishes(weights, names, transform, mean, std, size)
    classifier = loaded(model, wishes, builder, chosen_device(device))
    request = Request(target, None, fit, batch_size, seed)
    every = itertools.chain(first, images)
    return explain_images(classifier, every, explainers, request, progress or Silent())


def explain_images(
    classifier: LoadedClassifier,
    images: Iterator[GivenImage],
    explainers: Sequence[Explainer],
    request: Request,
    progress: Progress,
) -> Explained:
    """An explanation for each image and explainer."""
    if request.batch_size < 1:
        raise UsageError(f"batch_size is {request.batch_size}; it is 1 or more")
    if request.target is not None:
        label = label_of(request.target, classifier.class_names)
        explainers = with_field(explainers, "target", label)
    for name, value in (request.fields or {}).items():
        explainers = with_field(explainers, name, value)
    with tempfile.TemporaryDirectory() as scratch:
        work = _Work(classifier, explainers, request, progress, Path(scratch))
        return work.explained(images)


class _Work:
    """One call: the network, what explainers need, and what is to be said."""

    def __init__(
        self,
        classifier: LoadedClassifier,
        explainers: Sequence[Explainer],
        request: Request,
        progress: Progress,
        scratch: Path,
    ) -> None:
        self.classifier, self.explainers = classifier, explainers
        self.request, self.progress = request, progress
        self.network, self.device = classifier.network, classifier.network.device
        self.remarks = dict.fromkeys(classifier.remarks)
        workplace = LocalWorkplace(self.device, request.batch_size, scratch, progress)
        self.artefacts = [artefacts_of(one, classifier, workplace) for one in explainers]
        if any(map(looks_inside, explainers)):
            self.network.cut()
        inside = all(map(looks_inside, explainers))
        self.per_pixel = bytes_per_pixel(self.network, classifier.size, inside=inside)
        self.remarks |= dict.fromkeys(self.network.notes)

    def explained(self, images: Iterator[GivenImage]) -> Explained:
        items: list[ExplainedImage] = []
        count = 0
        for batch in self._batches(images):
            items += self._of_batch(batch, count)
            count += len(batch)
            self.progress.update("explain", count, self.request.images or count)
        if not items:
            raise UsageError("there is no image to explain")
        return Explained(tuple(items), tuple(self.remarks))

    def _batches(self, images: Iterator[GivenImage]) -> "Iterator[list[_Read]]":
        """Images of one size each, as many as fit."""
        waiting: list[_Read] = []
        for given in images:
            image = self._read(given)
            size = (image.pixels.shape[-2], image.pixels.shape[-1])
            if waiting and waiting[0].pixels.shape != image.pixels.shape:
                yield waiting
                waiting = []
            waiting.append(image)
            if len(waiting) >= self._most(size):
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    def _most(self, size: tuple[int, int]) -> int:
        free = available_bytes(self.device)
        return batch_that_fits(
            self.request.batch_size, self.per_pixel, size, free, self.classifier.name
        )

    def _read(self, given: GivenImage) -> "_Read":
        """The image in [0, 1], or where it was normalised, in what normalising makes it of."""
        transform = self.classifier.transform if self.request.fit else unfitted
        side = self.classifier.size if self.request.fit else 0
        pixels, normalised = pixels_of(given, transform, side)
        if normalised:
            self.remarks[_NORMALISED] = None
            mean, std = (torch.tensor(v).view(3, 1, 1) for v in self.classifier.normalisation)
            pixels = pixels * std + mean
        if given.label is not None and not 0 <= given.label < len(self.classifier.class_names):
            most = len(self.classifier.class_names) - 1
            message = f"{given.name} has the label {given.label}, and {self.classifier.name} has "
            raise MismatchError(f"{message}the classes 0 to {most}")
        return _Read(given, pixels)

    def _of_batch(self, images: "list[_Read]", start: int) -> Iterator[ExplainedImage]:
        pixels = torch.stack([image.pixels for image in images])
        labels = [image.given.label for image in images]
        known = [label for label in labels if label is not None]
        given_labels = torch.tensor(known) if len(known) == len(labels) else None
        ids = tuple(range(start, start + len(images)))
        batch = Batch(pixels, ids, given_labels).to(self.device)
        with self.network.remembering([batch.images]):
            classes = self._classes(batch)
            source = generator("explain", self.request.seed)
            made = [
                self._explanations(explainer, batch, artefacts, source)
                for explainer, artefacts in zip(self.explainers, self.artefacts, strict=True)
            ]
        for place, image in enumerate(images):
            for explainer, explanations in zip(self.explainers, made, strict=True):
                yield ExplainedImage(
                    name=image.given.name,
                    classes=classes[place],
                    explanation=explanations[place],
                    explainer=explainer,
                    image=image.pixels,
                    class_names=self.classifier.class_names,
                    remarks=tuple(self.remarks),
                    label=image.given.label,
                    path=image.given.path,
                    network=self.classifier.name,
                    place=ids[place],
                )

    def _explanations(
        self, explainer: Explainer, batch: Batch, artefacts: Artefacts, source: torch.Generator
    ) -> Sequence[Any]:
        try:
            return explained(explainer, self.network, batch, artefacts, source)
        except torch.OutOfMemoryError as error:
            message = f"{explainer.name} needs more memory than there is for {len(batch.ids)} "
            raise UsageError(f"{message}images at once; give a smaller batch_size") from error

    def _classes(self, batch: Batch) -> list[tuple[ClassProbability, ...]]:
        """The most probable classes of each image."""
        logits = self._logits(batch)
        names = self.classifier.class_names
        shares, labels = logits.double().softmax(1).cpu().topk(min(MOST_CLASSES, len(names)), dim=1)
        return [
            tuple(
                ClassProbability(names[label], label, share)
                for share, label in zip(*rows, strict=True)
            )
            for rows in zip(shares.tolist(), labels.tolist(), strict=True)
        ]

    def _logits(self, batch: Batch) -> Tensor:
        try:
            return self.network.logits(batch.images, batch.ids)
        except (RuntimeError, ValueError, AssertionError, TypeError) as error:
            height, width = batch.images.shape[-2:]
            first = str(error).strip().partition("\n")[0]
            side = self.classifier.size
            message = f"{self.classifier.name} fails on images of {width}×{height} pixels ({first}"
            message += f"); it takes {side}×{side}: photos (files, Pillow images, uint8 arrays) "
            raise MismatchError(
                f"{message}are fitted to that, tensors of floats are not"
            ) from error


@dataclass(frozen=True, eq=False)
class _Read:
    """An image that was read."""

    given: GivenImage
    pixels: Tensor
