"""Guided backpropagation: gradients that pass ReLUs only where they are positive."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from xbench import Batch, Network
from xbench_saliency.by_captum.methods import hookable
from xbench_saliency.gradients.pixel_explainer import PixelExplainer
from xbench_saliency.gradients.rectifiers import check_rectifiers
from xbench_saliency.maps.explained_module import ExplainedModule
from xbench_saliency.maps.passes import passes
from xbench_saliency.maps.targets import Explained


@dataclass(frozen=True)
class GuidedBackprop(PixelExplainer):
    """The gradient, with every ReLU passing back only what is positive; computed by Captum.

    "Striving for Simplicity" (Springenberg et al., ICLR workshop 2015). It needs ReLUs that are
    modules, and is refused elsewhere.
    """

    name: ClassVar[str] = "guided-backprop"

    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """What Captum's `GuidedBackprop` gives."""
        module, images = network.module, batch.images
        check_rectifiers(module, images[:1], network.name)
        height, width = images.shape[-2:]
        with hookable(module), torch.enable_grad():
            values = [
                _guided(module, images[some], what.of(some))
                for some in passes(len(images), (height, width), self.per_pass)
            ]
        return torch.cat(values)


def _guided(
    module: nn.Module, images: Float[Tensor, "n 3 h w"], what: Explained
) -> Float[Tensor, "n 3 h w"]:
    import warnings

    from captum.attr import GuidedBackprop as OfCaptum

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum tells of each hook it sets
        method = OfCaptum(ExplainedModule(module, what))
        return method.attribute(images.detach().clone().requires_grad_()).detach()
