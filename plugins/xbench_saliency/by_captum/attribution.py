"""Captum's methods as an attribution: what matters at the layer where a network is cut."""

from collections import OrderedDict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from xbench import Attribution, Link, Readout, Tree
from xbench_saliency.by_captum.explainer import maps_of
from xbench_saliency.by_captum.inputs import options_for
from xbench_saliency.by_captum.methods import (
    CaptumMethod,
    call,
    check_fits,
    drawing,
    explained_errors,
    hookable,
    method_class,
    settle,
    settled_fields,
)


@dataclass(frozen=True)
class CaptumAttribution(Attribution):
    """Any attribution class of Captum, applied to the activations where the network is cut.

    To Captum the activations are the input, and the first layer of what it explains; baselines are
    activations, 0 unless said otherwise. The channels of a location are summed.
    """

    name: ClassVar[str] = "captum"
    example = MappingProxyType({"method": "InputXGradient"})

    method: str
    """The name of a class in `captum.attr`, or `package.module:Class`."""
    seed: int = 0
    """Of methods that draw: each image is explained with the same numbers."""
    constructor: dict = field(default_factory=dict)
    """What the class is made with, such as `multiply_by_inputs`."""
    options: dict = field(default_factory=dict)
    """What its `attribute` is given, such as `n_steps` and `baselines`."""

    def __post_init__(self) -> None:
        """Find the class, and refuse what it does not take."""
        settle(self)
        if ":" not in self.method:
            object.__setattr__(self, "method", method_class(self.method).__name__)
        _ = self._method

    @property
    def _method(self) -> CaptumMethod:
        return CaptumMethod(method_class(self.method), self.constructor, self.options)

    def parameters(self) -> Tree:
        """The fields; of what is no plain value the hash of its bytes."""
        return settled_fields(self)

    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        """The map of each prediction of each image, one after the other."""
        method = self._method
        layers = OrderedDict(cut=nn.Identity(), above=_Predictions(readout.top, readout.link))
        module = nn.Sequential(layers).eval()
        with hookable(module), explained_errors(method, "the readout"):
            with torch.no_grad():
                count = module(activations[:1]).shape[1]
            check_fits(method, module, activations[:1], "the readout")
            made = method.made(module, module.get_submodule("cut"))
            return torch.cat(
                [self._maps(method, made, one, count) for one in torch.split(activations, 1)]
            )

    def _maps(
        self, method: CaptumMethod, made: object, alone: Float[Tensor, "1 d h w"], count: int
    ) -> Float[Tensor, "1 predictions h w"]:
        options, maps = options_for(method, alone), []
        for prediction in range(count):
            with drawing(self.seed, alone.device):
                values = maps_of(call(method, made, alone, prediction, options))
            maps.append(values.sum(1))
        return torch.stack(maps, 1)


class _Predictions(nn.Module):
    """A readout from its activations on."""

    def __init__(self, top: nn.Module, link: Link) -> None:
        super().__init__()
        self.top, self.link = top, link

    def forward(self, activations: Float[Tensor, "n d h w"]) -> Float[Tensor, "n predictions"]:
        return self.link(self.top(activations))
