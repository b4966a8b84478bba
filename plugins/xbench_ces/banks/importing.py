"""A bank that is there already, in a file, as an artefact."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from xbench import Artefact, Artefacts, Recipe, Tree, location
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.file import check_exists, read_bank

if TYPE_CHECKING:
    from xbench import Workplace


@dataclass(frozen=True)
class StoredBank(Recipe):
    """The bank in a file: one that was learned here or elsewhere, or a released pickle.

    Its content decides its key, its path does not.
    """

    kind: ClassVar[str] = "concept-bank"

    path: str = location()
    layer: str = ""
    """For pickles, which do not say of which layer they are; "" for "avgpool"."""
    shape: tuple[int, ...] = ()
    """For pickles: that of one image's activations; () for as many channels as values."""

    def tree(self) -> Tree:
        """The hash of the file, and what is said about it; `UsageError` where there is none."""
        check_exists(self._path)
        return super().tree()

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Read the file."""
        bank = self.read()
        facts = {**bank.facts, "summary": _summary(bank)}
        return dataclasses.replace(bank, facts=facts).artefact(self.key)

    def read(self) -> ConceptBank:
        """The bank in the file; `UsageError` where there is none."""
        return read_bank(self._path, self.layer, self.shape)

    @property
    def _path(self) -> Path:
        return Path(self.path).expanduser()


def _summary(bank: ConceptBank) -> list[str]:
    state = "" if bank.verified else "; unverified: the weights it belongs to are not known"
    lines = [f"{len(bank.concepts)} concepts at {bank.layer}, imported{state}"]
    if names := bank.one_sided():
        lines.append(f"no training image lies on the side of {', '.join(names)}: steps of one ")
        lines[-1] += "margin lead away from these"
    return lines
