"""Matching: which of the names that there are somebody means who spells one differently."""

import re
from collections.abc import Iterable

SIGNS = re.compile(r"[-_\s]")
"""What makes no difference between names, as case does not."""


def folded(name: str) -> str:
    """The name without case, hyphens and underscores."""
    return SIGNS.sub("", name).casefold()


def matched(name: str, known: Iterable[str]) -> str:
    """The one of the known names that is meant: the same, else the only one alike.

    The name itself where no known one is alike, or several are.
    """
    names = list(known)
    if name in names:
        return name
    alike = [other for other in names if folded(other) == folded(name)]
    return alike[0] if len(alike) == 1 else name
