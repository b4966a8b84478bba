"""An entry whose images are rectangles, and what it is explained with."""

import dataclasses

import pytest

from removable_parts import Rectangles
from small_entries import entry_of
from xbench import Entry, ImageSet
from xbench.testing import TinyClassifier
from xbench_saliency.by_captum.explainer import CaptumExplainer


@pytest.fixture
def rectangles() -> ImageSet:
    return ImageSet(Rectangles(), "test")


@pytest.fixture
def entry(rectangles: ImageSet) -> Entry:
    datasets = {"train": dataclasses.replace(rectangles, split="train"), "test": rectangles}
    return entry_of(TinyClassifier(), datasets, explainer=CaptumExplainer("InputXGradient"))
