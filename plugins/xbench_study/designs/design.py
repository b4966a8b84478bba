"""Designs of studies: a kind of component, which other plugins bring as well."""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from xbench import Component

if TYPE_CHECKING:
    from xbench_study.designs.description import Description


class Design(Component):
    """What a study of a paper shows and asks; its fields are what a researcher may vary."""

    kind: ClassVar[str] = "design"

    @abstractmethod
    def description(self) -> "Description":
        """The study as the paper has it, with `TODO` where the researcher has to say something."""
