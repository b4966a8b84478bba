"""What tests of soft labels share: images that people disagree about, and batches of them."""

import numpy as np
import pytest
import torch

from small_datasets import Judged
from xbench import Batch, ImageSet, generator

NAMES = ("cat", "dog", "car")
COUNTS = ((9, 1, 0), (5, 5, 0), (4, 6, 0), (0, 10, 0), (1, 1, 18), (0, 0, 7), (3, 0, 1), (0, 2, 8))
TRUTH = (0, 0, 1, 1, 2, 2, 0, 2)


@pytest.fixture
def people():
    """Eight images of three classes that people judged; one of them by more, one by fewer."""
    return ImageSet(Judged(NAMES, counts=COUNTS, truth=TRUTH), "test")


@pytest.fixture
def batch_of():
    """Makes a batch of random images with these ids of an image set."""

    def of(images, ids, source=True):
        sources = [generator("pixels", image) for image in ids]
        pixels = [torch.rand(3, 4, 4, generator=s, dtype=torch.float64) for s in sources]
        labels = images.dataset.labels(ids)
        return Batch(torch.stack(pixels), tuple(ids), labels, images if source else None)

    return of


@pytest.fixture
def targets_of(batch_of):
    """Makes the targets of a loss for images with these ids, drawn with this seed."""

    def of(loss, images, ids, seed=0):
        classes = len(images.dataset.class_names())
        options = {"classes": classes, "epoch": 0, "generator": generator("loss", seed)}
        return loss.targets(batch_of(images, ids), **options)

    return of


@pytest.fixture
def probability_file(tmp_path):
    """Writes a predictions file with these arrays, and says where it is."""

    def write(**arrays):
        path = tmp_path / "probabilities.npz"
        np.savez(path, **arrays)
        return str(path)

    return write
