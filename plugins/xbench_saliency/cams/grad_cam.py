"""Grad-CAM: activations of the layer at which a network is cut, weighted by their gradients."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from xbench import Artefacts, Batch, Explainer, Given, Network
from xbench.kernels import on_grid
from xbench_saliency.gradients.differentiation import derivatives_of
from xbench_saliency.maps.explained_module import ExplainedModule
from xbench_saliency.maps.of_batch import saliency_maps
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained


@dataclass(frozen=True)
class GradCam(Explainer):
    """Where a class is seen: channels of a layer, weighted by how much they raise its logit.

    Σ_d α_d A_d, with α_d the mean of ∂(logit of the class)/∂A_d over the grid's locations:
    equations (1) and (2) of "Grad-CAM" (Selvaraju et al., ICCV 2017), computed by Captum. A are
    the activations at which the classifier is cut: `classifier.layer` chooses the layer.
    """

    name: ClassVar[str] = "grad-cam"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    needs_cut: ClassVar[bool] = True

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    relu: bool = True
    """Whether negative values become 0, as in the paper."""
    against: Against = ""
    """The class that it is contrasted with: none, the runner-up, or that of a number. Derivatives
    are then those of the difference of the two logits."""

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """One map per image; nothing random in it."""
        if not batch.ids:
            return []
        activations = network.activations(batch.images)
        logits = network.checked(network.top(activations), batch.ids)
        what = explained(self.target, self.against, logits, batch)
        maps = grad_cam(network, activations, what, relu=self.relu)
        return saliency_maps(maps, what, batch)


def grad_cam(
    network: Network,
    activations: Float[Tensor, "n d h w"],
    what: Explained,
    *,
    relu: bool,
) -> Float[Tensor, "n h w"]:
    """The map of what is explained of each image; `activations` are what `bottom` makes of them."""
    from captum.attr import LayerGradCam

    # to Captum the cut is a layer that changes nothing, so no layer inside need be hooked
    above = ExplainedModule(_above(network, activations.detach()), what)
    layers = OrderedDict(cut=nn.Identity(), above=above)
    from_cut = nn.Sequential(layers)
    point = on_grid(activations.detach(), network.extra_rows).detach().requires_grad_()
    method = LayerGradCam(from_cut, from_cut.get_submodule("cut"))
    with derivatives_of(network.name, "at the layer where it is cut"):
        maps = method.attribute(point, relu_attributions=relu)
    return maps.detach()[:, 0]


def _above(network: Network, activations: Float[Tensor, "n d i j"]) -> nn.Module:
    """The top as a function of what lies over the picture; what does not stays as it is."""
    if not network.extra_rows:
        return network.top
    return _WithRows(network.top, activations[..., -network.extra_rows :, :])


class _WithRows(nn.Module):
    """A top whose activations have further rows, which are constant."""

    def __init__(self, top: nn.Module, rows: Float[Tensor, "n d rows w"]) -> None:
        super().__init__()
        self.top, self.rows = top, rows

    def forward(self, on_picture: Float[Tensor, "n d h w"]) -> Float[Tensor, "n classes"]:
        return self.top(torch.cat([on_picture, self.rows], dim=-2))
