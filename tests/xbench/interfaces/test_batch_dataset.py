"""What a loss can ask about the classes of a batch."""

import pytest
import torch

from xbench.errors import MismatchError
from xbench.interfaces.data.dataset import Batch, batch_dataset
from xbench.testing.tiny import tiny_images


def test_a_batch_leads_to_the_dataset_that_it_is_of():
    images = tiny_images()
    batch = images.batch(images.ids()[:2])
    assert batch_dataset(batch, 5, "mine") is images.dataset


def test_a_batch_from_nowhere_or_of_other_classes_is_refused_by_the_loss():
    images = tiny_images()
    nowhere = Batch(torch.zeros(1, 3, 4, 4), (0,))
    with pytest.raises(MismatchError, match=r"loss 'mine' asks .* give the batch its `source`"):
        batch_dataset(nowhere, 5, "mine")
    with pytest.raises(MismatchError, match=r"loss 'mine': dataset 'tiny' has 5 classes, but .* 4"):
        batch_dataset(images.batch(images.ids()[:1]), 4, "mine")
