"""Weights that lie in a file or at an address, known by their content."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from xbench.errors import WeightsError
from xbench.files.download import fetch
from xbench.files.home import home
from xbench.interfaces.artefact import Artefact, Artefacts, entries_below
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree, location
from xbench.interfaces.data.download import Download
from xbench.interfaces.recipe import ClassifierWeights, TrainingPlan
from xbench.interfaces.workplace import Progress, Workplace
from xbench.networks.weights import file_hash, read_facts, read_state
from xbench.training.fitted_state import architecture, fitted_facts, fitted_state

DIGITS = 32
"""Of a SHA-256 in keys."""
CLASSIFIER = "classifier."
"""What the names of the classifier's tensors begin with, in a file that has a companion's too."""


@dataclass(frozen=True)
class WeightsFile:
    """Weights in a file, in any of the formats that `read_state` reads."""

    path: str = location()
    sha256: str = ""
    """The digest that the file must have; "" for whichever it has."""
    trained_on: str = ""
    """What the training's images were, as `images_hash` has it; "" where that is not said."""
    trained_with: str = ""
    """Which companion the classifier was trained with, as `companion_hash` has it; the file then
    holds the state of both."""

    def __post_init__(self) -> None:
        """Check that the digest is one."""
        if self.sha256:
            _check_digest(self.sha256)

    @property
    def content(self) -> str:
        """The first digits of the SHA-256; `WeightsError` where no file tells it."""
        return self.sha256[:DIGITS].lower() or file_hash(self.path)

    def tree(self) -> Tree:
        """The content; never where it lies."""
        return {"sha256": self.content}

    def fetched(self, progress: Progress) -> Path:
        """The file, or `WeightsError` where its content is another."""
        path = Path(self.path).expanduser()
        expected = self.sha256.lower() or self.content
        found = sha256_of(path)
        if not found.startswith(expected):
            raise WeightsError(
                f"the weights file {str(path)!r} has the sha256 {found}, expected is {expected}; "
                "give the file that was meant, or its sha256"
            )
        return path


@dataclass(frozen=True)
class WeightsDownload:
    """Weights at an address, and what must be true of them."""

    url: str
    size: int
    """Exact number of bytes."""
    sha256: str
    licence: str = ""
    trained_on: str = ""
    """Like `trained_with`, as that of a file."""
    trained_with: str = ""

    def __post_init__(self) -> None:
        """Check that the digest is one."""
        _check_digest(self.sha256)

    @property
    def content(self) -> str:
        """The first digits of the SHA-256."""
        return self.sha256[:DIGITS].lower()

    def tree(self) -> Tree:
        """The content; never where it lies."""
        return {"sha256": self.content}

    def fetched(self, progress: Progress) -> Path:
        """The checked file below `home()`, downloaded unless it is there; `DownloadError`."""
        folder = home() / "weights" / self.content
        checksum, target = f"sha256:{self.sha256}", str(folder)
        download = Download(
            self.url, self.size, checksum, target, self.licence or "not stated", archive=False
        )
        return fetch(download, folder, progress)


WeightsSource = WeightsFile | WeightsDownload
"""Where weights come from."""


@dataclass(frozen=True)
class PinnedWeights(ClassifierWeights):
    """Weights of a classifier that are a given file's; the key has its content, never its path."""

    classifier: Classifier
    classes: int
    source: WeightsSource
    told: TrainingPlan | None = field(default=None, repr=False, compare=False)
    """The training that the weights are said to be of; never in the key."""

    @property
    def plan(self) -> TrainingPlan | None:
        """What is said of the training."""
        return self.told

    @property
    def trained_here(self) -> bool:
        """They are read."""
        return False

    def tree(self) -> Tree:
        """The content, and what it is loaded into."""
        network = architecture(self.classifier)
        return {"pinned": self.source.tree(), "classifier": network, "classes": self.classes}

    def check(self, progress: Progress) -> None:
        """Raise what is wrong with the file or its download, or if it does not fit."""
        self._state(progress)

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Load the file."""
        state = self._state(workplace.progress)
        summary = f"weights {self.source.content[:8]}, {self._as_told(workplace.progress)}"
        facts = fitted_facts(self.classifier, self.classes, state, summary)
        return Artefact(self.key, state, {**facts, "pinned": _described(self.source)})

    def _as_told(self, progress: Progress) -> str:
        """What the file says of the training."""
        facts = read_facts(self.source.fetched(progress))
        lines = facts.get("classifier", facts).get("summary", [])
        own = f"{self.classifier.name}: "
        return next((line.removeprefix(own) for line in lines if line.startswith(own)), "as given")

    def _state(self, progress: Progress) -> dict[str, Tensor]:
        path = self.source.fetched(progress)
        state = read_state(path)
        if self.source.trained_with:
            state = entries_below(CLASSIFIER, state)
        return fitted_state(self.classifier, self.classes, state, str(path))


def _described(source: WeightsSource) -> Tree:
    """What a record tells of the source: of a file its content alone."""
    if isinstance(source, WeightsFile):
        return source.tree()
    return {**source.tree(), "url": source.url, "licence": source.licence}


def _check_digest(text: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError(f"sha256 is {text!r}; it has 64 hexadecimal digits")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file of weights; `WeightsError` where there is none."""
    if not path.is_file():
        raise WeightsError(f"there is no weights file {str(path)!r}")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
