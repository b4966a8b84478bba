"""Which class is explained, against which one, and how channels and signs are reduced."""

import dataclasses

import pytest
import torch

from small_datasets import Named
from small_entries import entry_of
from xbench import Batch, ImageSet, MismatchError, ParameterError, UnknownNameError
from xbench.testing import TinyClassifier, tiny_images
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.flipping.protocol import PixelFlipping
from xbench_saliency.localisation.protocol import PointingGame
from xbench_saliency.maps.reduction import reduced, with_sign
from xbench_saliency.maps.targets import explained
from xbench_saliency.part_deletion.protocol import PartDeletion
from xbench_saliency.randomisation.protocol import ParameterRandomisation

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


def test_a_class_is_explained_by_its_name_where_names_are_known():
    images = ImageSet(Named(("ant", "bee", "cat")), "test")
    batch = dataclasses.replace(BATCH, source=images)
    by_name, by_number = explained("bee", "cat", LOGITS, batch), explained(1, 2, LOGITS, batch)
    assert by_name.classes.tolist() == by_number.classes.tolist() == [1, 1]
    assert by_name.values(LOGITS).tolist() == by_number.values(LOGITS).tolist() == [-1.0, 5.0]
    with pytest.raises(UnknownNameError, match="class in target 'bea'"):
        explained("bea", "", LOGITS, batch)
    with pytest.raises(MismatchError, match="target is 'bee', and names of classes are known of"):
        explained("bee", "", LOGITS, BATCH)


@pytest.mark.parametrize(
    "protocol", [ParameterRandomisation(), PartDeletion(), PixelFlipping(), PointingGame()]
)
def test_names_that_no_class_has_are_refused_before_anything_is_made(protocol):
    def artefacts(**fields):
        datasets = {split: tiny_images(split) for split in ("train", "test")}
        return protocol.artefacts(entry_of(TinyClassifier(), datasets, explainer=GradCam(**fields)))

    assert "weights" in artefacts(target="horse", against="cat")
    with pytest.raises(UnknownNameError, match="'predikted'; did you mean 'predicted'"):
        artefacts(target="predikted")
    with pytest.raises(UnknownNameError, match="class in against 'hoarse'"):
        artefacts(against="hoarse")


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
