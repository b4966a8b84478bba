"""Saliency: maps of what in an image speaks for a class."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Explainer


@hookimpl
def register_explainers() -> "list[type[Explainer]]":
    """Return the explainers."""
    from xbench_saliency.grad_cam import GradCam

    return [GradCam]
