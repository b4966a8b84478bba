"""Explicable misclassification: class similarities, losses that know them, and a protocol."""

from typing import TYPE_CHECKING

from xbench.interfaces.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from xbench.interfaces.data.dataset import Dataset
    from xbench.interfaces.data.similarity import Similarity
    from xbench.interfaces.loss import Loss
    from xbench.interfaces.protocol import Protocol


@hookimpl
def register_datasets() -> "list[type[Dataset]]":
    """Return the grid of predictions that losses are evaluated on."""
    from xbench_explicable.probability_plane import ProbabilityPlane

    return [ProbabilityPlane]


@hookimpl
def register_similarities() -> "list[type[Similarity]]":
    """Return the similarities."""
    from xbench_explicable.class_labels import ClassLevelLabels
    from xbench_explicable.existing_knowledge import ExistingKnowledge
    from xbench_explicable.hierarchy import HierarchyPaths
    from xbench_explicable.human_labels import InstanceLevelLabels
    from xbench_explicable.mean import MeanSimilarity
    from xbench_explicable.probability_plane import ThreeClasses
    from xbench_explicable.table import SimilarityTable

    of_the_paper: list[type[Similarity]] = [
        InstanceLevelLabels,
        ClassLevelLabels,
        ExistingKnowledge,
    ]
    return [*of_the_paper, HierarchyPaths, MeanSimilarity, SimilarityTable, ThreeClasses]


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_explicable.hierarchical_losses import (
        HierarchicalCrossEntropy,
        SoftHierarchicalLabels,
    )
    from xbench_explicable.weighted_loss import WeightedLoss

    return [WeightedLoss, HierarchicalCrossEntropy, SoftHierarchicalLabels]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_explicable.explicability import Explicability
    from xbench_explicable.simulation import LossSimulation

    return [Explicability, LossSimulation]


@hookimpl
def register_commands() -> "list[click.Command]":
    """Return the verbs that make similarities, and score files of predictions."""
    from xbench_explicable import score_command, similarity_command

    return [similarity_command.command, score_command.command]
