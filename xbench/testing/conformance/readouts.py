"""What difficulties, which make readouts, and attributions, which take them, must do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from xbench.interfaces.attribution import Attribution
from xbench.interfaces.classifier import Network
from xbench.interfaces.readout import Difficulty, Readout
from xbench.testing.conformance.rules import Beside, Rule, close, finite, form, is_tensor, unchanged
from xbench.testing.tiny import CLASSES, tiny_batch, tiny_network


def difficulty_rules(difficulty: Difficulty, beside: Beside) -> Iterator[Rule]:
    """None where it needs artefacts: it cannot be read out before they are made."""
    if type(difficulty).artefacts is not Difficulty.artefacts:
        return
    trial = DifficultyTrial(difficulty)
    yield Rule("readout", trial.readout_faults)
    yield Rule("scores", trial.scores_faults)
    yield Rule("batches", trial.batches_faults)
    yield Rule("unchanged", trial.unchanged_faults)


def attribution_rules(attribution: Attribution, beside: Beside) -> Iterator[Rule]:
    """Tried with the class probabilities of a small network."""
    trial = AttributionTrial(attribution)
    yield Rule("maps", trial.maps_faults)
    yield Rule("repeatable", trial.repeatable_faults)
    yield Rule("batches", trial.batches_faults)
    yield Rule("unchanged", trial.unchanged_faults)


@dataclass(frozen=True)
class DifficultyTrial:
    """A difficulty, and its scores of four images."""

    difficulty: Difficulty

    @cached_property
    def network(self) -> Network:
        """A small one."""
        return tiny_network()

    @cached_property
    def images(self) -> Tensor:
        """Four."""
        return tiny_batch().images

    @cached_property
    def readout(self) -> Readout:
        """Of the small network."""
        return self.difficulty.readout(self.network, {})

    @cached_property
    def scores(self) -> Tensor:
        """Of all images together."""
        return self.readout.predictions(self.images)

    def readout_faults(self) -> Iterator[str]:
        """It makes a readout."""
        if not isinstance(self.readout, Readout):
            yield f"makes a {type(self.readout).__name__}, not a Readout"

    def scores_faults(self) -> Iterator[str]:
        """One score in [0, 1] for each image."""
        if not is_tensor(self.scores, (4, 1)):
            yield f"makes as scores {form(self.scores)} for 4 images, not (4, 1)"
        elif not ((self.scores >= 0) & (self.scores <= 1)).all():
            yield "makes scores outside [0, 1]"

    def batches_faults(self) -> Iterator[str]:
        """A score does not depend on what else is in the batch."""
        if not close(self.readout.predictions(self.images[-1:]), self.scores[-1:]):
            yield "scores an image differently when it is alone in its batch"

    def unchanged_faults(self) -> Iterator[str]:
        """Network and images are left as they are."""
        fresh = DifficultyTrial(self.difficulty)
        parts = [fresh.network.bottom, fresh.network.top]
        with unchanged(self.difficulty, parts, {"images": fresh.images}):
            fresh.readout.predictions(fresh.images)
        yield from ()


@dataclass(frozen=True)
class AttributionTrial:
    """An attribution, and its maps of four images."""

    attribution: Attribution

    @cached_property
    def network(self) -> Network:
        """A small one."""
        return tiny_network()

    @cached_property
    def images(self) -> Tensor:
        """Four."""
        return tiny_batch().images

    @cached_property
    def activations(self) -> Tensor:
        """Of the images."""
        return self.network.activations(self.images)

    @cached_property
    def maps(self) -> Tensor:
        """Of all images together."""
        return self.attribute(self.images, self.activations)

    def attribute(self, images: Tensor, activations: Tensor) -> Tensor:
        """Attribute class probabilities to locations of activations."""
        network = self.network
        readout = Readout(network.bottom, network.top, lambda logits: logits.softmax(dim=1))
        return self.attribution.attribute(readout, activations, images)

    def maps_faults(self) -> Iterator[str]:
        """One finite map on the grid for each image and prediction, without a gradient."""
        if not is_tensor(self.maps, (4, CLASSES, *self.network.grid)):
            yield f"makes as maps {form(self.maps)} for 4 images and {CLASSES} predictions"
        elif self.maps.requires_grad or not finite(self.maps):
            yield "makes maps that are not finite or carry a gradient"

    def repeatable_faults(self) -> Iterator[str]:
        """The same images have the same maps."""
        if not close(self.attribute(self.images, self.activations), self.maps):
            yield "makes other maps of the same images"

    def batches_faults(self) -> Iterator[str]:
        """Maps do not depend on what else is in the batch."""
        if not close(self.attribute(self.images[-1:], self.activations[-1:]), self.maps[-1:]):
            yield "makes other maps of an image when it is alone in its batch"

    def unchanged_faults(self) -> Iterator[str]:
        """Network, activations and images are left as they are."""
        fresh = AttributionTrial(self.attribution)
        parts = [fresh.network.bottom, fresh.network.top]
        given = {"images": fresh.images, "activations": fresh.activations}
        with unchanged(self.attribution, parts, given):
            fresh.attribute(fresh.images, fresh.activations)
        yield from ()
