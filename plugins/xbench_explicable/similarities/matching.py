"""Classes of a table or of another dataset, found by name."""

from collections import Counter
from collections.abc import Iterable, Sequence

from xbench import MismatchError

SHOWN = 12
"""How many names a message shows."""


def quoted(names: Iterable[str], shown: int = SHOWN) -> str:
    """Names for a message: the first of them, and how many more there are."""
    all_names = list(names)
    rest = f" and {len(all_names) - shown} more" if len(all_names) > shown else ""
    return ", ".join(repr(name) for name in all_names[:shown]) + rest


def places(names: Sequence[str], known: Sequence[str], what: str) -> list[int]:
    """Where each name stands in `known`, which holds the same classes in any order.

    `MismatchError` says which names are missing, which are too many, and which occur twice;
    `what` says whose `known` are.
    """
    repeated = [name for name, times in Counter(known).items() if times > 1]
    if repeated:
        raise MismatchError(f"{what} has classes twice: {quoted(repeated)}")
    wanted, available = set(names), set(known)
    missing = [name for name in names if name not in available]
    extra = [name for name in known if name not in wanted]
    if missing or extra:
        faults = [
            f"{verb} {quoted(group)}"
            for verb, group in (("lacks", missing), ("has besides", extra))
            if group
        ]
        raise MismatchError(
            f"{what} is not about the same {len(names)} classes: it {' and '.join(faults)}. "
            "Classes are matched by name."
        )
    places_by_name = {name: place for place, name in enumerate(known)}
    return [places_by_name[name] for name in names]
