"""Confounding: a class goes with a context where one trains."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from xbench import ParameterError, UnknownNameError
from xbench_toybirds.drawing.contexts import CONTEXTS
from xbench_toybirds.hashing import uniforms
from xbench_toybirds.splits import are_of, labels_of
from xbench_toybirds.world import CLASSES

_CONFOUNDED = ("train", "validation")


@dataclass(frozen=True)
class Confounding:
    """Which class goes with which context, and how often; no names for none."""

    label: str
    context: str
    strength: float

    def check(self) -> None:
        """Refuse names that nothing has, and one without the other."""
        if self.label not in ("", *CLASSES):
            raise UnknownNameError("class of toybirds", self.label, CLASSES)
        if self.context not in ("", *CONTEXTS):
            raise UnknownNameError("context of toybirds", self.context, CONTEXTS)
        if bool(self.label) != bool(self.context):
            raise ParameterError(
                "dataset 'toybirds': confounded_class and confounded_context go together; "
                "give both or neither."
            )

    def contexts(
        self, seed: int, ids: Int64[np.ndarray, " n"], contexts: Int64[np.ndarray, " n"]
    ) -> Int64[np.ndarray, " n"]:
        """The contexts, those of the class replaced as often as the strength says."""
        if not self.label:
            return contexts
        mask = are_of(ids, *_CONFOUNDED) & (labels_of(ids) == CLASSES.index(self.label))
        mask &= uniforms(seed, ids, "confounding", 1)[:, 0] < self.strength
        return np.where(mask, CONTEXTS.index(self.context), contexts)
