"""Simulated annotators: ideal observers of the parts they notice, who sometimes do not look."""

import numpy as np
from jaxtyping import Float64, Int64

from xbench_toybirds.hashing import uniforms

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
    found = np.zeros((len(ids), classes), dtype=np.int64)
    for at in range(0, len(ids), CHUNK):
        some = slice(at, at + CHUNK)
        beliefs = _beliefs(likelihoods[some], seed, ids[some], annotators, attention)
        cumulated = np.cumsum(beliefs * (1 - lapses) + lapses / classes, axis=2)
        cumulated[:, :, -1] = np.inf
        drawn = uniforms(seed, ids[some], "answers", annotators)
        answers = (cumulated <= drawn[:, :, None]).sum(axis=2)
        found[some] = (answers[:, :, None] == np.arange(classes)).sum(axis=1)
    return found


def _beliefs(
    likelihoods: Float64[np.ndarray, "n parts classes"],
    seed: int,
    ids: Int64[np.ndarray, " n"],
    annotators: int,
    attention: float,
) -> Float64[np.ndarray, "n annotators classes"]:
    parts = likelihoods.shape[1]
    drawn = uniforms(seed, ids, "attention", annotators * parts)
    noticed = drawn.reshape(len(ids), annotators, parts, 1) < attention
    joint = np.where(noticed, likelihoods[:, None], 1.0).prod(axis=2)
    # A running sum: its order, and so its last digit, is the same on every machine.
    return joint / np.cumsum(joint, axis=2)[:, :, -1:]
