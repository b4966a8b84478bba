"""A bank that is there already, in a file, as an artefact."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xbench.artefact import Artefact, Artefacts, Recipe
from xbench.component import Tree
from xbench.weights import file_hash
from xbench_ces.bank_file import read_bank

if TYPE_CHECKING:
    from xbench.executor import Workplace


@dataclass(frozen=True)
class StoredBank(Recipe):
    """The bank in a file: one that was learned here or elsewhere, or a released pickle.

    Its content decides its key, its path does not.
    """

    kind: ClassVar[str] = "concept-bank"

    path: str
    layer: str = ""
    """For pickles, which do not say of which layer they are; "" for "avgpool"."""
    shape: tuple[int, ...] = ()
    """For pickles: that of one image's activations; () for as many channels as values."""

    def tree(self) -> Tree:
        """The hash of the file, and what is said about it."""
        return {"file": file_hash(self.path), "layer": self.layer, "shape": list(self.shape)}

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Read the file."""
        bank = read_bank(Path(self.path).expanduser(), self.layer, self.shape)
        made = bank.artefact(self.key)
        state = "" if bank.verified else "; unverified: the weights it belongs to are not known"
        line = f"{len(bank.concepts)} concepts at {bank.layer}, imported{state}"
        return Artefact(made.key, made.tensors, {**made.facts, "summary": [line]})
