"""The networks of an entry: its own, or those of the entries that it is an ensemble of."""

from typing import NamedTuple

from xbench.errors import MismatchError
from xbench.interfaces.bench import Subject
from xbench.interfaces.protocol import Entry
from xbench.training.recipe import subject_of


class EntryNetwork(NamedTuple):
    """One network of an entry."""

    artefact: str
    """The name that protocols declare its weights under."""
    subject: Subject


def networks_of(entry: Entry) -> tuple[EntryNetwork, ...]:
    """The one network of an entry, or those of its members; `MismatchError` for other classes."""
    if not entry.members:
        return (EntryNetwork("weights", subject_of(entry)),)
    for member in entry.members:
        _check_classes(entry, member)
    return tuple(
        EntryNetwork(f"weights/{place}", subject_of(member))
        for place, member in enumerate(entry.members)
    )


def _check_classes(entry: Entry, member: Entry) -> None:
    own, others = (of.datasets["train"].dataset.class_names() for of in (entry, member))
    if own != others:
        raise MismatchError(
            f"entry {member.label!r} is trained for other classes ({', '.join(others[:3])}, …) "
            f"than the ensemble {entry.label!r} of which it is a member ({', '.join(own[:3])}, …)"
        )
