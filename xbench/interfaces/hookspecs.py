"""Hooks a plugin may implement: each returns classes, files or commands, and changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from xbench.interfaces.attribution import Attribution
    from xbench.interfaces.classifier import Classifier
    from xbench.interfaces.component import Component
    from xbench.interfaces.data.dataset import Dataset
    from xbench.interfaces.data.similarity import Similarity
    from xbench.interfaces.executor import Executor
    from xbench.interfaces.explanation import Explainer
    from xbench.interfaces.loss import Loss
    from xbench.interfaces.protocol import Protocol
    from xbench.interfaces.readout import Difficulty

hookspec = pluggy.HookspecMarker("xbench")
hookimpl = pluggy.HookimplMarker("xbench")
"""Marks a function of a plugin as the implementation of the hook of that name."""


@hookspec
def register_kinds() -> "Sequence[type[Component]]":  # type: ignore[empty-body]
    """Return kinds of components: abstract classes that derive from `Component` and set `kind`."""


@hookspec
def register_datasets() -> "Sequence[type[Dataset]]":  # type: ignore[empty-body]
    """Return dataset classes."""


@hookspec
def register_classifiers() -> "Sequence[type[Classifier]]":  # type: ignore[empty-body]
    """Return classifier classes."""


@hookspec
def register_similarities() -> "Sequence[type[Similarity]]":  # type: ignore[empty-body]
    """Return similarity classes."""


@hookspec
def register_losses() -> "Sequence[type[Loss]]":  # type: ignore[empty-body]
    """Return loss classes."""


@hookspec
def register_difficulties() -> "Sequence[type[Difficulty]]":  # type: ignore[empty-body]
    """Return difficulty classes."""


@hookspec
def register_attributions() -> "Sequence[type[Attribution]]":  # type: ignore[empty-body]
    """Return attribution classes."""


@hookspec
def register_explainers() -> "Sequence[type[Explainer]]":  # type: ignore[empty-body]
    """Return explainer classes."""


@hookspec
def register_protocols() -> "Sequence[type[Protocol]]":  # type: ignore[empty-body]
    """Return protocol classes."""


@hookspec
def register_executors() -> "Sequence[type[Executor]]":  # type: ignore[empty-body]
    """Return executor classes."""


@hookspec
def register_benchmarks() -> Sequence[Path]:  # type: ignore[empty-body]
    """Return benchmark TOML files; a file's stem is the benchmark's name."""


@hookspec
def register_commands() -> "Sequence[click.Command]":  # type: ignore[empty-body]
    """Return commands to add to the command line."""
