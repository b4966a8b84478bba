"""Attributions: how much each location of the activations matters to a prediction."""

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from xbench.interfaces.component import Component
from xbench.interfaces.readout import Readout


class Attribution(Component):
    """Maps a readout and activations to one attribution map for each prediction."""

    kind: ClassVar[str] = "attribution"
    needs_cut: ClassVar[bool] = True

    @abstractmethod
    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        """Signed attribution of every location to every prediction.

        `activations` are what `readout.bottom` makes of `images`. Where they have rows below the
        picture, of what belongs to no location, so have the maps; whoever asked drops them.
        """
