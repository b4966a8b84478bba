"""Weights of a module that somebody holds in this process, such as in a notebook."""

from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

from torch import nn

from xbench.errors import WeightsError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.interfaces.recipe import ClassifierWeights
from xbench.interfaces.workplace import Progress, Workplace
from xbench.networks.weights import State, state_hash
from xbench.training.fitted_state import architecture, fitted_facts, fitted_state
from xbench.training.recipe import stored_state


@dataclass(frozen=True)
class LiveState:
    """The weights of a module as they are when this is made, for classifiers of its architecture.

    What it makes for a classifier is the same each time: the state is copied and hashed once.
    """

    module: nn.Module = field(repr=False)
    _made: dict[object, "LiveModuleWeights"] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def weights(self, classifier: Classifier, classes: int) -> "LiveModuleWeights":
        """The weights of the classifier."""
        asked = classifier, classes
        if asked not in self._made:
            self._made[asked] = LiveModuleWeights(classifier, classes, self.module)
        return self._made[asked]


@dataclass(frozen=True)
class LiveModuleWeights(ClassifierWeights):
    """The weights that a module has when this is made: a copy, so that both go their own ways.

    The classifier says what network it is. The module is not touched, and only its state
    and the classifier are in the key.

    Other processes get it without the state, and find the artefact in the store.
    """

    in_driver: ClassVar[bool] = True

    classifier: Classifier
    classes: int
    module: InitVar[nn.Module]
    state: State | None = field(init=False, repr=False, compare=False)
    digest: str = field(init=False)

    def __post_init__(self, module: nn.Module) -> None:
        """Copy the module's state."""
        state = stored_state(module.state_dict())
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "digest", state_hash(state))

    def __getstate__(self) -> dict[str, Any]:
        """All but the tensors."""
        return {**vars(self), "state": None}

    def __copy__(self) -> "LiveModuleWeights":
        """Itself, with its tensors: nothing of it changes."""
        return self

    def __deepcopy__(self, memo: object) -> "LiveModuleWeights":
        """Itself, with its tensors."""
        return self

    @property
    def plan(self) -> None:
        """There is none: how the module was trained is not known here."""

    def tree(self) -> Tree:
        """The state, and what it is loaded into."""
        network = architecture(self.classifier)
        return {"state": self.digest, "classifier": network, "classes": self.classes}

    def check(self, progress: Progress) -> None:
        """Raise `WeightsError` where the state is no state of the classifier."""
        self._fitted()

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The copied state."""
        state = self._fitted()
        summary = "weights of a module, as they were"
        facts = fitted_facts(self.classifier, self.classes, state, summary)
        return Artefact(self.key, state, facts)

    def _fitted(self) -> State:
        if self.state is None:
            raise WeightsError(
                f"weights of a module {self.digest} were sent here from another process, which "
                "has them; run the command again there, and they are put into the store"
            )
        return fitted_state(self.classifier, self.classes, self.state, "the module")
