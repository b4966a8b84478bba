"""Saliency: maps of what in an image speaks for a class."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Attribution, Explainer, Protocol


@hookimpl
def register_explainers() -> "list[type[Explainer]]":
    """Return the explainers."""
    from xbench_saliency.by_captum.explainer import CaptumExplainer
    from xbench_saliency.cams.cam import Cam
    from xbench_saliency.cams.grad_cam import GradCam
    from xbench_saliency.extremal.explainer import ExtremalPerturbation
    from xbench_saliency.floors.centre_map import CentreMap
    from xbench_saliency.floors.edge_map import EdgeMap
    from xbench_saliency.floors.intensity_map import IntensityMap
    from xbench_saliency.floors.random_map import RandomMap
    from xbench_saliency.gradients.gradient import Gradient, InputXGradient
    from xbench_saliency.gradients.guided_backprop import GuidedBackprop
    from xbench_saliency.gradients.integrated_gradients import IntegratedGradients
    from xbench_saliency.gradients.smooth_grad import SmoothGrad
    from xbench_saliency.occlusion.explainer import Occlusion
    from xbench_saliency.part_deletion.floors import PartArea, PartDrops, PartMeansFloor
    from xbench_saliency.part_deletion.interventions import PartInterventions

    return [
        Cam,
        CaptumExplainer,
        CentreMap,
        EdgeMap,
        ExtremalPerturbation,
        GradCam,
        Gradient,
        GuidedBackprop,
        InputXGradient,
        IntegratedGradients,
        IntensityMap,
        Occlusion,
        PartArea,
        PartDrops,
        PartInterventions,
        PartMeansFloor,
        RandomMap,
        SmoothGrad,
    ]


@hookimpl
def register_attributions() -> "list[type[Attribution]]":
    """Return the attributions."""
    from xbench_saliency.by_captum.attribution import CaptumAttribution

    return [CaptumAttribution]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_saliency.flipping.protocol import PixelFlipping
    from xbench_saliency.localisation.protocol import PointingGame
    from xbench_saliency.part_deletion.protocol import PartDeletion
    from xbench_saliency.randomisation.protocol import ParameterRandomisation

    return [ParameterRandomisation, PartDeletion, PixelFlipping, PointingGame]
