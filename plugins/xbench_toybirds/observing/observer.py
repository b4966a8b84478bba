"""The ideal observer: what can be said of a class by one who knows how images come about."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from xbench_toybirds.world import ATTRIBUTES, PARTS


def part_likelihoods(
    distributions: Float64[np.ndarray, "classes attributes values"],
    values: Int64[np.ndarray, "n attributes"],
    visible: Bool[np.ndarray, "n parts"],
) -> Float64[np.ndarray, "n parts classes"]:
    """P(attribute values of the part | class); 1 for every class where it is hidden.

    Given the class, attributes are independent, so a part's likelihood is their product.
    """
    likelihoods = np.ones((len(values), len(PARTS), len(distributions)))
    for column, attribute in enumerate(ATTRIBUTES):
        likelihoods[:, attribute.part] *= distributions[:, column].T[values[:, column]]
    return np.where(visible[:, :, None], likelihoods, 1.0)


def class_posterior(
    likelihoods: Float64[np.ndarray, "*n parts classes"],
) -> Float64[np.ndarray, "*n classes"]:
    """P(class | values of all visible parts) under equally frequent classes; rows sum to 1."""
    joint = likelihoods.prod(axis=-2)
    # A running sum: its order, and so its last digit, is the same on every machine.
    return joint / np.cumsum(joint, axis=-1)[..., -1:]
