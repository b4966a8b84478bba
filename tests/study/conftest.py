"""What tests of studies share.

A scene of tiny images whose networks answer as a test says, and small studies that are served to
visitors within the test.
"""

import pytest
import torch

from small_entries import entry_of
from study_visitor import Served
from tiny_study import write_study
from xbench import ImageSet, explained, generator
from xbench.testing import CLASSES, TinyClassifier, TinyDataset
from xbench_study.designs.drafts import Scene
from xbench_study.shown.shown_maps import ShownMaps

IMAGES = ImageSet(TinyDataset(), "test")


class Answering:
    """A bench at which networks give the logits that a test says, by seed of the entry."""

    def __init__(self, logits):
        self.logits = logits

    def predictions(self, subject, images, ids, derivation=None):
        rows = self.logits[subject.seed]
        return torch.stack([rows[image] for image in ids])

    def explanations(self, explainer, subject, images, ids, derivation=None):
        source = generator("explanation", subject.seed)
        return explained(explainer, None, images.batch(ids), {}, source)


def answers(labels, wrong, shift=1, sure=4.0):
    """Logits by image: those in `wrong` are taken for the class that is `shift` further on."""
    rows = {}
    for image, label in labels.items():
        rows[image] = torch.arange(CLASSES, 0, -1) / 10.0
        rows[image][(label + (shift if image in wrong else 0)) % CLASSES] = sure + image % 7
    return rows


@pytest.fixture
def scene_of():
    """Makes a scene of conditions, each with the images that its network gets wrong, by name.

    `displays` makes what a condition shows, of its name.
    """

    def of(displays=ShownMaps, **conditions):
        labels = dict(zip(IMAGES.ids(), IMAGES.dataset.labels(IMAGES.ids()).tolist(), strict=True))
        datasets = {"train": IMAGES, "test": IMAGES}
        networks = {}
        entries, logits = {}, {}
        for place, (name, wrong) in enumerate(conditions.items()):
            seed = networks.setdefault(frozenset(wrong), place)
            entries[name] = entry_of(
                TinyClassifier(), datasets, explainer=displays(name), seed=seed
            )
            logits[seed] = answers(labels, wrong, shift=1 + seed)
        return Scene(entries, Answering(logits), IMAGES, seed=5)

    return of


@pytest.fixture
def serving(tmp_path):
    """A study that is served: `pages` go to the application, all else to `write_study`."""
    served = []

    def serve(pages=None, **tables):
        study = write_study(tmp_path / f"study-{len(served)}", **tables)
        served.append(Served(study, options=pages or {}))
        return served[-1]

    yield serve
    for of in served:
        of.book.close()
