"""Protocols: how explanations, or classifiers, are scored."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Shaped
from torch import Generator

from xbench.errors import MismatchError, PluginError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.bench import Bench, Request, Subject
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Component, Tree
from xbench.interfaces.data.annotation import AnnotationKind
from xbench.interfaces.data.case import Case
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.data.predictions import SplitPredictions
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.loss import Loss
from xbench.interfaces.readout import Difficulty
from xbench.interfaces.recipe import ClassifierWeights, Recipe
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.randomness import generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows: TypeAlias = pa.Table
"""Rows of one entry: a column `case` with names of cases, and the protocol's own."""

Role = Literal["entry", "floor", "ceiling"]
"""What a line of a benchmark is there for."""
Direction = Literal["higher", "lower", "none"]
"""Which values of a score are better; none of those of a score that is shown and not ranked."""
Unit = Literal["share", "points", "number"]
"""What a score is counted in: a share, from 0 to 1, and a difference of shares or of two such
differences, from −2 to 2, are shown times 100."""
RANGES: Mapping[str, tuple[float, float]] = {"share": (0.0, 1.0), "points": (-2.0, 2.0)}
"""Between what values of a unit lie, where they are bounded."""
MOST_KEYS = 2
"""By how many keys values can be clustered."""


@dataclass(frozen=True)
class Entry:
    """One line of a benchmark: the components that are compared, for one repeat."""

    label: str
    role: Role
    explainer: Explainer | None
    """None where classifiers are compared."""
    classifier: Classifier
    loss: Loss
    training: Training
    datasets: Mapping[str, ImageSet]
    """The benchmark's image sets by role: `train`, `test`, and further test sets by name."""
    repeat: int
    seed: int
    """Differs between repeats and is shared by the entries of one repeat."""
    companion: Difficulty | None = None
    """What all classifiers of the benchmark are trained jointly with, if with anything."""
    common: "Entry | None" = None
    """This line with the benchmark's own classifier, where the entry has another one."""
    cell: Mapping[str, str] = field(default_factory=dict)
    """Names of the values of a grid's axes; empty outside grids, and in no key."""
    weights: ClassifierWeights | None = None
    """The classifier's weights, where they come from elsewhere than from its training."""
    members: "tuple[Entry, ...]" = ()
    """The entries that this one is an ensemble of; its own classifier is then not asked."""

    @property
    def required_explainer(self) -> Explainer:
        """The explainer, or `MismatchError` where there is none."""
        if self.explainer is None:
            raise MismatchError(
                f"entry {self.label!r} has no explainer, and needs one here: --explainer NAME"
            )
        return self.explainer

    def source(self) -> Generator:
        """What its explanations draw random numbers from, wherever they are made."""
        return generator("explanation", self.seed)

    def tree(self) -> Tree:
        """What identifies the entry, its label aside."""
        given: Tree = {} if self.weights is None else {"weights": self.weights.tree()}
        if self.members:
            given["members"] = [member.tree() for member in self.members]
        return {
            "explainer": self.explainer and self.explainer.tree(),
            "classifier": self.classifier.tree(),
            "loss": self.loss.tree(),
            "training": self.training.tree(),
            "datasets": {role: images.tree() for role, images in self.datasets.items()},
            "companion": self.companion and self.companion.tree(),
            "repeat": self.repeat,
            "seed": self.seed,
            **given,
        }


@dataclass(frozen=True, eq=False)
class CaseScores:
    """One score of one entry, case by case; its mean, interval and comparisons are the core's."""

    name: str
    direction: Direction
    cases: Shaped[np.ndarray, " n"]
    """Names of the cases, as str or object; one that was scored several times stands here so."""
    values: Float64[np.ndarray, " n"]
    """NaN where a case could not be scored; counted, never dropped silently."""
    headline: bool = False
    """Whether the score decides comparisons between entries: several may, and all are told."""
    unit: Unit = "share"
    chance: float | None = None
    """What guessing is expected to score, where that is known."""
    ranking: bool | None = None
    """Whether it is the one score that ranks entries; where none says so, the first headline is."""
    clusters: tuple[Shaped[np.ndarray, " n"], ...] = ()
    """Names of what is resampled together: by one key, or by two that cross, such as image and
    participant; () where each case stands for itself."""

    def __post_init__(self) -> None:
        """Refuse what are no names, and columns of different lengths."""
        if self.direction == "none" and (self.headline or self.ranking):
            raise PluginError(
                f"score {self.name!r} decides comparisons and has no direction; say which values "
                "are better, or let it be neither headline nor ranking"
            )
        columns = (self.cases, *self.clusters)
        if any(len(names) and names.dtype.kind not in "OU" for names in columns):
            raise PluginError(
                f"score {self.name!r} has cases or clusters of type {columns[0].dtype}; they are "
                'names, such as str(Case("test", 7))'
            )
        if len(columns) > MOST_KEYS + 1 or any(len(c) != len(self.values) for c in columns):
            raise PluginError(
                f"score {self.name!r} needs as many cases as values, and as many names in each of "
                f"at most {MOST_KEYS} keys of clusters"
            )


class View(NamedTuple):
    """What a case shows: an image, and what it is explained with."""

    title: str
    images: ImageSet
    image: int
    subject: Subject
    """The classifier, with its weights, that is explained."""


class Drawing(NamedTuple):
    """A picture of scores, and its content in words."""

    figure: "Figure"
    title: str
    caption: str
    """How to read it, in a sentence or two."""
    text: str
    """What it shows, for readers who cannot see it."""


class Protocol(Component):
    """An evaluation protocol of a paper: from an entry to rows, and from rows to scores."""

    kind: ClassVar[str] = "protocol"
    scores: ClassVar[type[Explanation] | None]
    """The kind of explanation it scores; None where it scores classifiers."""
    case: ClassVar[str] = "image"
    """What a case is, in a word that headings and tables count with: three `image`s."""
    relative: ClassVar[bool] = False
    """Whether an entry's scores depend on which others it is compared with."""
    trains: ClassVar[bool] = False
    """Whether trainings are what it compares, or it has networks trained of its own: a
    benchmark's reference weights are then left out."""
    needs_labels: ClassVar[bool] = True
    """Whether it reads labels; one that does not takes datasets that have none, too."""
    shard_size: ClassVar[int | None] = None
    """Cases of one shard: what a kill can lose, and what one file of rows holds.

    None for as many as blocks of images have: 64, of thousands up to 256.
    """

    @abstractmethod
    def needs(self) -> tuple[AnnotationKind, ...]:
        """Annotation kinds that the test dataset must have, all of them.

        `PartMasks | ObjectBoxes` stands for either.
        """

    def terms(self) -> Mapping[str, str]:
        """What its words and its headline scores mean, each in one sentence; nothing by default.

        They stand before the numbers of a run, in this order, for readers who do not know them.
        """
        return {}

    def given(self, path: Path) -> Explainer | None:
        """What gives the explanations that were made elsewhere and lie in a file.

        None unless overridden: there are no such files, or the protocol asks for more than them.
        """
        return None

    def for_predictions(self) -> "Protocol | None":
        """The protocol as it scores predictions from elsewhere, by `predicted_rows`.

        That is without what it asks of networks alone. None unless overridden: it scores none.
        """
        return None

    def predicted_rows(self, images: ImageSet, predictions: SplitPredictions) -> Rows:
        """Rows of predictions for all images of a set, the cases of role `test`.

        `MismatchError` where they lack what the protocol needs, or cannot be of these images.
        """
        raise MismatchError(f"protocol {self.name!r} scores no predictions from elsewhere")

    def edition(self, entry: Entry) -> str:
        """What makes results comparable beside the benchmark's version; nothing by default."""
        return ""

    def companion(self) -> Difficulty | None:
        """What classifiers have to be trained jointly with; nothing unless overridden."""
        return None

    @abstractmethod
    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """What must exist before the entry's cases can be evaluated, by name."""

    @abstractmethod
    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The cases to evaluate; equal lists make a comparison of entries paired."""

    def awaited(self, entry: Entry) -> int:
        """How many answers of people are still to come; none unless overridden.

        As long as there are any, records say so, and their scores are of what is there.
        """
        return 0

    def limited(self, entry: Entry, cases: Sequence[Case], limit: int) -> Sequence[Case]:
        """So many of an entry's cases, for a quick run: the first ones unless overridden.

        A protocol with several test sets takes a share of each.
        """
        return cases[:limit]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterable[Request]:
        """What `evaluate` will ask its bench for, where it can say: nothing unless overridden.

        It is made beforehand, for all entries in one pass over a network; what is asked for and
        is not there is made when it is asked for.
        """
        return ()

    @abstractmethod
    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """Rows of these cases. Runs on a worker; depends on nothing but its arguments.

        Explanations and predictions it asks of its bench, which keeps them.
        """

    @abstractmethod
    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Scores of each entry from the rows of all, by label. Pure and cheap."""

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Pictures of the scores, by the name of their file; none unless overridden.

        `rows` holds the rows of each repeat by label. The intervals of a curve are those that
        `xbench.band` makes with `resampling`, as for the scores.
        """
        return {}

    def pictures(
        self,
        entries: Mapping[str, Entry],
        rows: Mapping[str, Rows],
        artefacts: Mapping[str, Artefacts],
        bench: Bench,
    ) -> Mapping[str, Drawing]:
        """Pictures for which images or networks are needed, as `figures`; none by default.

        Entries, rows and artefacts are those of the first repeat, by label.
        """
        return {}

    def view(self, entry: Entry, case: Case, artefacts: Artefacts) -> View | None:
        """What the case shows, for pictures of its explanation.

        None where the case is the image of its role's set with this id, explained with the
        entry's classifier: so it is unless overridden.
        """
        return None

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """Facts about each entry's rows that belong into its record, such as what was left out."""
        return {label: {} for label in rows}
