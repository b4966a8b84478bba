"""Entries of benchmarks, without a benchmark."""

from collections.abc import Mapping
from typing import Any

from xbench import Classifier, Entry, ImageSet, Training
from xbench_zoo.losses import CrossEntropy


def entry_of(classifier: Classifier, datasets: Mapping[str, ImageSet], **fields: Any) -> Entry:
    """An entry with untrained weights, learned from nothing; `fields` say what is otherwise."""
    given = {
        "label": "x",
        "role": "entry",
        "explainer": None,
        "classifier": classifier,
        "loss": CrossEntropy(),
        "training": Training(epochs=0),
        "datasets": datasets,
        "repeat": 0,
        "seed": 0,
    }
    return Entry(**{**given, **fields})
