"""Every error xbench raises on purpose.

XbenchError
├── UsageError                wrong usage or input: exit code 2, nothing written
│   ├── UnknownNameError      a component, parameter, layer or class that does not exist
│   ├── ParameterError        a parameter of the wrong type or value
│   ├── MissingPackageError   an optional package that is not installed
│   ├── PluginError           a plugin that cannot be imported, or claims a taken name
│   ├── DatasetError          a dataset whose files are missing, damaged or inconsistent
│   ├── CutError              a layer at which a network cannot be cut
│   ├── WeightsError          weights that do not fit their network
│   ├── MismatchError         components that do not fit together
│   ├── RecordError           a record, or its scores, that cannot be read
│   ├── SubmissionError       a submission to a board, or the board's history, that is refused
│   └── UnwritableStoreError  a store that cannot be written
└── RunError                  a part of the run failed: exit code 1
    ├── NumericalError        NaN or infinite values where numbers are needed
    ├── FailedEntriesError    entries that failed; the others are recorded
    ├── ChangedStateError     a component that leaves something changed
    ├── StoreFullError        no space left
    └── DownloadError         a transfer or archive that cannot be trusted

A message names the thing, who provides it, what is wrong and the way out.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class XbenchError(Exception):
    """The root of all errors that xbench raises on purpose."""

    exit_code = 1


class UsageError(XbenchError):
    """The caller asked for something that cannot be; nothing was written."""

    exit_code = 2

    def __init__(self, message: str = "", instead: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.instead = tuple(instead)
        """Options, with their values, that make the command work when they are added to it."""


class UnknownNameError(UsageError):
    """A name that nothing has; the message suggests the nearest, then lists all.

    Of very many it lists those that are nearest.
    """

    def __init__(
        self,
        what: str,
        name: str,
        known: Iterable[str],
        hint: str = "",
        instead: Sequence[str] = (),
        *,
        near: str = "",
    ) -> None:
        names = sorted(known)
        self.name = name
        self.near = near or _nearest(name, names)
        """The known name that is nearest, or is meant; empty where none is near."""
        guess = f"; did you mean {self.near!r}?" if self.near else "."
        listed = f"Known: {_listed(name, names)}." if names else "None is known."
        super().__init__(f"unknown {what} {name!r}{guess} {listed} {hint}".rstrip(), instead)


MOST = 12
"""So many of the known names are listed."""


def _nearest(name: str, names: Sequence[str]) -> str:
    alike = {other.casefold(): other for other in reversed(names)}
    near = difflib.get_close_matches(name.casefold(), alike, n=1)
    return alike[near[0]] if near else ""


def _listed(name: str, names: Sequence[str]) -> str:
    """The names; of more than fit, the nearest first and how many others there are."""
    if len(names) <= MOST + 2:
        return ", ".join(names)
    nearest = difflib.get_close_matches(name, names, n=MOST, cutoff=0.0)
    return f"{', '.join(nearest)}, … and {len(names) - MOST} more"


class ParameterError(UsageError):
    """A parameter with a wrong type or an impossible value."""


class MissingPackageError(UsageError):
    """A component needs an optional package that is not installed; the message says how to get it.

    Raised when the component is made: the conformance suite does not try such a one.
    """


class PluginError(UsageError):
    """A plugin that cannot be imported, claims a taken name, or breaks its contract."""


class DatasetError(UsageError):
    """Files of a dataset that are missing, damaged or inconsistent."""


class CutError(UsageError):
    """A layer at which a network cannot be cut into top and bottom."""


class WeightsError(UsageError):
    """Weights that cannot be read, or that belong to another network."""


class MismatchError(UsageError):
    """Components that do not fit together."""


class RecordError(UsageError):
    """A record, or the file of its scores, that is missing, damaged or of another schema."""


class SubmissionError(UsageError):
    """A submission to a board that is refused, or a board whose history is damaged."""


class UnwritableStoreError(UsageError):
    """A store that cannot be written."""


class RunError(XbenchError):
    """A part of the run failed; what was finished before is kept."""


class ChangedStateError(RunError):
    """A component that leaves a network, a batch or the process changed; its block is not kept."""

    exit_code = 2

    def __init__(self, message: str, *, network_changed: bool = False) -> None:
        super().__init__(message)
        self.network_changed = network_changed
        """Whether weights are other ones now: the network must be loaded again."""


class FailedEntriesError(RunError):
    """Entries that failed; `records` has, for each benchmark, those of the others."""

    def __init__(self, failed: Mapping[str, Exception], records: Sequence[Sequence[Any]]) -> None:
        told = "; ".join(f"{label}: {error}" for label, error in failed.items())
        count = f"{len(failed)} entr{'y' if len(failed) == 1 else 'ies'} failed"
        super().__init__(f"{count}. {told}")
        self.failed = failed
        self.records = records


class NumericalError(RunError):
    """NaN or infinite values where numbers are needed."""

    exit_code = 2


class StoreFullError(RunError):
    """The store has no space left."""


class DownloadError(RunError):
    """A transfer or an archive that cannot be trusted."""
