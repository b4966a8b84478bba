"""Variants of class activation maps, by the package `grad-cam`."""

import contextlib
import importlib
import importlib.util
import io
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, MissingPackageError, Network, per_image
from xbench.kernels import on_grid
from xbench_saliency.by_captum.methods import drawing, hookable
from xbench_saliency.gradients.differentiation import derivatives_of
from xbench_saliency.maps.of_batch import saliency_maps
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained

PACKAGE = "pytorch_grad_cam"
Method = Literal[
    "AblationCAM",
    "EigenCAM",
    "EigenGradCAM",
    "FEM",
    "GradCAM",
    "GradCAMElementWise",
    "GradCAMPlusPlus",
    "HiResCAM",
    "KPCA_CAM",
    "LayerCAM",
    "RandomCAM",
    "ScoreCAM",
    "SegEigenCAM",
    "ShapleyCAM",
    "XGradCAM",
]
"""Classes of the package that explain a class of an image at one layer."""


@dataclass(frozen=True)
class Cam(Explainer):
    """Any class activation map of the package `grad-cam` (Gildenblat and others, MIT), by name.

    The package enlarges maps to the image's size, drops what is negative, and stretches each from
    0 to 1. It is an extra: `pip install 'xbench-xai[cam]'`.
    """

    name: ClassVar[str] = "cam"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    needs_cut: ClassVar[bool] = True
    example = MappingProxyType({"method": "GradCAMPlusPlus"})

    method: Method
    """The name of a class in `pytorch_grad_cam`."""
    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """The class that it is contrasted with: none, the runner-up, or that of a number."""

    def __post_init__(self) -> None:
        """Refuse to be made where the package is missing, without importing it."""
        if importlib.util.find_spec(PACKAGE) is None:
            raise MissingPackageError(
                "explainer 'cam' needs the package grad-cam: pip install 'xbench-xai[cam]', or "
                "take grad-cam, which needs nothing"
            )

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image, each by itself; what is random is drawn from the image's own seed.

        The package's bars of progress are not shown.
        """
        if not batch.ids:
            return []
        logits = network.logits(batch.images, batch.ids)
        what = explained(self.target, self.against, logits, batch)
        maps = []
        where = "at the layer where it is cut"
        with derivatives_of(network.name, where), contextlib.redirect_stderr(io.StringIO()):
            for place, image in enumerate(batch.ids):
                alone = batch.images[place : place + 1]
                with drawing(per_image(generator, image).initial_seed(), alone.device):
                    maps.append(self._map(network, alone, what.of(torch.tensor([place]))))
        return saliency_maps(torch.cat(maps), what, batch)

    def _map(
        self, network: Network, image: Float[Tensor, "1 3 h w"], what: Explained
    ) -> Float[Tensor, "1 h w"]:
        """What the package gives; its hooks are taken away again."""
        network.cut()
        module = network.module
        cls = getattr(importlib.import_module(PACKAGE), self.method)
        with hookable(module), torch.enable_grad():
            method = cls(module, [module.get_submodule("bottom")], _over_picture(network))
            try:
                values = method(image.detach().clone().requires_grad_(), [_number(what)])
            finally:
                method.activations_and_grads.release()
        return torch.from_numpy(values.copy()).float()


def _over_picture(network: Network) -> Callable[[Tensor], Tensor] | None:
    """What drops the rows of activations that lie below the picture."""
    rows = network.extra_rows
    return (lambda activations: on_grid(activations, rows)) if rows else None


def _number(what: Explained) -> Callable[[Tensor], Tensor]:
    """What is explained, of the logits of one image: with or without a batch around them."""
    return lambda logits: what.values(logits.reshape(1, -1))[0]
