"""The forecast: what a run is going to do, before anything is done."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple, cast

import torch

from xbench.benchmark.assembly import Benchmark
from xbench.errors import UsageError
from xbench.interfaces.classifier import LIBRARY, Classifier
from xbench.interfaces.recipe import ClassifierWeights, Recipe, TrainingPlan
from xbench.networks.loading import blank_module
from xbench.randomness import derived_seed
from xbench.running.bench import LocalBench
from xbench.running.planning.plan import EntryRun, expand, runs_of
from xbench.running.provider import Provider
from xbench.training.speed import training_seconds

RANDOM = "random weights"
"""What a training starts from where nothing else is said."""


class Training(NamedTuple):
    """A training that is to be done."""

    network: str
    start: str
    """What weights it starts from."""
    dataset: str
    images: int
    epochs: int
    seconds: float | None
    """About how many; None where that is not known."""
    size: int
    """Bytes of the weights."""

    def __str__(self) -> str:
        epochs = f"{self.epochs} epoch{'s' * (self.epochs != 1)}"
        what = f"{self.network} from {self.start} on {self.images} images of {self.dataset}"
        return f"{what}, {epochs}"


class Artefacts(NamedTuple):
    """Artefacts of one kind."""

    kind: str
    needed: int
    stored: int
    """How many of them the store has."""


class Lines(NamedTuple):
    """An entry in all repeats."""

    label: str
    role: str
    cases: int | None
    """None where artefacts that say so are not there yet."""
    shards: int | None
    stored: int
    """How many shards the store has."""


class Forecast(NamedTuple):
    """What is going to be done for a benchmark."""

    benchmark: str
    repeats: int
    device: str
    trainings: Sequence[Training]
    artefacts: Sequence[Artefacts]
    entries: Sequence[Lines]

    def tree(self) -> dict[str, Any]:
        """It as plain values."""
        lists = ("trainings", "artefacts", "entries")
        return {**self._asdict(), **{k: [of._asdict() for of in getattr(self, k)] for k in lists}}


def forecast(benchmark: Benchmark, bench: LocalBench, limit: int | None) -> Forecast:
    """What a run of the benchmark is going to do; nothing is written."""
    runs = list(runs_of([benchmark]))
    recipes = closure(recipe for run in runs for recipe in run.recipes.values())
    stored = stored_keys(recipes, bench.provider)
    counts = Counter(recipe.kind for recipe in recipes.values())
    there = Counter(recipes[key].kind for key in stored)
    trainings = trainings_of(recipes, stored, bench.device)
    return Forecast(
        benchmark.name,
        benchmark.repeats,
        str(bench.device),
        trainings,
        [Artefacts(kind, count, there[kind]) for kind, count in sorted(counts.items())],
        list(_lines(runs, stored, bench, limit)),
    )


def announce(recipes: Iterable[Recipe], provider: Provider, *, train: bool = True) -> None:
    """Say in one line what is trained, and about how long, and what the store has already.

    `UsageError` where something is to be trained, and must not be.
    """
    every = closure(recipes)
    if not every:
        return
    stored = stored_keys(every, provider)
    trainings = trainings_of(every, stored, provider.workplace.device if train else None)
    if trainings and not train:
        raise UsageError(_not_trained(trainings), ("--no-train", ""))
    there = f"the store has {len(stored)} of {len(every)} artefacts"
    provider.say_once(f"{training_line(trainings)}; {there}{library_hint(trainings)}")


def training_line(trainings: Sequence[Training], *, timed: bool = True) -> str:
    """What is going to be trained, and where `timed` about how long that takes."""
    if not trainings:
        return "nothing to train"
    same = Counter(map(str, trainings))
    whats = [f"{count} × {what}" if count > 1 else what for what, count in same.items()]
    more = f" and {len(whats) - 3} others" if len(whats) > 3 else ""
    time = f"; {about(trainings)}" if timed else ""
    return f"to train: {'; '.join(whats[:3])}{more}{time}"


def about(trainings: Sequence[Training]) -> str:
    """About how long the trainings take together."""
    known = [training.seconds for training in trainings if training.seconds is not None]
    if len(known) < len(trainings):
        return "how long is not known"
    return f"about {spoken(sum(known))}"


def spoken(seconds: float) -> str:
    """A time in its largest unit, with no more digits than it deserves."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.{int(seconds < 10 * size)}f} {unit}".replace(".0 ", " ")
    return f"{math.ceil(seconds)} s"


def closure(recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    """The recipes and all that they need, by their keys."""
    found: dict[str, Recipe] = {}
    waiting = list(recipes)
    while waiting:
        recipe = waiting.pop()
        key = recipe.key
        if key not in found:
            found[key] = recipe
            waiting += recipe.needs().values()
    return found


def stored_keys(recipes: Mapping[str, Recipe], provider: Provider) -> set[str]:
    """Keys of the artefacts that the store has."""
    return {key for key, of in recipes.items() if provider.stored(of.kind, key) is not None}


def trainings_of(
    recipes: Mapping[str, Recipe], stored: Collection[str], device: torch.device | None
) -> list[Training]:
    """The trainings whose weights are not stored.

    With a device it is measured there how long they take; plans that are alike, once.
    """
    speeds: dict[object, float | None] = {}
    found = []
    for key, recipe in recipes.items():
        trains = isinstance(recipe, ClassifierWeights) and recipe.trained_here
        plan = cast("ClassifierWeights", recipe).plan if trains else None
        if plan is None or not plan.training.epochs or _is_there(recipe, key, stored):
            continue
        alike = (plan.classifier, plan.training, len(plan.images.ids()))
        if device is not None and alike not in speeds:
            speeds[alike] = training_seconds(plan, device)
        found.append(_training(plan, speeds.get(alike)))
    return found


def _is_there(recipe: Recipe, key: str, stored: Collection[str]) -> bool:
    """Whether the artefact is stored, or all that it is taken out of."""
    needs = recipe.needs().values()
    return key in stored or (bool(needs) and all(of.key in stored for of in needs))


def _training(plan: TrainingPlan, seconds: float | None) -> Training:
    random = _random(plan.classifier)
    state = blank_module(random, plan.classes, derived_seed("size")).state_dict()
    return Training(
        network_name(plan.classifier),
        _start(plan.classifier),
        plan.images.dataset.name,
        len(plan.images.ids()),
        plan.training.epochs,
        seconds,
        sum(tensor.nbytes for tensor in state.values()),
    )


def _random(classifier: Classifier) -> Classifier:
    return replace(classifier, weights="")


def network_name(classifier: Classifier) -> str:
    """What a classifier is called: of a family, with the network's own name."""
    if not type(classifier).offers():
        return classifier.name
    own = next(field.name for field in fields(classifier) if not field.kw_only)
    return f"{classifier.name}:{getattr(classifier, own)}"


def _start(classifier: Classifier) -> str:
    if not classifier.weights:
        return RANDOM
    return "the library's weights" if classifier.weights == LIBRARY else "the weights of a file"


def library_hint(trainings: Sequence[Training]) -> str:
    """How a network of a library is had with the library's weights, where it is trained without."""
    named = (of.network for of in trainings if of.start == RANDOM and ":" in of.network)
    name = next(named, None)
    if name is None:
        return ""
    photo = f"`xbench explain PHOTO --classifier {name}`"
    return f"; with the library's weights: -p classifier.weights=library, or of a photo {photo}"


def _not_trained(trainings: Sequence[Training]) -> str:
    return (
        f"--no-train: the store lacks weights; {training_line(trainings, timed=False)}. Leave it "
        "out, or give weights: -p classifier.weights=FILE -p training.epochs=0, or "
        "-p classifier.weights=library -p training.epochs=0 where the library's have these classes."
    )


def _lines(
    runs: Sequence[EntryRun], stored: set[str], bench: LocalBench, limit: int | None
) -> Iterator[Lines]:
    by_label: dict[str, list[EntryRun]] = {}
    for run in runs:
        by_label.setdefault(run.entry.label, []).append(run)
    for label, of_label in by_label.items():
        known = all(r.key in stored for run in of_label for r in run.recipes.values())
        for run in of_label if known else ():
            expand(run, bench, limit)
        cases = sum(len(run.cases) for run in of_label)
        shards = sum(len(run.shards) for run in of_label)
        there = sum(len(run.tables) for run in of_label)
        role = of_label[0].entry.role
        yield Lines(label, role, cases if known else None, shards if known else None, there)
