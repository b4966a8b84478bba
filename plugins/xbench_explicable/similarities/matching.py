"""Classes of a table or of another dataset, found by name."""

from collections import Counter
from collections.abc import Iterable, Sequence

from xbench import MismatchError

SHOWN = 12
"""How many names a message shows."""


def quoted(names: Iterable[str], shown: int = SHOWN) -> str:
    """Names for a message: the first of them, and how many more there are."""
    every = list(names)
    rest = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(repr(name) for name in every[:shown]) + rest


def places(names: Sequence[str], known: Sequence[str], what: str) -> list[int]:
    """Where each name stands in `known`, which holds the same classes in any order.

    `MismatchError` says which names are missing, which are too many, and which occur twice;
    `what` says whose `known` are.
    """
    twice = [name for name, times in Counter(known).items() if times > 1]
    if twice:
        raise MismatchError(f"{what} has classes twice: {quoted(twice)}")
    asked, there = set(names), set(known)
    missing = [name for name in names if name not in there]
    extra = [name for name in known if name not in asked]
    if missing or extra:
        told = [
            f"{verb} {quoted(found)}"
            for verb, found in (("lacks", missing), ("has besides", extra))
            if found
        ]
        raise MismatchError(
            f"{what} is not about the same {len(names)} classes: it {' and '.join(told)}. "
            "Classes are matched by name."
        )
    where = {name: place for place, name in enumerate(known)}
    return [where[name] for name in names]
