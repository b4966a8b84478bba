"""Simulated annotators: ideal observers of the parts they notice, who sometimes do not look."""

import numpy as np
from jaxtyping import Float64, Int64

from xbench_toybirds.hashing import uniforms
from xbench_toybirds.observing.observer import class_posterior

CHUNK = 64
"""Images answered at once: memory is for this many images, annotators, parts and classes."""


def label_counts(
    likelihoods: Float64[np.ndarray, "n parts classes"],
    seed: int,
    ids: Int64[np.ndarray, " n"],
    *,
    annotators: int,
    attention: float,
    lapses: float,
) -> Int64[np.ndarray, "n classes"]:
    """How many simulated annotators chose each class.

    Each notices every part with probability `attention` and draws a class from the ideal
    observer's posterior given those; with probability `lapses`, from all classes alike.
    """
    classes = likelihoods.shape[2]
    counts = np.zeros((len(ids), classes), dtype=np.int64)
    for start in range(0, len(ids), CHUNK):
        chunk = slice(start, start + CHUNK)
        beliefs = _beliefs(likelihoods[chunk], seed, ids[chunk], annotators, attention)
        cumulated = np.cumsum(beliefs * (1 - lapses) + lapses / classes, axis=2)
        cumulated[:, :, -1] = np.inf
        draws = uniforms(seed, ids[chunk], "answers", annotators)
        answers = (cumulated <= draws[:, :, None]).sum(axis=2)
        counts[chunk] = (answers[:, :, None] == np.arange(classes)).sum(axis=1)
    return counts


def _beliefs(
    likelihoods: Float64[np.ndarray, "n parts classes"],
    seed: int,
    ids: Int64[np.ndarray, " n"],
    annotators: int,
    attention: float,
) -> Float64[np.ndarray, "n annotators classes"]:
    parts = likelihoods.shape[1]
    draws = uniforms(seed, ids, "attention", annotators * parts)
    noticed = draws.reshape(len(ids), annotators, parts, 1) < attention
    return class_posterior(np.where(noticed, likelihoods[:, None], 1.0))
