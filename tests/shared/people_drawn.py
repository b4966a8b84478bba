"""Labels of people and probabilities of networks, drawn from a seed."""

import numpy as np


def counts_drawn(seed: int, images: int = 40, classes: int = 4, annotators: int = 12) -> np.ndarray:
    """How many people chose each class: few classes for most images, all for some."""
    source = np.random.default_rng(seed)
    p = source.dirichlet(np.full(classes, 0.3), images)
    return np.stack([source.multinomial(annotators, row) for row in p]).astype(np.int64)


def probabilities_drawn(seed: int, images: int = 40, classes: int = 4) -> np.ndarray:
    """Positive probabilities that sum to 1."""
    values = np.random.default_rng([seed, 1]).normal(0, 2, (images, classes))
    values = np.exp(values)
    return values / values.sum(1, keepdims=True)
