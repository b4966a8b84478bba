"""Conceptual explanation scores: concept banks, scores, and the protocols that test them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    import click

    from xbench import Dataset, Explainer, Protocol


@hookimpl
def register_datasets() -> "Sequence[type[Dataset]]":
    """Return sources of concepts, and subsets that are confounded on purpose."""
    from xbench_ces.banks.concept_folder import ConceptFolder
    from xbench_ces.banks.image_qualities import ImageQualities
    from xbench_ces.spurious.confounded import Confounded

    return [ConceptFolder, Confounded, ImageQualities]


@hookimpl
def register_explainers() -> "Sequence[type[Explainer]]":
    """Return conceptual explanation scores and their floors."""
    from xbench_ces.scores.explainer import ConceptualExplanationScores
    from xbench_ces.scores.floors import ControlModel, RandomConcepts

    return [ConceptualExplanationScores, ControlModel, RandomConcepts]


@hookimpl
def register_protocols() -> "Sequence[type[Protocol]]":
    """Return the protocols that score concept scores."""
    from xbench_ces.low_level.protocol import LowLevelPerturbation
    from xbench_ces.spurious.protocol import SpuriousRecovery

    return [LowLevelPerturbation, SpuriousRecovery]


@hookimpl
def register_commands() -> "Sequence[click.Command]":
    """Return the verb that makes and shows concept banks."""
    from xbench_ces.banks.command import command

    return [command]
