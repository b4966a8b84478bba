"""Grad-CAM: activations of the layer at which a network is cut, weighted by their gradients."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from xbench import Artefacts, Batch, Explainer, Given, Network
from xbench.kernels import on_grid
from xbench_saliency.gradients.differentiation import derivatives_of
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
        activations = network.activations(batch.images).detach()
        chosen = _Chosen(
            _above(network, activations),
            lambda logits: explained(
                self.target, self.against, network.checked(logits, batch.ids), batch
            ),
        )
        with derivatives_of(network.name, "at the layer where it is cut"):
            maps = grad_cam(chosen, on_grid(activations, network.extra_rows), relu=self.relu)
        return saliency_maps(maps, chosen.what, batch)


class _Chosen(nn.Module):
    """A top that gives what is explained, and keeps of which classes that is: one pass for both."""

    what: Explained

    def __init__(self, top: nn.Module, choose: Callable[[Tensor], Explained]) -> None:
        super().__init__()
        self.top, self.choose = top, choose

    def forward(self, activations: Float[Tensor, "n d h w"]) -> Float[Tensor, " n"]:
        logits = self.top(activations)
        self.what = self.choose(logits.detach())
        return self.what.values(logits)


def grad_cam(
    above: nn.Module, activations: Float[Tensor, "n d h w"], *, relu: bool
) -> Float[Tensor, "n h w"]:
    """The map of each image, by what `above` makes of its activations: one number."""
    from captum.attr import LayerGradCam

    # to Captum the cut is a layer that changes nothing, so no layer inside need be hooked
    from_cut = nn.Sequential(OrderedDict(cut=nn.Identity(), above=above))
    method = LayerGradCam(from_cut, from_cut.get_submodule("cut"))
    point = activations.detach().requires_grad_()
    return method.attribute(point, relu_attributions=relu).detach()[:, 0]


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
