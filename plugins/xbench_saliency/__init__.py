"""Saliency: maps of what in an image speaks for a class."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Attribution, Explainer, Protocol


@hookimpl
def register_explainers() -> "list[type[Explainer]]":
    """Return the explainers."""
    from xbench_saliency.by_captum.explainer import CaptumExplainer
    from xbench_saliency.cams.grad_cam import GradCam
    from xbench_saliency.part_deletion.floors import PartArea, PartDrops, PartMeansFloor
    from xbench_saliency.part_deletion.interventions import PartInterventions

    parts: list[type[Explainer]] = [PartArea, PartDrops, PartInterventions, PartMeansFloor]
    return [CaptumExplainer, GradCam, *parts]


@hookimpl
def register_attributions() -> "list[type[Attribution]]":
    """Return the attributions."""
    from xbench_saliency.by_captum.attribution import CaptumAttribution

    return [CaptumAttribution]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_saliency.part_deletion.protocol import PartDeletion

    return [PartDeletion]
