"""Designs of studies: a kind of component, which other plugins bring as well."""

from abc import abstractmethod
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from xbench import Component, Entry, MismatchError, UsageError, subject_of

if TYPE_CHECKING:
    from xbench_study.designs.drafts import Draft, Scene

Collected: TypeAlias = Literal["", "ratings", "labels"]
"""What answers are collected for, beside their analysis: degrees of pairs of classes, or labels of
images."""


class Design(Component):
    """What a study of a paper shows and asks; its fields are what a researcher may vary."""

    kind: ClassVar[str] = "design"
    chance: ClassVar[float | None] = None
    """The share of right answers that guessing gives; None where no answer is right."""

    measures: ClassVar[str] = "right"
    """What an answer is: `right` or not, or a `degree`."""

    collects: ClassVar[Collected] = ""
    """What `xbench study export` also writes, for similarities and datasets to read."""

    @abstractmethod
    def text(self) -> str:
        """The study's description as TOML, conditions aside: those are the benchmark's.

        It is what a researcher edits, comments and all; `TODO` stands where something has to be
        said before anybody is recruited.
        """

    @abstractmethod
    def drafts(self, scene: "Scene") -> "Sequence[Draft]":
        """The items, of all kinds; `UsageError` where there are too few images for them."""


def own_text(name: str) -> str:
    """This package's description `files/NAME.toml`."""
    return (files(__package__) / "files" / f"{name}.toml").read_text(encoding="utf-8")


def enough(ids: Sequence[int], wanted: int, what: str) -> Sequence[int]:
    """So many of the images, evenly spread; `UsageError` where there are fewer."""
    if len(ids) < wanted:
        raise UsageError(
            f"{wanted} {what} are asked for, and there are {len(ids)}; ask for fewer with "
            f"-p protocol.design.images={len(ids)}"
        )
    return [ids[place * len(ids) // wanted] for place in range(wanted)]


def one_network(scene: "Scene") -> Entry:
    """The entry whose network all conditions are about; `MismatchError` where they differ."""
    entries = list(scene.entries.values())
    keys = {subject_of(entry).weights.key for entry in entries}
    if len(keys) > 1:
        raise MismatchError("conditions of this study are of one network, and entries have several")
    return entries[0]
