"""First-order attribution of a readout's predictions to locations of the activations."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from xbench import Attribution, Readout
from xbench_deliberative.attributions.differentiability import derivatives_of, evaluated
from xbench_deliberative.kernels.gradients import gradient_times_activation


@dataclass(frozen=True)
class Gradient(Attribution):
    """Gradient × activation, summed over channels: the first term of eq. (2)."""

    name: ClassVar[str] = "gradient"

    gradients: Literal["all", "positive"] = "all"
    """Whether negative derivatives count, or are taken as zero."""

    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        """Signed maps, from one forward of the top and one product per prediction."""
        at = evaluated(readout, activations)
        with derivatives_of(readout.top):
            return gradient_times_activation(at.predictions, at.point, self.gradients)

    def with_positive_gradients(self) -> "Gradient":
        """The same attribution with negative derivatives taken as zero."""
        return Gradient(gradients="positive")
