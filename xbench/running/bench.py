"""The bench of a process: explanations and predictions, kept in the store or made now."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float32
from torch import Tensor

from xbench.errors import PluginError
from xbench.interfaces.artefact import Artefact
from xbench.interfaces.bench import Bench, Derivation, Subject
from xbench.interfaces.classifier import Classifier, Network
from xbench.interfaces.component import looks_inside, provider
from xbench.interfaces.data.dataset import Batch, ImageSet
from xbench.interfaces.explanation import Explainer, Explanation, Given
from xbench.interfaces.workplace import Progress
from xbench.randomness import derived_seed
from xbench.running.blocks import blocks, parts
from xbench.running.guard.block import guarded, network_changed
from xbench.running.kept import Kept, Tensors, kept_folder
from xbench.running.provider import Provider
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace

LOGITS = "logits"
"""What the one tensor of kept predictions is called."""


@dataclass(frozen=True, eq=False)
class Question:
    """Of which images explanations or predictions are asked for, and of which subject."""

    subject: Subject
    images: ImageSet
    derivation: Derivation | None = None

    def known_by(self, explainer: Explainer | None) -> tuple[object, ...]:
        """What its answers by an explainer lie by: equal for equal questions."""
        subject, derivation = self.subject, self.derivation
        derived = derivation and (derivation.name, derivation.place, repr(derivation.tree))
        sets = tuple(subject.datasets.items())
        own = subject.classifier, subject.weights, sets, subject.seed
        return explainer, *own, self.images, derived


class Loaded(NamedTuple):
    """A subject and its network."""

    subject: Subject
    network: Network


class LocalBench(Bench):
    """Makes what is asked for in this process, and keeps it in the store unless told not to."""

    def __init__(self, workplace: LocalWorkplace, store: Store, *, keep: bool = True) -> None:
        self.workplace = workplace
        self.store = store
        self.provider = Provider(store, workplace)
        self.kept = Kept(store, keep=keep)
        self._folders: dict[tuple[object, ...], str] = {}
        self._undeclared: set[type] = set()
        """Explainers that look inside networks and do not say so."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """The device of the workplace."""
        return self.workplace.device

    @property
    def batch_size(self) -> int:  # type: ignore[override]
        """The batch size of the workplace."""
        return self.workplace.batch_size

    @property
    def scratch(self) -> Path:  # type: ignore[override]
        """The scratch folder of the workplace."""
        return self.workplace.scratch

    @property
    def progress(self) -> Progress:  # type: ignore[override]
        """Who is told how far work has come."""
        return self.workplace.progress

    def network(self, classifier: Classifier, weights: Artefact) -> Network:
        """The classifier with these weights, from the workplace."""
        return self.workplace.network(classifier, weights)

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Count the wall seconds of a block towards a stage."""
        return self.workplace.stage(name)

    def explanations(
        self,
        explainer: Explainer,
        subject: Subject,
        images: ImageSet,
        ids: Sequence[int],
        derivation: Derivation | None = None,
    ) -> list[Explanation]:
        """One explanation per image: those that are kept, the others made now, and kept."""
        answers = self.answers(explainer, Question(subject, images, derivation), ids)
        return [explainer.makes.from_tensors(tensors) for tensors in answers]

    def predictions(
        self,
        subject: Subject,
        images: ImageSet,
        ids: Sequence[int],
        derivation: Derivation | None = None,
    ) -> Float32[Tensor, "n classes"]:
        """The logits of the images, on the CPU: those that are kept, the others made now."""
        answers = self.answers(None, Question(subject, images, derivation), ids)
        if not answers:
            return torch.zeros(0, self._loaded(subject).network.classes)
        return torch.stack([tensors[LOGITS] for tensors in answers])

    def explain(
        self, explainer: Explainer, subject: Subject, batch: Batch
    ) -> Sequence[Explanation]:
        """Explanations of images that no image set has; they are not kept."""
        given = {
            name: self.explain(inner, subject, batch)
            for name, inner in explainer.builds_on().items()
        }
        return self._explained(explainer, subject, [(batch.to(self.device), given)])

    def make(
        self, explainers: Sequence[Explainer | None], asked: Question, ids: Sequence[int]
    ) -> dict[str, dict[int, Tensors]]:
        """What explainers make of the images of a block; of None, predictions. By folder.

        All of it is kept. An explainer comes after those that it builds on. The bottom of the
        network is passed once.
        """
        made: dict[str, dict[int, Tensors]] = {}
        with self.stage("load"):
            batches = [self._batch(asked, part) for part in parts(ids, self.batch_size)]
        loaded = self._loaded(asked.subject)
        if any(map(self._looks_inside, explainers)):
            loaded.network.cut()  # before the first of them, so that all pass the bottom once
        with loaded.network.remembering([batch.images for batch in batches]):
            for explainer in explainers:
                folder, given = self.folder(asked, explainer), dict[str, Mapping[str, Any]]()
                keep = self.kept.keep and (explainer is None or explainer.kept)
                with self.kept.noting(given), self.workplace.costing(apart=keep) as cost:
                    values = self._values(explainer, asked, batches)
                if keep:
                    self.kept.put(folder, ids, values, {**cost, "given": given})
                else:
                    self.kept.used(given)
                made[folder] = dict(zip(ids, values, strict=True))
        return made

    def answers(
        self, explainer: Explainer | None, asked: Question, ids: Sequence[int]
    ) -> list[Tensors]:
        """The tensors of explanations, or predictions: kept, or made now with their block."""
        folder = self.folder(asked, explainer)
        found = self.kept.find(folder, ids)
        if len(found) < len(set(ids)):
            for block in blocks(asked.images, ids, self.batch_size):
                if not found.keys() >= set(block):
                    found |= self.make([explainer], asked, block)[folder]
        return [found[image] for image in ids]

    def folder(self, asked: Question, explainer: Explainer | None) -> str:
        """Where the answers lie, worked out once for equal questions."""
        known_by = asked.known_by(explainer)
        try:
            folder = self._folders.get(known_by)
        except TypeError:  # a component that cannot be hashed
            return kept_folder(explainer, asked.subject, asked.images, asked.derivation)
        if folder is None:
            folder = kept_folder(explainer, asked.subject, asked.images, asked.derivation)
            self._folders[known_by] = folder
        return folder

    def _loaded(self, subject: Subject) -> Loaded:
        network = self.network(subject.classifier, self.provider.one(subject.weights))
        return Loaded(subject, network)

    def _batch(self, asked: Question, ids: Sequence[int]) -> Batch:
        batch = asked.images.batch(ids).to(self.device)
        if asked.derivation is None:
            return batch
        return replace(batch, images=asked.derivation.images(batch.images))

    def _values(
        self,
        explainer: Explainer | None,
        asked: Question,
        batches: Sequence[Batch],
    ) -> list[Tensors]:
        """The tensors of what is made of each image."""
        if explainer is None:
            logits = self._logits(self._loaded(asked.subject), batches)
            return [{LOGITS: row} for row in logits]
        with_given = [(batch, self._given(explainer, asked, batch.ids)) for batch in batches]
        explanations = self._explained(explainer, asked.subject, with_given, asked.derivation)
        return [_on_cpu(explanation.tensors()) for explanation in explanations]

    def _logits(self, loaded: Loaded, batches: Sequence[Batch]) -> list[Tensor]:
        with self.stage("predict"), self._unchanged(None, loaded, batches):
            logits = [loaded.network.logits(batch.images, batch.ids) for batch in batches]
        return [row.clone() for row in torch.cat(logits).float().cpu()]

    def _given(self, explainer: Explainer, asked: Question, ids: Sequence[int]) -> Given:
        return {
            name: self.explanations(inner, asked.subject, asked.images, ids, asked.derivation)
            for name, inner in explainer.builds_on().items()
        }

    def _explained(
        self,
        explainer: Explainer,
        subject: Subject,
        batches: Sequence[tuple[Batch, Given]],
        derivation: Derivation | None = None,
    ) -> list[Explanation]:
        """What the explainer makes of batches, whose network it has to leave as it is."""
        loaded = self._loaded(subject)
        network = loaded.network.cut() if self._looks_inside(explainer) else loaded.network
        whole, passed = network.parts, network.passes.snapshot()
        artefacts = self.provider.all(subject.artefacts(explainer))
        source, made = subject.source(derivation), list[Explanation]()
        with self.stage("explain"), self._unchanged(explainer, loaded, [b for b, _ in batches]):
            for batch, given in batches:
                explanations = explainer.explain(network, batch, artefacts, source, given)
                made += checked(explainer, explanations, batch.ids)
        if network.parts[0] is whole[0]:
            return made
        # What it did to parts that came to be on the way nobody saw: once more, with a new network.
        self._found_out(explainer)
        vars(network.passes).update(passed)
        self.workplace.forget()
        return self._explained(explainer, subject, batches, derivation)

    def _looks_inside(self, explainer: Explainer | None) -> bool:
        return looks_inside(explainer) or type(explainer) in self._undeclared

    def _found_out(self, explainer: Explainer) -> None:
        self._undeclared.add(type(explainer))
        self.provider.say_once(
            f"explainer {explainer.name!r} (of {provider(type(explainer)).name}) asks for parts of "
            "networks: with `needs_cut = True` it would be known before anything is trained"
        )

    @contextlib.contextmanager
    def _unchanged(
        self, explainer: Explainer | None, loaded: Loaded, batches: Sequence[Batch]
    ) -> Iterator[None]:
        """Refuse a block of foreign code that leaves a change; what it spoilt is dropped."""
        subject, network = loaded
        images = {f"images {place}": batch.images for place, batch in enumerate(batches)}
        owner, modules = explainer or subject.classifier, network.parts
        ids = [image for batch in batches for image in batch.ids]
        seed = derived_seed("block", subject.source().initial_seed(), *ids)
        try:
            with guarded(owner, modules, seed, self.provider.say_once, images):
                yield
        except Exception as error:
            if network_changed(error):
                self.workplace.forget()
            raise


def checked(
    explainer: Explainer, explanations: Sequence[Explanation], ids: Sequence[int]
) -> Sequence[Explanation]:
    """One explanation of the explainer's kind for each image, or `PluginError`."""
    wrong = [type(e).__name__ for e in explanations if not isinstance(e, explainer.makes)]
    if len(explanations) == len(ids) and not wrong:
        return explanations
    made = f"{len(explanations)} explanations for {len(ids)} images"
    if wrong:
        made = f"{wrong[0]} in place of {explainer.makes.__name__}"
    of = provider(type(explainer)).name
    raise PluginError(f"explainer {explainer.name!r} of {of} made {made}")


def in_order(explainers: Iterable[Explainer | None]) -> list[Explainer | None]:
    """The explainers, each once, after those that they build on."""
    ordered: list[Explainer | None] = []
    for explainer in explainers:
        inner = [] if explainer is None else in_order(explainer.builds_on().values())
        ordered += [one for one in (*inner, explainer) if one not in ordered]
    return ordered


def _on_cpu(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}
