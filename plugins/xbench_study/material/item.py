"""Items: what one question of a study shows and offers, and what only the researcher knows."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
"""Drawn from the study's secret: it tells nothing of what it stands for."""
Kind = Literal["training", "practice", "check", "trial"]
"""Shown with the right answer beside it; asked, and the right answer told after it; asked among
the trials, to see that questions are read; asked."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Stimulus(_Part):
    """A picture of an item."""

    name: str
    """What conditions and captions call it: `image`, `grad-cam`."""
    asset: Key
    """The picture's file in the study's folder `assets/`, KEY.png."""


class Option(_Part):
    """What can be chosen, or is rated."""

    key: Key
    text: str = ""
    assets: list[Key] = []
    """Pictures instead of words, or beside them."""


class Item(_Part):
    """One question; nothing here tells the right answer."""

    key: Key
    kind: Kind = "trial"
    label: str = ""
    """The correct class, where the question speaks of it."""
    conditions: list[str] = []
    """Names of those in which it is shown; none for all."""
    stimuli: list[Stimulus]
    options: Annotated[list[Option], Field(min_length=1)]


class Secret(_Part):
    """What must not be told before the answer is stored; it never leaves the researcher."""

    item: Key
    image: int
    """The image's id in its dataset."""
    right: list[Key] = []
    """Options that are right: the predicted label, the algorithm's pair, a check's answer."""
    category: str = ""
    """The error's category, where the researcher has one."""
    classes: dict[Key, int] = {}
    """The class index that each option stands for."""
    facts: dict[str, str | int | float] = {}
    """What else the analysis needs, such as the true and the predicted class."""
    simulated: dict[str, Key] = {}
    """What simulated observers, who are no people, choose: by their name, the option."""
