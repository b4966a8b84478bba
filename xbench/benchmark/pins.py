"""Pins: weights that a benchmark file gives in the place of trained ones, one for each repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xbench.components.specification import plain_table
from xbench.errors import ParameterError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.recipe import ClassifierWeights
from xbench.training.live_weights import LiveState
from xbench.training.pinned_weights import (
    PinnedWeights,
    WeightsDownload,
    WeightsFile,
    WeightsSource,
)


@dataclass(frozen=True)
class Pins:
    """The table `[weights]`: files or addresses, in the order of the repeats."""

    files: tuple[str | WeightsFile, ...] = ()
    urls: tuple[WeightsDownload, ...] = ()

    def __post_init__(self) -> None:
        """Refuse two answers to one question, and two repeats with one network."""
        if self.files and self.urls:
            raise ValueError("it has files and urls; leave one out, as in -p weights.urls=[]")
        if len({source.tree()["sha256"] for source in self.sources}) < len(self.sources):
            raise ValueError("weights of two repeats are the same; give each its own")

    @property
    def sources(self) -> tuple[WeightsSource, ...]:
        """Where the weights of each repeat come from."""
        files = [WeightsFile(file) if isinstance(file, str) else file for file in self.files]
        return (*files, *self.urls)


def read_pins(given: Any, classifier: Classifier) -> tuple[WeightsSource | LiveState, ...]:
    """What stands in the table, or is given as "" for none; or the state of a live module."""
    if isinstance(given, LiveState):
        return (given,)
    if given and not isinstance(given, Mapping):
        raise ParameterError(f"weights: write weights.files=[…] or weights.urls=[…], not {given!r}")
    pins: Pins = plain_table(Pins, given or {}, "weights")
    if pins.sources and classifier.weights:
        raise ParameterError(
            "weights and classifier.weights both say which weights the classifier has; leave one "
            'out: -p weights="" or -p classifier.weights=""'
        )
    return pins.sources


def check_pins(every: Sequence[Sequence[WeightsSource | LiveState]], repeats: int) -> None:
    """Refuse pinned weights that are too few for the repeats."""
    for pins in every:
        if 0 < len(pins) < repeats and not any(isinstance(one, LiveState) for one in pins):
            raise ParameterError(
                f"weights: {len(pins)} pinned for {repeats} repeats; pin one for each, say "
                f'--repeats {len(pins)}, or train: -p weights=""'
            )


def pinned(
    sources: Sequence[WeightsSource | LiveState],
    classifier: Classifier,
    datasets: Mapping[str, ImageSet],
    repeat: int,
) -> ClassifierWeights | None:
    """The weights that are pinned for a repeat, None where there are none."""
    if not sources:
        return None
    classes = len(datasets["train"].dataset.class_names())
    source = sources[min(repeat, len(sources) - 1)]
    if isinstance(source, LiveState):
        return source.weights(classifier, classes)
    return PinnedWeights(classifier, classes, source)
