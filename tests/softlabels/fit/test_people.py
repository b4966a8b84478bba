"""Labels that cannot be those of the images are refused before anything is trained."""

import numpy as np
import pytest

from small_datasets import Judged, Made
from xbench import DatasetError, ImageSet, MismatchError
from xbench.testing import tiny_images
from xbench_softlabels.fit.people import check_classes, check_people, people

NAMES = ("cat", "dog", "car")


def judged(counts, truth) -> ImageSet:
    return ImageSet(Judged(NAMES, counts=tuple(map(tuple, counts)), truth=tuple(truth)), "test")


def agreeing(truth, annotators: int = 10) -> np.ndarray:
    """Nearly everybody says the label."""
    counts = np.eye(3, dtype=int)[truth] * (annotators - 1)
    counts[np.arange(len(truth)), (np.array(truth) + 1) % 3] += 1
    return counts


def test_labels_and_counts_come_in_the_order_that_is_asked_for():
    images = judged(agreeing([0, 1, 2]), [0, 1, 2])
    said = people(images, [2, 0])
    assert said.labels.tolist() == [2, 0]
    assert said.counts.tolist() == [[1, 0, 9], [9, 1, 0]]
    assert not said.simulated
    assert people(tiny_images(), tiny_images().ids()).simulated


def test_an_image_that_nobody_labelled_is_named():
    counts = agreeing([0, 1, 2, 0])
    counts[2:] = 0
    with pytest.raises(DatasetError, match=r"nobody labelled image 2, the first of 2 .* mend the"):
        check_people(judged(counts, [0, 1, 2, 0]))


def test_counts_of_other_classes_are_refused():
    with pytest.raises(DatasetError, match=r"label counts are 1 × 2; .* 1 images and 3 classes"):
        check_people(judged([[3, 1]], [0]))
    with pytest.raises(DatasetError, match="numbers from 0 on"):
        check_people(judged([[3, -1, 0]], [0]))


def test_labels_in_another_order_are_refused_with_their_agreement():
    truth = np.random.default_rng(0).integers(0, 3, 300)
    check_people(judged(agreeing(truth), truth))
    other = np.random.default_rng(1).permutation(truth)
    with pytest.raises(DatasetError) as caught:
        check_people(judged(agreeing(other), truth))
    agreement = (truth == other).mean()
    assert f"the label of only {agreement:.1%} of the images" in str(caught.value)
    assert "TensorFlow's data set has another order" in str(caught.value)


def test_people_who_are_often_wrong_are_people_still():
    source = np.random.default_rng(0)
    truth = source.integers(0, 3, 300)
    said = np.where(source.random(300) < 0.3, (truth + 1) % 3, truth)
    check_people(judged(agreeing(said), truth))


def test_of_few_images_no_order_is_suspected():
    check_people(judged(agreeing([1, 2, 0]), [0, 1, 2]))


def test_networks_for_other_classes_are_refused():
    images = judged(agreeing([0]), [0])
    check_classes(images, images)
    with pytest.raises(MismatchError, match="networks are trained for dark, bright"):
        check_classes(images, ImageSet(Made(), "train"))
