"""Which class is explained, against which one, and how channels and signs are reduced."""

import pytest
import torch

from xbench import Batch, MismatchError, ParameterError
from xbench_saliency.maps.reduction import reduced, with_sign
from xbench_saliency.maps.targets import explained

LOGITS = torch.tensor([[3.0, 1.0, 2.0], [0.0, 4.0, -1.0]])
BATCH = Batch(torch.zeros(2, 3, 4, 4), (5, 6), torch.tensor([2, 2]))
RAW = torch.tensor([1.0, -3.0, 1.0]).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("target", "against", "values"),
    [
        ("predicted", "", [3.0, 4.0]),
        ("label", "", [2.0, -1.0]),
        (1, "", [1.0, 4.0]),
        ("predicted", "runner-up", [1.0, 4.0]),
        ("label", "runner-up", [-1.0, -5.0]),
        ("predicted", 2, [1.0, 5.0]),
    ],
)
def test_what_is_explained_is_a_logit_or_a_difference_of_two(target, against, values):
    found = explained(target, against, LOGITS, BATCH)
    assert found.values(LOGITS).tolist() == values
    shares = LOGITS.double().softmax(1)
    for row, label, share in zip(shares, found.classes, found.probabilities, strict=True):
        assert share == row[label]


def test_a_class_against_itself_or_beyond_the_classes_is_refused():
    with pytest.raises(ParameterError, match='take against = "runner-up"'):
        explained("predicted", 1, LOGITS, BATCH)
    with pytest.raises(ParameterError, match="target is 3, and the network has the classes 0 to 2"):
        explained(3, "", LOGITS, BATCH)
    with pytest.raises(ParameterError, match="against is -1"):
        explained("predicted", -1, LOGITS, BATCH)
    with pytest.raises(MismatchError, match="labels"):
        explained("label", "", LOGITS, Batch(BATCH.images, BATCH.ids))


@pytest.mark.parametrize(
    ("channels", "value"), [("sum", -1.0), ("mean", -1 / 3), ("abs-sum", 5.0), ("abs-max", 3.0)]
)
def test_channels_become_one_value(channels, value):
    assert float(reduced(RAW, channels)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("sign", "values"),
    [("signed", [1.0, -3.0]), ("positive", [1.0, 0.0]), ("absolute", [1.0, 3.0])],
)
def test_a_sign_is_kept_dropped_or_forgotten(sign, values):
    assert with_sign(torch.tensor([[1.0, -3.0]]), sign)[0].tolist() == values
