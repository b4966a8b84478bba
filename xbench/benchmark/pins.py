"""Pins: weights that a benchmark file gives in the place of trained ones, one for each repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xbench.components.specification import plain_table
from xbench.errors import ParameterError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import fingerprint
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.readout import Difficulty
from xbench.interfaces.recipe import ClassifierWeights, TrainingPlan
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


def images_hash(images: ImageSet) -> str:
    """What trained weights depend on of the images that they were trained on."""
    part = {} if images.part is None else {"part": images.part.tree()}
    dataset = [images.dataset.name, images.dataset.training_fingerprint()]
    transform = images.transform.tree()
    return fingerprint({"dataset": dataset, "split": images.split, "transform": transform, **part})


def companion_hash(companion: Difficulty | None) -> str:
    """Which companion a classifier was trained with; "" for none."""
    return "" if companion is None else fingerprint(companion.tree())


def still_pinned(
    sources: Sequence[WeightsSource | LiveState],
    images: ImageSet,
    companion: Difficulty | None,
    *,
    trains: bool,
) -> bool:
    """Whether weights are of a training on these images and with this companion.

    Those that do not say what they were trained on are taken for such; of the others none are
    where the protocol `trains`. Where no companion is needed, it does not matter whether there
    was one.
    """
    told = [one for one in sources if not isinstance(one, LiveState) and one.trained_on]
    if not told:
        return True
    with_it, on = companion_hash(companion), images_hash(images)
    same = all(one.trained_on == on and with_it in ("", one.trained_with) for one in told)
    return same and not trains


def check_pins(every: Sequence[Sequence[WeightsSource | LiveState]], repeats: int) -> None:
    """Refuse pinned weights that are too few for the repeats."""
    for pins in every:
        if 0 < len(pins) < repeats and not any(isinstance(one, LiveState) for one in pins):
            raise ParameterError(
                f"weights: {len(pins)} pinned for {repeats} repeats; pin one for each, say "
                f'--repeats {len(pins)}, or train: -p weights=""'
            )


def pinned(
    sources: Sequence[WeightsSource | LiveState], plan: TrainingPlan, repeat: int
) -> ClassifierWeights | None:
    """The weights that are pinned for a repeat in the place of the plan's, None without any."""
    if not sources:
        return None
    source = sources[min(repeat, len(sources) - 1)]
    if isinstance(source, LiveState):
        return source.weights(plan.classifier, plan.classes)
    return PinnedWeights(plan.classifier, plan.classes, source, plan)
