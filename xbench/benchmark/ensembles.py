"""Ensembles: lines of a benchmark that are made of other lines."""

from collections.abc import Mapping
from typing import Any

from xbench.benchmark.grid import OF_LINE
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Tree


def read_ensemble(line: Tree) -> tuple[str, ...]:
    """The labels of a line's members; none for a line that is no ensemble."""
    if "ensemble" not in line:
        return ()
    given, where = line["ensemble"], f"entry {line['label']!r}: ensemble"
    if not isinstance(given, list) or not given or not all(isinstance(n, str) for n in given):
        raise ParameterError(f"{where}: expected a list of labels, got {given!r}")
    if len(set(given)) < len(given):
        raise ParameterError(f"{where}: a label stands there twice")
    own = [key for key in (*OF_LINE, "explainer") if key in line]
    if own:
        raise ParameterError(f"{where}: its members have networks, it has no {own[0]} of its own")
    return tuple(given)


def check_ensembles(members: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse members, by the label of their line, that are no entries with a network."""
    plain = [label for label, of in members.items() if not of]
    for label, of in members.items():
        for member in of:
            _check_member(label, member, members, plain)


def _check_member(label: str, member: str, members: Mapping[str, Any], plain: list[str]) -> None:
    if member == label:
        raise ParameterError(f"entry {label!r} is an ensemble of itself")
    if member not in members:
        raise UnknownNameError(f"member of ensemble {label!r}", member, plain)
    if member not in plain:
        raise ParameterError(
            f"entry {label!r} is an ensemble of {member!r}, which is one itself; name its members"
        )
