"""Mistakes of difficulties, attributions and explainers are found, and named by rule."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor

from xbench.interfaces.attribution import Attribution
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.readout import Difficulty, Readout


class Doubt(Difficulty):
    """One minus the largest probability."""

    def readout(self, network, artefacts):
        return Readout(network.bottom, network.top, doubt)


def doubt(logits):
    return 1 - logits.softmax(dim=1).amax(dim=1, keepdim=True)


def link(change):
    return {"readout": lambda self, n, a: Readout(n.bottom, n.top, lambda z: change(doubt(z)))}


def training(self, network, artefacts):
    return Doubt.readout(self, network, artefacts) if network.top.train() else None


DIFFICULTIES = {
    "scores above one": (link(lambda s: s + 2), "scores", "outside [0, 1]"),
    "scores that are NaN": (link(lambda s: s / 0 * 0), "scores", "outside [0, 1]"),
    "scores in a row": (link(lambda s: s[:, 0]), "scores", "shape (4,)"),
    "batches that couple": (link(lambda s: s / s.sum()), "batches", "alone in its batch"),
    "no readout": ({"readout": lambda self, n, a: doubt}, "readout", "makes a function"),
    "a mode that is left": ({"readout": training}, "unchanged", "left modules in training mode"),
}


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_a_mistake_of_a_difficulty_is_named(planted, told, name):
    methods, rule, text = DIFFICULTIES[name]
    assert told(planted(Doubt, methods), "difficulty", rule, text)


class Even(Attribution):
    """Every location matters as much as any other."""

    def attribute(self, readout, activations, images):
        predictions = readout.predictions(images)[:, :, None, None]
        return predictions.expand(-1, -1, *activations.shape[-2:]).clone()


def maps(change):
    return {"attribute": lambda self, r, a, i: change(Even.attribute(self, r, a, i))}


def writing(self, readout, activations, images):
    return Even.attribute(self, readout, activations.relu_().mul_(2), images)


def unfrozen(self, readout, activations, images):
    readout.top.requires_grad_()
    return Even.attribute(self, readout, activations, images)


ATTRIBUTIONS = {
    "maps of another size": (maps(lambda m: m[..., 1:]), "maps", "shape (4, 5, 8, 7)"),
    "maps of one prediction": (maps(lambda m: m[:, 0]), "maps", "shape (4, 8, 8)"),
    "maps that are NaN": (maps(lambda m: m / 0), "maps", "not finite"),
    "maps with a gradient": (maps(lambda m: m.requires_grad_()), "maps", "carry a gradient"),
    "a list of maps": (maps(list), "maps", "a list"),
    "maps that are drawn": (maps(torch.rand_like), "repeatable", "other maps of the same"),
    "batches that couple": (maps(lambda m: m / m.sum()), "batches", "alone in its batch"),
    "activations that are written into": (
        {"attribute": writing},
        "unchanged",
        "wrote into the activations",
    ),
    "gradients that are left on": (
        {"attribute": unfrozen},
        "unchanged",
        "changed `requires_grad` (2, first '2.weight')",
    ),
}


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_a_mistake_of_an_attribution_is_named(planted, told, name):
    methods, rule, text = ATTRIBUTIONS[name]
    assert told(planted(Even, methods), "attribution", rule, text)


@dataclass(frozen=True, eq=False)
class Spot(Explanation):
    """One map."""

    name: ClassVar[str] = "spot"
    values: Tensor

    def tensors(self):
        return {"values": self.values}

    @classmethod
    def from_tensors(cls, tensors):
        return cls(tensors["values"])

    def draw(self, batch, examples, class_names):
        return Figure()


@dataclass(frozen=True, eq=False)
class Forgetful(Spot):
    """Has more than it says."""

    class_index: int = 0

    @classmethod
    def from_tensors(cls, tensors):
        return cls(tensors["values"])


class Listed(Spot):
    """Consists of a list."""

    def tensors(self):
        return {"values": self.values.tolist()}


class Undrawn(Spot):
    """Draws nothing."""

    def draw(self, batch, examples, class_names):
        return None


class Nameless(Explanation):
    """Has no name."""


class Spots(Explainer):
    """The brightness of each image."""

    makes = Spot

    def explain(self, network, batch, artefacts, generator, given):
        return [Spot(image.mean(0)) for image in batch.images]


def spots(change):
    def explain(self, network, batch, artefacts, generator, given):
        maps = [spot.values for spot in Spots.explain(self, network, batch, {}, None, {})]
        return [Spot(one) for one in change(torch.stack(maps))]

    return {"explain": explain}


def as_kind(kind, *more):
    def explain(self, network, batch, artefacts, generator, given):
        return [kind(image.mean(0), *more) for image in batch.images]

    return {"makes": kind, "explain": explain}


def after(act):
    def explain(self, network, batch, artefacts, generator, given):
        spots = Spots.explain(self, network, batch, {}, None, {})
        act(network, batch)
        return spots

    return {"explain": explain}


def exits(network, batch):
    raise SystemExit(1)


def seeding(network, batch):
    torch.manual_seed(0)


EXPLAINERS = {
    "NaN": (spots(lambda m: m / 0 * 0), "finite", "whose 'values' is NaN or infinite"),
    "an explanation too few": (spots(lambda m: m[1:]), "one each", "3 explanations for 4 images"),
    "explanations of another kind": (
        {"explain": lambda s, n, b, a, g, given: [Undrawn(i.mean(0)) for i in b.images]}
        | {"makes": Listed},
        "one each",
        "makes Undrawn, not Listed",
    ),
    "batches that couple": (spots(lambda m: m - m.mean(0)), "batches", "alone in its batch"),
    "an order that counts": (
        spots(lambda m: m * torch.arange(1, len(m) + 1)[:, None, None].flip(0)),
        "batches",
        "when they come in another order",
    ),
    "random numbers from elsewhere": (
        spots(torch.rand_like),
        "repeatable",
        "from elsewhere than its generator",
    ),
    "lists for tensors": (as_kind(Listed), "tensors", "has as 'values' a list, not a tensor"),
    "a gradient": (spots(lambda m: m.requires_grad_()), "tensors", "'values' with a gradient"),
    "a field that is not saved": (as_kind(Forgetful, 3), "saved", "whose 'class_index' is another"),
    "nothing that is drawn": (as_kind(Undrawn), "drawn", "not a figure of matplotlib"),
    "no kind": ({"makes": Tensor}, "kind", "which is no kind of explanation"),
    "a kind without a name": ({"makes": Nameless}, "kind", "a kind without a name, Nameless"),
    "a row that lies below the picture": (
        {"explain": lambda s, n, b, a, g, given: [Spot(m.sum(0)) for m in n.activations(b.images)]}
        | {"needs_cut": True},
        "on the grid",
        "'values' has 9 rows, of which 1 lies below the picture",
    ),
    "a cut that nobody was told of": (after(lambda n, b: n.top), "looks inside", "`needs_cut`"),
    "weights that are changed": (
        after(lambda n, b: n.top[2].weight.mul_(2)),
        "unchanged",
        "changed the values of parameters or buffers ('2.weight')",
    ),
    "weights that are changed behind torch's back": (
        after(lambda n, b: n.top[2].weight.data.mul_(2)),
        "unchanged",
        "changed the values of parameters or buffers ('2.weight')",
    ),
    "a mode that is left on": (
        after(lambda n, b: n.bottom.train()),
        "unchanged",
        "left modules in training mode (3, first 'Sequential')",
    ),
    "a hook that is left": (
        after(lambda n, b: n.top.register_forward_hook(print)),
        "unchanged",
        "left hooks or removed them ('Sequential')",
    ),
    "images that are written into": (
        after(lambda n, b: b.images.clamp_(max=0.5)),
        "unchanged",
        "wrote into the images",
    ),
    "threads": (
        after(lambda n, b: torch.set_num_threads(torch.get_num_threads() + 1)),
        "unchanged",
        "changed the number of threads",
    ),
    "a seed": (after(seeding), "seeds", "calls torch.manual_seed"),
    "an exit": (after(exits), "one each", "raises SystemExit: 1"),
    "an error": (spots(lambda m: m.nothing), "one each", "raises AttributeError"),
}


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_mistake_of_an_explainer_is_named(planted, told, name):
    methods, rule, text = EXPLAINERS[name]
    assert told(planted(Spots, methods), "explainer", rule, text)


def test_an_explainer_that_does_not_say_what_it_makes_is_at_fault(faults):
    @dataclass(frozen=True)
    class Silent(Explainer):
        """Makes something."""

        name: ClassVar[str] = "silent"

        def explain(self, network, batch, artefacts, generator, given):
            return []

    (fault,) = faults("explainer", "silent", Silent)
    assert fault.endswith("[kind] does not say what kind of explanation it `makes`")


@pytest.mark.parametrize("good", [Doubt, Even, Spots])
def test_what_is_right_has_no_faults(planted, good):
    assert planted(good, {}) == []
