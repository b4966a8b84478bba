"""A plugin that provides one of every kind, fully annotated: `mypy --strict` passes on it."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import click
import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from xbench import (
    Annotation,
    Artefact,
    Artefacts,
    Attribution,
    Batch,
    Bench,
    Case,
    CaseScores,
    ClassHierarchy,
    Classifier,
    ClassifierWeights,
    Component,
    Contexts,
    Dataset,
    Derivation,
    Difficulty,
    Done,
    Drawing,
    Entry,
    Executor,
    Explainer,
    Explanation,
    Given,
    ImageSet,
    Loss,
    Network,
    Normalisation,
    PartPoints,
    Protocol,
    Readout,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Similarity,
    Subject,
    Targets,
    Task,
    TrainingPlan,
    Tree,
    Work,
    Workplace,
    annotated,
    case_column,
    case_places,
    hookimpl,
    per_image,
    seeded,
)
from xbench.commands import OUTPUT, Session, print_json, print_table, session_options
from xbench.kernels import on_grid


@dataclass(frozen=True)
class Squares(Dataset, ClassHierarchy, PartPoints, Contexts):
    """Squares of two colours, each with its corner as the one part."""

    name: ClassVar[str] = "squares"

    count: int = 8

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        return f"squares {self.count}"

    def class_names(self) -> tuple[str, ...]:
        return ("dark", "light")

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        return (("square",), ("square",))

    def splits(self) -> tuple[str, ...]:
        return ("train", "test")

    def ids(self, split: str) -> Sequence[int]:
        start = self.splits().index(split) * self.count
        return range(start, start + self.count)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        return torch.tensor(list(ids), dtype=torch.int64) % 2

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 16 16"]]:
        grey = (255 * self.labels(ids)).to(torch.uint8)
        return list(grey[:, None, None, None].expand(-1, 3, 16, 16))

    def part_names(self) -> tuple[str, ...]:
        return ("corner",)

    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n 1 3"]:
        return torch.tensor([0.5, 0.5, 1.0]).expand(len(ids), 1, 3)

    def context_names(self) -> tuple[str, ...]:
        return ("night",)

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n 1"]:
        return (self.labels(ids) == 0)[:, None]


@dataclass(frozen=True)
class Linear(Classifier):
    """Logits that are linear in the average colour."""

    name: ClassVar[str] = "average-colour"

    def module(self, classes: int) -> nn.Module:
        layers = nn.Conv2d(3, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
        return nn.Sequential(*layers)

    def normalisation(self) -> Normalisation:
        return Normalisation()

    def input_size(self) -> int:
        return 16


@dataclass(frozen=True)
class Siblings(Similarity):
    """Classes with one parent are alike."""

    name: ClassVar[str] = "siblings"

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        parents = [above[0] for above in annotated(dataset, ClassHierarchy).class_ancestors()]
        rows = [[float(one == other) for other in parents] for one in parents]
        return torch.tensor(rows, dtype=torch.float64)


@dataclass(frozen=True)
class Squared(Loss):
    """The squared distance between probabilities and labels."""

    name: ClassVar[str] = "squared"

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        rows = nn.functional.one_hot(batch.known_labels(), classes)
        return Targets(batch.images, rows.to(batch.images.dtype), batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        return (logits.softmax(dim=1) - targets.distribution).square().sum(dim=1).mean()


@dataclass(frozen=True)
class Doubt(Difficulty):
    """One minus the largest class probability."""

    name: ClassVar[str] = "doubt"

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        return Readout(network.bottom, network.top, doubt)


def doubt(logits: Float[Tensor, "n logits"]) -> Float[Tensor, "n predictions"]:
    return 1 - logits.softmax(dim=1).amax(dim=1, keepdim=True)


@dataclass(frozen=True)
class Even(Attribution):
    """Every location matters as much as any other."""

    name: ClassVar[str] = "even"

    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        height, width = activations.shape[-2:]
        predictions = readout.predictions(images)[:, :, None, None] / (height * width)
        return predictions.expand(-1, -1, height, width)


@dataclass(frozen=True, eq=False)
class Spot(Explanation):
    """One map."""

    name: ClassVar[str] = "spot"

    values: Float[Tensor, "h w"]

    def tensors(self) -> Mapping[str, Tensor]:
        return {"values": self.values}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        return cls(tensors["values"])

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Figure:
        figure = Figure()
        figure.add_subplot().imshow(self.values.numpy())
        return figure


@dataclass(frozen=True)
class Spots(Explainer):
    """Where an attribution points to, with some noise."""

    name: ClassVar[str] = "spots"
    makes: ClassVar[type[Explanation]] = Spot

    difficulty: Difficulty
    attribution: Attribution
    noise: float = 0.1

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Spot]:
        readout = self.difficulty.readout(network, artefacts)
        maps = self.attribution.attribute(
            readout, network.activations(batch.images), batch.images
        ).cpu()
        sources = [per_image(generator, image) for image in batch.ids]
        on_picture = on_grid(maps, network.extra_rows)
        return [
            Spot(one[0] + self.noise * torch.rand(one.shape[1:], generator=source))
            for one, source in zip(on_picture, sources, strict=True)
        ]


@dataclass(frozen=True)
class MeanColour(Recipe):
    """The average colour of the images that a classifier is trained on."""

    kind: ClassVar[str] = "mean-colour"

    images: ImageSet

    def tree(self) -> Tree:
        return {"images": self.images.tree()}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        ids = self.images.ids()
        workplace.progress.update("mean colour", 0, len(ids))
        with workplace.stage("mean colour"):
            mean = self.images.batch(ids).images.mean(dim=(0, 2, 3))
        return Artefact(self.key, {"mean": mean}, {"images": len(ids)})


@dataclass(frozen=True)
class DrawnWeights(ClassifierWeights):
    """A classifier's random weights."""

    classifier: Classifier
    classes: int
    seed: int

    @property
    def plan(self) -> TrainingPlan | None:
        return None

    def tree(self) -> Tree:
        return {"classifier": self.classifier.tree(), "classes": self.classes, "seed": self.seed}

    def needs(self) -> Mapping[str, Recipe]:
        return {}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        with seeded(self.seed):
            module = self.classifier.module(self.classes)
        return Artefact(self.key, module.state_dict(), {"classes": self.classes})


@dataclass(frozen=True)
class Corner(Protocol):
    """How much of a spot lies in the half of the image where its corner is."""

    name: ClassVar[str] = "corner"
    scores: ClassVar[type[Explanation] | None] = Spot

    def needs(self) -> tuple[type[Annotation], ...]:
        return (PartPoints,)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        weights = subject(entry).weights
        return {"weights": weights, "colour": MeanColour(entry.datasets["train"])}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        return [Case("test", image) for image in entry.datasets["test"].ids()]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterator[Request]:
        asked = subject(entry), entry.datasets["test"], tuple(case.id for case in cases)
        yield Request(None, *asked)
        yield Request(entry.required_explainer, *asked, DARKENED)

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        of, test, ids = subject(entry), entry.datasets["test"], [case.id for case in cases]
        logits = bench.predictions(of, test, ids)
        spots = bench.explanations(entry.required_explainer, of, test, ids, DARKENED)
        with bench.stage("score"):
            shares = [share(spot) for spot in spots if isinstance(spot, Spot)]
        columns = {"case": case_column(cases), "share": shares, "label": logits.argmax(1).tolist()}
        return Rows.from_pydict(columns)

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        return {label: [corner_score(table)] for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        figure = Figure()
        figure.add_subplot().bar(list(rows), [float(table.num_rows) for table, *_ in rows.values()])
        return {"cases": Drawing(figure, "Cases", "Bars are counts.", f"{len(rows)} bars.")}


def subject(entry: Entry) -> Subject:
    classes = len(entry.datasets["train"].dataset.class_names())
    weights = DrawnWeights(entry.classifier, classes, entry.seed)
    return Subject(entry.classifier, weights, entry.datasets, entry.seed)


def darkened(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    return images / 2


DARKENED = Derivation("darkened", 0, {"factor": 0.5}, darkened)


def share(spot: Spot) -> float:
    height = spot.values.shape[0]
    return float(spot.values[: height // 2].sum() / spot.values.sum())


def corner_score(rows: Rows) -> CaseScores:
    cases = case_places(rows).rows
    values = np.asarray(rows["share"], dtype=np.float64)
    return CaseScores("share", "higher", cases, values, headline=True, chance=0.5)


@dataclass(frozen=True)
class InTurn(Executor):
    """One task after another."""

    name: ClassVar[str] = "in-turn"
    shared: ClassVar[bool] = False

    threads: int = 0

    def worker_threads(self) -> int:
        return self.threads

    def run(self, work: Work, tasks: Iterator[Task | None]) -> Iterator[Done]:
        for task in tasks:
            if task is not None:
                yield work(task)


class Design(Component):
    """A kind that xbench does not have."""

    kind: ClassVar[str] = "design"

    @abstractmethod
    def questions(self, images: int) -> int:
        """How many there are about so many images."""


@click.command("kinds")
@session_options(OUTPUT)
@click.option("--kind", "kinds", multiple=True, help="Count this kind.")
def count_kinds(session: Session, kinds: tuple[str, ...]) -> None:
    """Count the installed components of some kinds."""
    counts: dict[str, Any] = {kind: len(session.registry.names(kind)) for kind in kinds}
    if session.json:
        print_json(counts)
        return
    print_table("Kinds", ["kind", "components"], [(kind, str(n)) for kind, n in counts.items()])


@hookimpl
def register_datasets() -> list[type[Dataset]]:
    return [Squares]


@hookimpl
def register_classifiers() -> list[type[Classifier]]:
    return [Linear]


@hookimpl
def register_similarities() -> list[type[Similarity]]:
    return [Siblings]


@hookimpl
def register_losses() -> list[type[Loss]]:
    return [Squared]


@hookimpl
def register_difficulties() -> list[type[Difficulty]]:
    return [Doubt]


@hookimpl
def register_attributions() -> list[type[Attribution]]:
    return [Even]


@hookimpl
def register_explainers() -> list[type[Explainer]]:
    return [Spots]


@hookimpl
def register_protocols() -> list[type[Protocol]]:
    return [Corner]


@hookimpl
def register_executors() -> list[type[Executor]]:
    return [InTurn]


@hookimpl
def register_kinds() -> list[type[Component]]:
    return [Design]


@hookimpl
def register_commands() -> list[click.Command]:
    return [count_kinds]
