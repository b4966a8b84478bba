"""The targets of the real human labels have the numbers that were published of them."""

import pytest
import torch

from xbench import Folds, ImageSet
from xbench_datasets.cifar.cifar10h import Cifar10h
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.packed.dataset import PackedImages
from xbench_softlabels.targets.class_human_labels import ClassHumanLabels
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.most_uncertain import MostUncertain


@pytest.mark.realdata
def test_real_targets_have_their_entropy_and_its_share(realdata):
    packed = PackedImages(str(realdata / "cifar10"), ("test=test_jpeg.npz",), CIFAR10)
    counts = str(realdata / "cifar10h/cifar10h-counts.npy")
    images = ImageSet(Cifar10h(packed, counts), "test")
    human = ImageHumanLabels().distributions(images)
    entropies = torch.special.entr(human).sum(1)
    assert float(entropies.mean()) == pytest.approx(0.15446, abs=5e-6)
    of_class = torch.special.xlogy(human, ClassHumanLabels().distributions(images))
    assert float(-of_class.sum(1).mean()) == pytest.approx(0.2566, abs=1e-4)
    chosen = (MostUncertain(0.3).distributions(images) == human).all(1) & (entropies > 0)
    assert int(chosen.sum()) == 3000
    assert float(entropies[chosen].sum() / entropies.sum()) == pytest.approx(0.826, abs=5e-4)
    training = Folds(images, 10).training(0)
    certain = MostUncertain(0.0).distributions(training)
    assert int((MostUncertain(0.1).distributions(training) != certain).any(1).sum()) == 900
