"""Explicable misclassification: class similarities, losses that know them, and a protocol."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    import click

    from xbench import Dataset, Loss, Protocol, Similarity


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the grid of predictions that losses are evaluated on."""
    from xbench_explicable.simulation.plane import ProbabilityPlane

    return [ProbabilityPlane]


@hookimpl
def register_similarities() -> "list[type[Similarity]]":
    """Return the similarities."""
    from xbench_explicable.similarities.class_labels import ClassLevelLabels
    from xbench_explicable.similarities.existing_knowledge import ExistingKnowledge
    from xbench_explicable.similarities.hierarchy import HierarchyPaths
    from xbench_explicable.similarities.human_labels import InstanceLevelLabels
    from xbench_explicable.similarities.mean import MeanSimilarity
    from xbench_explicable.similarities.similarity_table import SimilarityTable
    from xbench_explicable.simulation.plane import ThreeClasses

    of_the_paper: list[type[Similarity]] = [
        InstanceLevelLabels,
        ClassLevelLabels,
        ExistingKnowledge,
    ]
    return [*of_the_paper, HierarchyPaths, MeanSimilarity, SimilarityTable, ThreeClasses]


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_explicable.losses.hierarchical import (
        HierarchicalCrossEntropy,
        SoftHierarchicalLabels,
    )
    from xbench_explicable.losses.weighted import WeightedLoss

    return [WeightedLoss, HierarchicalCrossEntropy, SoftHierarchicalLabels]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_explicable.protocol.explicability import Explicability
    from xbench_explicable.simulation.protocol import LossSimulation

    return [Explicability, LossSimulation]


@hookimpl
def register_commands() -> "list[click.Command]":
    """Return the verbs that make similarities, and score files of predictions."""
    from xbench_explicable.commands import score as score_command
    from xbench_explicable.commands import similarity as similarity_command

    return [similarity_command.command, score_command.command]
