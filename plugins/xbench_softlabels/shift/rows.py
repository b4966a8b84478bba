"""Rows of the shift protocol: one per image, what networks that did not see it say of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor
from torch.nn import functional

from xbench import Case, case_column

NUMBERS = ("cross_entropy", "correct", "confidence", "ideal")


class Answers(NamedTuple):
    """Of each image, each number averaged over the networks that it was asked of."""

    cross_entropy: Float64[Tensor, " n"]
    """To the label, in nats."""
    correct: Float64[Tensor, " n"]
    confidence: Float64[Tensor, " n"]
    """The probability of the most probable class."""


def answers_of(logits: Float[Tensor, "n classes"], labels: Int64[Tensor, " n"]) -> Answers:
    """What one network says, or an ensemble as one."""
    exact = logits.double()
    top = exact.softmax(1).amax(1)
    correct = (exact.argmax(1) == labels).double()
    return Answers(functional.cross_entropy(exact, labels, reduction="none"), correct, top)


def averaged(answers: Sequence[Answers]) -> Answers:
    """The mean of each number: of what networks score, not of their probabilities."""
    return Answers(*(torch.stack(values).mean(0) for values in zip(*answers, strict=True)))


def shift_rows(
    name: str, repeat: int, cases: Sequence[Case], answers: Answers, ideal: Float64[Tensor, " n"]
) -> pa.Table:
    """A row for each case of one set; `ideal` is NaN where nobody knows the ideal observer."""
    numbers = {key: pa.array(values.numpy()) for key, values in answers._asdict().items()}
    return pa.table(
        {
            "case": case_column(cases),
            "repeat": pa.array(np.full(len(cases), repeat), pa.int32()),
            "set": pa.array([name] * len(cases), pa.string()).dictionary_encode(),
            **numbers,
            "ideal": pa.array(ideal.numpy()),
        }
    )
