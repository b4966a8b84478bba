"""Deliberative explanations: insecurities, difficulty scores, and the part-ambiguity protocol."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Attribution, Difficulty, Explainer, Protocol


@hookimpl
def register_difficulties() -> "Sequence[type[Difficulty]]":
    """Return the difficulty scores: self-referential ones, and a predictor of mistakes."""
    from xbench_deliberative.difficulties.hardness import Hardness
    from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy

    return [Hesitancy, Entropy, Hardness]


@hookimpl
def register_attributions() -> "Sequence[type[Attribution]]":
    """Return the attributions of predictions to locations."""
    from xbench_deliberative.attributions.gradient import Gradient
    from xbench_deliberative.attributions.gradient_hessian import GradientHessian
    from xbench_deliberative.attributions.integrated_gradients import IntegratedGradients

    return [Gradient, IntegratedGradients, GradientHessian]


@hookimpl
def register_explainers() -> "Sequence[type[Explainer]]":
    """Return deliberative explanations, their floors and their ceiling."""
    from xbench_deliberative.explanations.explainer import Deliberative
    from xbench_deliberative.protocol.ceiling import KnownParts
    from xbench_deliberative.protocol.floors import (
        CentrePrior,
        EdgeDetector,
        MostProbable,
        RandomPair,
        RandomRegion,
    )

    return [
        Deliberative,
        RandomRegion,
        CentrePrior,
        EdgeDetector,
        RandomPair,
        MostProbable,
        KnownParts,
    ]


@hookimpl
def register_protocols() -> "Sequence[type[Protocol]]":
    """Return the protocol that scores insecurities against ambiguous parts."""
    from xbench_deliberative.protocol.part_ambiguity import PartAmbiguity

    return [PartAmbiguity]
