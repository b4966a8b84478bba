"""`xbench score` says how near the probabilities of a file are to people."""

import numpy as np
import pytest

from xbench import ImageSet, MismatchError, read_predictions, read_record
from xbench_datasets.cifar.cifar10h import Cifar10h
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed.dataset import PackedImages
from xbench_explicable.commands.score import command
from xbench_softlabels.fit.people import people
from xbench_softlabels.fit.protocol import HumanFit
from xbench_toybirds.dataset import Toybirds

BIRDS = ImageSet(Toybirds(train=20, test=60), "test")
FIT = ("-p", "protocol=human-fit", "-p", "dataset.train=20", "-p", "dataset.test=60")


@pytest.fixture
def score(tmp_path, invoked):
    return lambda *given: invoked(command, [*map(str, given), *FIT, "--store", f"{tmp_path}/store"])


@pytest.fixture
def said():
    return people(BIRDS, BIRDS.ids())


def crowd(said, doubt: float = 0.1) -> np.ndarray:
    """What people say, with some doubt."""
    shares = said.counts / said.counts.sum(1, keepdims=True)
    return (1 - doubt) * shares + doubt / shares.shape[1]


def test_a_file_is_scored_by_the_protocol_that_is_asked_for(score, said, tmp_path):
    q = crowd(said)
    np.savez(tmp_path / "crowd.npz", probabilities=q, labels=said.labels)
    np.savez(tmp_path / "logits.npz", logits=2 * np.log(q)[::-1], ids=np.array(BIRDS.ids())[::-1])
    ended = score(tmp_path / "crowd.npz", tmp_path / "logits.npz", "--json")
    first, other = (read_record(record) for record in ended.json())
    p = said.counts / said.counts.sum(1, keepdims=True)
    for record, power in ((first, 1), (other, 2)):
        own = q**power / (q**power).sum(1, keepdims=True)
        score_of = next(of for of in record.scores if of.headline)
        assert score_of.name == "cross-entropy@simulated annotators"
        assert score_of.value == pytest.approx(-(p * np.log(own)).sum(1).mean())
    assert first.notes["annotators"] == "simulated annotators"
    assert first.protocol["name"] == "human-fit"


def test_tables_say_what_was_taken_for_granted(score, said, tmp_path):
    q = crowd(said, 0.0)
    np.savez(tmp_path / "sure.npz", probabilities=q)
    ended = score(tmp_path / "sure.npz")
    assert ended.error is None
    lines = ended.out.splitlines()
    assert f"{tmp_path}/sure.npz: has neither ids nor labels; its order was taken" in lines[-2]
    zeros = int((q == 0).any(1).sum())
    assert (
        f"a probability of 0 to classes of {zeros} images; it was taken for 2.23e-308" in lines[-1]
    )
    assert "Points in the" not in ended.out


def test_probabilities_in_another_order_are_refused_with_the_share_that_agrees(
    score, said, tmp_path
):
    q = crowd(said)[::-1]
    np.savez(tmp_path / "turned.npz", probabilities=q)
    error = score(tmp_path / "turned.npz").error
    agreement = (q.argmax(1) == said.labels).mean()
    assert isinstance(error, MismatchError)
    assert f"turned.npz: predictions are the label of only {agreement:.1%} of" in str(error)
    assert "TensorFlow's data set has another order than the official files, PyTorch's" in str(
        error
    )
    assert not (tmp_path / "store" / "records").exists()
    # whoever says whose they are may be wrong as often as they like
    np.savez(tmp_path / "wrong.npz", probabilities=q, ids=np.array(BIRDS.ids()))
    assert score(tmp_path / "wrong.npz").error is None


def test_classes_alone_have_no_distance_from_people(score, said, tmp_path):
    np.save(tmp_path / "classes.npy", said.labels)
    error = score(tmp_path / "classes.npy").error
    assert "classes.npy: the fit to people is that of probabilities" in str(error)


def test_probabilities_that_do_not_sum_to_1_are_refused(score, said, tmp_path):
    np.savez(tmp_path / "half.npz", probabilities=crowd(said) / 2)
    assert "probabilities[0] are no probabilities: they are negative or sum to 0.5" in str(
        score(tmp_path / "half.npz").error
    )


@pytest.mark.realdata
def test_public_cross_validated_probabilities_score_what_they_did_elsewhere(realdata, tmp_path):
    packed = PackedImages(str(realdata / "cifar10"), ("test=test_jpeg.npz",), CIFAR10)
    dataset = Cifar10h(packed, str(realdata / "cifar10h/cifar10h-counts.npy"))
    q = np.load(realdata / "cifar10_crossval_probs/cifar10_test_set_pyx.npy")
    np.savez(tmp_path / "crossval.npz", probabilities=q)
    given = read_predictions(tmp_path / "crossval.npz", dataset, "test")
    rows = {"x": HumanFit().predicted_rows(ImageSet(dataset, "test"), given)}
    scores = {of.name: of.values.mean() for of in HumanFit().summarise(rows)["x"]}
    assert scores["accuracy"] == pytest.approx(0.9294, abs=1e-12)
    assert scores["cross-entropy@labels"].round(5) == 0.24917
    assert scores["cross-entropy@people"].round(5) == 0.51353
    assert scores["yardstick@entropy"].round(4) == 0.1545
    assert scores["yardstick@true class"].round(4) == 0.2565
