"""Saliency: maps of what in an image speaks for a class."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Attribution, Explainer


@hookimpl
def register_explainers() -> "list[type[Explainer]]":
    """Return the explainers."""
    from xbench_saliency.by_captum.explainer import CaptumExplainer
    from xbench_saliency.cams.grad_cam import GradCam

    return [CaptumExplainer, GradCam]


@hookimpl
def register_attributions() -> "list[type[Attribution]]":
    """Return the attributions."""
    from xbench_saliency.by_captum.attribution import CaptumAttribution

    return [CaptumAttribution]
