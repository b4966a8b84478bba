"""Every component of the plugin passes the suite that third parties get."""

import pytest

import xbench_deliberative as plugin
from xbench import Component
from xbench.testing import check_component
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.attributions.integrated_gradients import IntegratedGradients
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_deliberative.protocol.ceiling import KnownParts
from xbench_deliberative.protocol.floors import (
    CentrePrior,
    EdgeDetector,
    MostProbable,
    RandomPair,
    RandomRegion,
)
from xbench_deliberative.protocol.part_ambiguity import PartAmbiguity

SUBJECT = Deliberative(Entropy(), Gradient())
COMPONENTS = [
    Hesitancy(),
    Entropy(),
    Hardness(),
    Hardness("linear", "shared", "frozen", hidden=()),
    Gradient(),
    Gradient(gradients="positive"),
    GradientHessian(),
    GradientHessian("positive", "general"),
    GradientHessian(curvature="closed-form", left_out=0.0),
    IntegratedGradients(),
    IntegratedGradients("image", 5, "positive"),
    SUBJECT,
    Deliberative(Hesitancy(), Gradient(), "official", "minimum"),
    Deliberative(Entropy(), Gradient(), without_difficulty=True),
    Deliberative(Entropy(), GradientHessian(), combination="geometric-mean"),
    Deliberative(Entropy(), IntegratedGradients("image", 5), "official"),
    RandomRegion(SUBJECT),
    CentrePrior(SUBJECT),
    EdgeDetector(SUBJECT),
    RandomPair(),
    MostProbable(),
    KnownParts(SUBJECT),
    PartAmbiguity(Entropy()),
]


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_components_keep_their_contracts(component: Component) -> None:
    check_component(component)


def test_everything_the_hooks_return_is_checked_here() -> None:
    returned = [
        *plugin.register_difficulties(),
        *plugin.register_attributions(),
        *plugin.register_explainers(),
        *plugin.register_protocols(),
    ]
    assert {type(component) for component in COMPONENTS} == set(returned)
    assert len({(cls.kind, cls.name) for cls in returned}) == len(returned)
