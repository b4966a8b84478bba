"""An entry whose images are rectangles, and what it is explained with."""

import dataclasses

import pytest

from removable_parts import Rectangles
from small_entries import entry_of
from xbench import Entry, ImageSet
from xbench.testing import TinyClassifier
from xbench_saliency.by_captum.explainer import CaptumExplainer


@pytest.fixture
def test_images() -> ImageSet:
    return ImageSet(Rectangles(), "test")


@pytest.fixture
def entry(test_images: ImageSet) -> Entry:
    datasets = {"train": dataclasses.replace(test_images, split="train"), "test": test_images}
    return entry_of(TinyClassifier(), datasets, explainer=CaptumExplainer("InputXGradient"))
