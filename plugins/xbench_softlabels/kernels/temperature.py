"""Temperature: by what a network's logits are divided so that its probabilities fit best."""

from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor
from torch.nn import functional

HOTTEST = 100.0
"""No temperature is larger, and none is smaller than 1 / 100: where everything is right, ever
smaller ones fit ever better."""


def tempered_cross_entropy(
    logits: Float[Tensor, "n classes"], targets: Float[Tensor, "n classes"], temperature: float
) -> float:
    """The mean of −Σ_k q_k log softmax(z / T)_k, in double precision."""
    tempered = logits.double() / temperature
    return float(functional.cross_entropy(tempered, targets.double()))


def best_temperature(
    logits: Float[Tensor, "n classes"], targets: Float[Tensor, "n classes"]
) -> float:
    """The T between 1 / 100 and 100 at which the cross-entropy is least.

    "On Calibration of Modern Neural Networks" (Guo et al., ICML 2017), section 4.2, for targets
    that may be distributions. The loss is convex in 1 / T; its slope there is the mean of
    Σ_k (p_k − q_k) z_k, which is 0 at the minimum.
    """
    exact, shares = logits.double(), targets.double()

    def slope(inverse: float) -> float:
        probabilities = (exact * inverse).softmax(1)
        return float(((probabilities - shares) * exact).sum(1).mean())

    if slope(HOTTEST) <= 0:
        return 1 / HOTTEST
    if slope(1 / HOTTEST) >= 0:
        return HOTTEST
    return float(1 / brentq(slope, 1 / HOTTEST, HOTTEST, xtol=1e-12, rtol=1e-10))
