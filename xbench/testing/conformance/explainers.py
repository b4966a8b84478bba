"""What explainers, and the explanations that they make, must do."""

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from xbench.interfaces.component import looks_inside
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.explanation import (
    Explainer,
    Explanation,
    explained,
    load_explanations,
    save_explanations,
)
from xbench.randomness import generator
from xbench.testing.conformance.rules import Beside, Rule, all_close, close, finite, form, unchanged
from xbench.testing.tiny import tiny_images, tiny_network, whole_tiny_network


def rules(explainer: Explainer, beside: Beside) -> Iterator[Rule]:
    """Only that of its declaration where it, or one that it builds on, needs artefacts."""
    trial = Trial(explainer)
    yield Rule("kind", trial.kind_faults)
    if list(trial.kind_faults()) or needs_artefacts(explainer):
        return
    yield Rule("one each", trial.count_faults)
    yield Rule("tensors", trial.tensors_faults)
    yield Rule("finite", trial.finite_faults)
    yield Rule("repeatable", trial.repeatable_faults)
    yield Rule("batches", trial.batches_faults)
    yield Rule("saved", trial.saved_faults)
    yield Rule("drawn", trial.drawn_faults)
    yield Rule("unchanged", trial.unchanged_faults)
    yield Rule("looks inside", trial.cut_faults)
    yield Rule("on the grid", trial.grid_faults)


def needs_artefacts(explainer: Explainer) -> bool:
    """Whether it, or an explainer among its fields, declares artefacts."""
    every = (explainer, *explainer.inner().values())
    return any(declares_artefacts(type(one)) for one in every)


def declares_artefacts(cls: type) -> bool:
    """Whether explainers of the class declare artefacts of their own."""
    return issubclass(cls, Explainer) and cls.artefacts is not Explainer.artefacts


@dataclass(frozen=True)
class Trial:
    """An explainer, and what it makes of four images of the tiny dataset."""

    explainer: Explainer

    @cached_property
    def batch(self) -> Batch:
        """Four images with labels."""
        return tiny_images().batch(range(4))

    @cached_property
    def explanations(self) -> Sequence[Explanation]:
        """Made once."""
        return self.explain(self.batch)

    def explain(self, batch: Batch) -> Sequence[Explanation]:
        """Explain images of the small network."""
        return explained(self.explainer, tiny_network(), batch, {}, generator(0))

    def tensors(self) -> list[Mapping[str, Tensor]]:
        """Of each explanation."""
        return [explanation.tensors() for explanation in self.explanations]

    def kind_faults(self) -> Iterator[str]:
        """It says which kind of explanation it makes."""
        makes = getattr(type(self.explainer), "makes", None)
        if makes is None:
            yield "does not say what kind of explanation it `makes`"
        elif not (isinstance(makes, type) and issubclass(makes, Explanation)):
            yield f"`makes` {makes!r}, which is no kind of explanation"
        elif not isinstance(getattr(makes, "name", None), str):
            yield f"makes explanations of a kind without a name, {makes.__name__}"

    def count_faults(self) -> Iterator[str]:
        """One explanation of this kind for each image."""
        made, count, makes = self.explanations, len(self.batch.ids), self.explainer.makes
        if len(made) != count:
            yield f"makes {len(made)} explanations for {count} images"
        for other in {type(one).__name__ for one in made if not isinstance(one, makes)}:
            yield f"makes {other}, not {makes.__name__}"

    def tensors_faults(self) -> Iterator[str]:
        """An explanation consists of tensors, by name, without a gradient."""
        for name, value in self.tensors()[0].items():
            if not isinstance(value, Tensor):
                yield f"has as {name!r} {form(value)}, not a tensor"
            elif value.requires_grad:
                yield f"has {name!r} with a gradient"

    def finite_faults(self) -> Iterator[str]:
        """Explanations are numbers."""
        for name in {n for one in self.tensors() for n, value in one.items() if not finite(value)}:
            yield f"makes explanations whose {name!r} is NaN or infinite"

    def repeatable_faults(self) -> Iterator[str]:
        """Randomness comes from the generator alone."""
        again = [explanation.tensors() for explanation in self.explain(self.batch)]
        if not all(map(all_close, self.tensors(), again)):
            yield "draws randomness from elsewhere than its generator"

    def batches_faults(self) -> Iterator[str]:
        """An explanation does not depend on what else is in the batch, or on its order."""
        alone = self.explain(_some(self.batch, [-1]))
        if not all_close(self.tensors()[-1], alone[0].tensors()):
            yield "explains an image differently when it is alone in its batch"
        back = self.explain(_some(self.batch, [3, 2, 1, 0]))
        if not all(map(all_close, self.tensors(), [one.tensors() for one in reversed(back)])):
            yield "explains images differently when they come in another order"

    def saved_faults(self) -> Iterator[str]:
        """What is saved is all that there is."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "explanations.safetensors"
            save_explanations(path, self.explanations)
            loaded = load_explanations(path, self.explainer.makes)
        for name in _differing(self.explanations[0], loaded[0]):
            yield f"makes explanations whose {name!r} is another one after it was saved"

    def drawn_faults(self) -> Iterator[str]:
        """An explanation can be drawn."""
        images = tiny_images()
        names = images.dataset.class_names()
        drawn = self.explanations[0].draw(_some(self.batch, [0]), images, names)
        if not isinstance(drawn, Figure):
            yield f"makes explanations that draw {form(drawn)}, not a figure of matplotlib"

    def unchanged_faults(self) -> Iterator[str]:
        """Network, images and labels are left as they are."""
        network, batch = tiny_network(), Trial(self.explainer).batch
        given = {"images": batch.images, "labels": batch.known_labels()}
        with unchanged(self.explainer, network.parts, given):
            explained(self.explainer, network, batch, {}, generator(0))
        yield from ()

    def cut_faults(self) -> Iterator[str]:
        """What looks inside networks says so, so that a cut is tried before a training."""
        network = whole_tiny_network()
        explained(self.explainer, network, self.batch, {}, generator(0))
        if len(network.parts) > 1 and not looks_inside(self.explainer):
            yield "asks for parts of a network, and does not say so by `needs_cut`"

    def grid_faults(self) -> Iterator[str]:
        """Maps have the grid of the picture, whatever rows activations have below it."""
        network = tiny_network(row_below=True)
        rows, columns = network.grid
        explanations = explained(self.explainer, network, self.batch, {}, generator(0))
        sizes = {n: value.shape[-2:] for one in explanations for n, value in one.tensors().items()}
        for name, size in sizes.items():
            if tuple(size) == (rows + network.extra_rows, columns):
                yield (
                    f"makes explanations whose {name!r} has {size[0]} rows, of which "
                    f"{network.extra_rows} lies below the picture; take `xbench.kernels.on_grid`"
                )


def _some(batch: Batch, places: list[int]) -> Batch:
    ids = tuple(batch.ids[place] for place in places)
    return Batch(batch.images[places], ids, batch.known_labels()[places], batch.source)


def _differing(one: Any, other: Any) -> Iterator[str]:
    """Names of attributes that are not the same."""
    for name, value in _attributes(one).items():
        if not _same(value, _attributes(other).get(name)):
            yield name


def _attributes(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return dict(vars(value))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return close(one.cpu(), torch.as_tensor(other)) if other is not None else False
    if isinstance(one, (tuple, list)):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_same(a, b) for a, b in pairs)
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and not list(_differing(one, other))
    return bool(one == other)
