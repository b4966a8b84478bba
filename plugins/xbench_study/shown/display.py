"""What people in one condition of a study are shown, whatever it is."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from xbench import Explainer
from xbench_study.shown.pictures import ShownPictures


class Display(Explainer):
    """An explainer whose pictures people in one condition see; entries of a study have one each."""

    makes: ClassVar[type[ShownPictures]] = ShownPictures
    kept: ClassVar[bool] = False

    condition: str
    """The condition's name in the study."""

    @abstractmethod
    def sentences(self) -> Sequence[str]:
        """What stands below each picture, "" for nothing; as many as there are pictures."""
