"""What several networks say together."""

import math

from jaxtyping import Float
from torch import Tensor


def pooled_logits(logits: Float[Tensor, "networks n classes"]) -> Float[Tensor, "n classes"]:
    """Logits whose softmax is the mean of the networks' probabilities; of one network its own."""
    if len(logits) == 1:
        return logits[0]
    total = logits.double().log_softmax(dim=2).logsumexp(dim=0)
    return (total - math.log(len(logits))).to(logits.dtype)
