"""Files of predictions are read, checked against their split, and never run."""

import io
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pickled import Calls
from small_datasets import Made
from xbench import MismatchError, UnknownNameError, UsageError
from xbench.files import predictions
from xbench.files.predictions import read_predictions

NAMES = ("cat", "dog", "car")
IDS = (40, 41, 42, 30, 31, 32)
LABELS = np.array([0, 2, 1, 1, 0, 2])


@dataclass(frozen=True)
class Listed(Made):
    """Six images, of which only ids and labels are known."""

    name: ClassVar[str] = "listed"
    classes: ClassVar[tuple[str, ...]] = NAMES

    def splits(self) -> tuple[str, ...]:
        return ("test",)

    def ids(self, split: str) -> Sequence[int]:
        return IDS

    def labels(self, ids: Sequence[int]) -> torch.Tensor:
        return torch.tensor([int(LABELS[IDS.index(image)]) for image in ids])

    def images(self, ids: Sequence[int]) -> list[torch.Tensor]:
        raise NotImplementedError


PREDICTED = np.array([0, 1, 1, 2, 0, 2])
PROBABILITIES = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.2, 0.6, 0.2], [0.0, 0.3, 0.7], [1, 0, 0], [0.3, 0.3, 0.4]]
)


@pytest.fixture
def written(tmp_path):
    """Writes arrays into a file and reads it as predictions."""

    def read(name="some.npz", **arrays):
        path = tmp_path / name
        if path.suffix == ".npy":
            np.save(path, arrays["predicted"])
        else:
            np.savez(path, **arrays)
        return read_predictions(path, Listed(), "test")

    return read


def refused(written, kind=MismatchError, name="some.npz", **arrays) -> str:
    with pytest.raises(kind) as caught:
        written(name, **arrays)
    text = str(caught.value)
    assert name in text
    return text.split(f"{name}: ", 1)[-1].split(f"{name} ", 1)[-1]


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32, np.uint64])
def test_a_plain_array_holds_a_class_for_each_image(written, kind) -> None:
    content = written("some.npy", predicted=PREDICTED.astype(kind))
    assert content.predicted.tolist() == PREDICTED.tolist()
    assert content.labels.tolist() == LABELS.tolist()
    assert content.matching == "assumed"
    assert np.isnan(content.probability).all()
    assert np.isnan(content.true_probability).all()
    assert len(content.digest) == 64


def test_probabilities_give_the_class_and_what_it_is_worth(written) -> None:
    content = written(probabilities=PROBABILITIES.astype(np.float32), labels=LABELS)
    assert content.predicted.tolist() == PREDICTED.tolist()
    np.testing.assert_allclose(content.probability, PROBABILITIES.max(1), rtol=1e-6)
    expected = [row[label] for row, label in zip(PROBABILITIES, LABELS, strict=True)]
    np.testing.assert_allclose(content.true_probability, expected, rtol=1e-6)
    assert content.matching == "labels"


@given(st.floats(-300, 300))
def test_logits_are_made_probabilities_wherever_their_zero_is(shift: float) -> None:
    logits = np.log(PROBABILITIES + 1e-30) + shift
    split = predictions.FileSplit("here", "test", NAMES, np.array(IDS), LABELS)
    answers = predictions._predicted_classes({"logits": logits}, np.arange(3), split)
    assert answers.predicted.tolist() == PREDICTED.tolist()
    np.testing.assert_allclose(answers.probabilities, PROBABILITIES, atol=1e-9)


def test_ids_put_predictions_of_any_order_in_that_of_the_split(written) -> None:
    turn = np.array([3, 5, 0, 1, 4, 2])
    ids = np.array(IDS)
    content = written(predicted=PREDICTED[turn], ids=ids[turn], labels=LABELS[turn])
    assert content.predicted.tolist() == PREDICTED.tolist()
    assert content.matching == "ids"
    content = written(probabilities=PROBABILITIES[turn], ids=ids[turn])
    np.testing.assert_allclose(content.probability, PROBABILITIES.max(1))
    assert content.matching == "ids"


def test_class_names_say_which_class_a_number_means(written) -> None:
    names = np.array(["car", "cat", "dog"])
    turned = np.array([NAMES.index(name) for name in names])
    content = written(probabilities=PROBABILITIES[:, turned], class_names=names)
    assert content.predicted.tolist() == PREDICTED.tolist()
    np.testing.assert_allclose(content.true_probability, PROBABILITIES[np.arange(6), LABELS])
    own = np.argsort(turned)
    content = written(predicted=own[PREDICTED], labels=own[LABELS], class_names=names)
    assert content.predicted.tolist() == PREDICTED.tolist()
    assert content.matching == "labels"


def test_a_network_may_know_some_of_the_classes_only(written) -> None:
    content = written(logits=np.array([[1.0, 2.0]] * 6), class_names=np.array(["dog", "cat"]))
    assert content.predicted.tolist() == [0] * 6
    assert content.true_probability[1] == 0  # a car


def test_other_arrays_in_a_file_do_no_harm(written) -> None:
    assert written(predicted=PREDICTED, epoch=np.array(3)).matching == "assumed"


def test_labels_in_another_order_are_an_error_that_shows_one(written) -> None:
    turn = np.array([1, 0, 2, 3, 4, 5])
    assert refused(written, predicted=PREDICTED, labels=LABELS[turn]) == (
        "2 of 6 labels are not those of split 'test'; labels[0] is 'car', but image 40 shows "
        "'cat'. Predictions have the order of the split; with an array ids they may have any"
    )


def test_ids_of_other_images_are_an_error(written) -> None:
    assert refused(written, predicted=PREDICTED, ids=np.arange(30, 36)) == (
        "ids are not those of split 'test': 3 of its images have no prediction, the first is 40"
    )
    twice = np.array([40, 40, 42, 30, 31, 32])
    assert "1 of its images have no prediction" in refused(written, predicted=PREDICTED, ids=twice)
    text = refused(written, predicted=PREDICTED, ids=np.array(IDS).astype(str))
    assert text == "ids are of type <U21; they are whole numbers"


@pytest.mark.parametrize("name", ["some.npy", "some.npz"])
def test_another_number_of_images_is_an_error(written, name) -> None:
    assert refused(written, name=name, predicted=PREDICTED[:4]) == (
        "predicted is of 4 images, but split 'test' has 6; give one prediction for each, in the "
        "order of the split"
    )


def test_classes_beyond_the_last_are_an_error(written) -> None:
    bad = PREDICTED.copy()
    bad[2] = 7
    assert refused(written, predicted=bad) == ("predicted[2] is 7, but there are 3 classes, 0 to 2")
    assert refused(written, predicted=-bad).startswith("predicted[1] is -1, but there are 3")
    text = refused(written, predicted=PREDICTED + 1)
    assert text == (
        "predicted[3] is 3, but there are 3 classes, 0 to 2; classes are counted from 0"
    )


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"predicted": PREDICTED.astype(float)},
            "predicted has numbers of type float64; classes are whole numbers",
        ),
        (
            {"predicted": PROBABILITIES},
            "predicted is 6 × 3; it needs 1 dimension: one class for each image",
        ),
        (
            {"logits": PROBABILITIES[:, 0]},
            "logits is 6; it needs 2 dimensions: images and classes",
        ),
        (
            {"predicted": np.array(3)},
            "predicted is a single number; it needs 1 dimension: one class for each image",
        ),
        (
            {"logits": np.ones((6, 5))},
            "logits has 5 columns, but there are 3 classes; name those of the file in class_names",
        ),
        (
            {"logits": PROBABILITIES.astype(str)},
            "logits has values of type <U32, not numbers",
        ),
        (
            {"logits": np.where(np.eye(6, 3) > 0, np.nan, 1)},
            "logits[0] holds NaN or infinite values, the first of 3 such rows",
        ),
        (
            {"probabilities": 2 * PROBABILITIES},
            "probabilities[0] are no probabilities: they are negative or sum to 2; other",
        ),
        (
            {"predicted": PREDICTED, "logits": PROBABILITIES},
            "has 'predicted' and 'logits'; give exactly one, so that they cannot differ",
        ),
        (
            {"labels": LABELS},
            "has none of 'predicted', 'probabilities', 'logits'; give exactly one",
        ),
        (
            {"predicted": PREDICTED, "class_names": np.array(["cat", "dog", "cat"])},
            "class_names has 'cat' more than once",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_predictions_is_refused(written, arrays, message) -> None:
    assert refused(written, **arrays).startswith(message)


def test_an_unknown_class_is_named_with_the_nearest(written) -> None:
    names = np.array(["cat", "dogg", "car"])
    text = refused(written, UnknownNameError, predicted=PREDICTED, class_names=names)
    assert text == "'dogg'; did you mean 'dog'? Known: car, cat, dog."


def test_an_archive_without_predictions_lists_what_it_has(written) -> None:
    assert refused(written, UsageError, prediction=PREDICTED) == (
        "has no array 'predicted', 'probabilities' or 'logits', but 'prediction'"
    )


@pytest.mark.parametrize("name", ["bad.npy", "bad.npz"])
def test_pickles_are_never_run(tmp_path, name) -> None:
    path, folder = tmp_path / name, tmp_path / "made"
    array = np.array([Calls(os.mkdir, str(folder))], dtype=object)
    if name.endswith("npy"):
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, predicted=array)
    with pytest.raises(UsageError) as caught:
        read_predictions(path, Listed(), "test")
    assert not folder.exists()
    assert "cannot be read as predictions (Object arrays cannot be loaded" in str(caught.value)
    assert "numpy.savez(path, predicted=classes)" in str(caught.value)


def test_damage_inside_an_archive_or_a_header_is_an_error(tmp_path) -> None:
    whole = io.BytesIO()
    np.savez_compressed(whole, predicted=np.arange(1000))
    damaged = bytearray(whole.getvalue())
    damaged[80:120] = 40 * b"\xff"
    (tmp_path / "damaged.npz").write_bytes(damaged)
    np.save(tmp_path / "header.npy", PREDICTED)
    header = (tmp_path / "header.npy").read_bytes().replace(b"(6,)", b"((6,")
    (tmp_path / "header.npy").write_bytes(header)
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("predicted", "hello")
    for path in tmp_path.iterdir():
        with pytest.raises(UsageError, match=f"{path.name} cannot be read as predictions"):
            read_predictions(path, Listed(), "test")


def test_class_names_may_be_bytes(written) -> None:
    names = np.array(Listed().class_names())
    plain = written(predicted=PREDICTED, class_names=names)
    of_bytes = written(predicted=PREDICTED, class_names=names.astype("S"))
    np.testing.assert_array_equal(plain.predicted, of_bytes.predicted)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut off", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("name", ["bad.npy", "bad.npz"])
def test_damaged_files_are_an_error(tmp_path, name, content) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as predictions") as caught:
        read_predictions(path, Listed(), "test")
    assert "unsafely" not in str(caught.value)


def test_a_missing_file_is_an_error(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"none.npz cannot be read as predictions \(No such file"):
        read_predictions(tmp_path / "none.npz", Listed(), "test")


def test_files_of_another_kind_are_not_opened(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"predictions are read from \.npz and \.npy files"):
        read_predictions(tmp_path / "some.pkl", Listed(), "test")


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("xbench.files.arrays.LARGEST", 2**20)
    path, packed = tmp_path / "large.npz", io.BytesIO()
    np.save(packed, np.zeros(2**18))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("predicted.npy", packed.getvalue())
    with pytest.raises(UsageError, match=r"large.npz: predicted.npy unpacks to 0 GiB; at most"):
        read_predictions(path, Listed(), "test")


def test_logarithms_are_those_of_the_probabilities_in_the_dataset_s_order(written):
    order = np.array([2, 0, 1])
    names = np.array(NAMES)[order]
    some = written(probabilities=PROBABILITIES[:, order], class_names=names)
    positive = PROBABILITIES > 0
    expected = np.log(PROBABILITIES[positive])
    np.testing.assert_array_equal(some.log_probabilities[positive], expected)


def test_logits_have_logarithms_however_small_their_probabilities_are(written):
    logits = np.array([[0.0, -900.0, 5.0]] * 6, np.float32)
    some = written(logits=logits)
    np.testing.assert_allclose(
        some.log_probabilities, logits - 5 - np.log1p(np.exp(-5.0)), rtol=1e-7
    )
    assert some.zeros == 0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_probability_of_0_counts_as_the_smallest_of_its_type_and_is_counted(written, kind):
    some = written(probabilities=PROBABILITIES.astype(kind))
    assert some.zeros == 2
    assert some.smallest == np.finfo(kind).tiny
    zero = PROBABILITIES == 0
    np.testing.assert_allclose(some.log_probabilities[zero], np.log(np.finfo(kind).tiny))


def test_predictions_alone_have_no_logarithms(written):
    assert written(predicted=PREDICTED).log_probabilities is None
