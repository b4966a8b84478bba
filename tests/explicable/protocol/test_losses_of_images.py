"""Losses that ask people about images ask those who saw them, whatever was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from small_datasets import Made
from small_entries import entry_of
from small_networks import Tiny
from xbench import Dataset, HumanLabels, ImageSet, MismatchError, Similarity
from xbench_explicable.protocol.explicability import Explicability
from xbench_explicable.protocol.rows import LOSS
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.sampled_labels import SampledLabels

NAMES = ("cat", "dog", "car")


@dataclass(frozen=True)
class Unjudged(Made):
    """Noise of three classes, in any order and with any ids."""

    name: ClassVar[str] = "unjudged"

    classes: tuple[str, ...] = NAMES
    first: int = 1000

    def ids(self, split: str) -> Sequence[int]:
        start = 0 if split == "train" else self.first
        return range(start, start + 6)

    def image(self, image: int) -> Tensor:
        draws = torch.Generator().manual_seed(image)
        return torch.randint(0, 255, (3, 12, 12), generator=draws).byte()


@dataclass(frozen=True)
class Seen(Unjudged, HumanLabels):
    """The same, with people of whom `wrong` of ten take a class for the one after it."""

    name: ClassVar[str] = "seen"

    wrong: int = 1

    def label_counts(self, ids: Sequence[int]) -> Tensor:
        right = torch.nn.functional.one_hot(self.labels(ids), len(self.classes))
        return (10 - self.wrong) * right + self.wrong * right.roll(1, dims=1)


@dataclass(frozen=True)
class Same(Similarity):
    """Every class is like itself alone."""

    name: ClassVar[str] = "same"

    def matrix(self, dataset: Dataset) -> Tensor:
        return torch.eye(len(dataset.class_names()), dtype=torch.float64)


def judged_entry(further: Dataset):
    own = {split: ImageSet(Seen(), split) for split in ("train", "test")}
    return entry_of(Tiny(), {**own, "further": ImageSet(further, "test")})


def test_a_further_set_is_scored_against_its_own_people_in_the_classes_of_the_network(bench):
    further = Seen(("car", "cat"), first=0, wrong=4)  # the ids of the training images
    entry, protocol = judged_entry(further), Explicability(Same(), losses=(ImageHumanLabels(),))
    artefacts = bench.provider.all(protocol.artefacts(entry))
    cases = protocol.cases(entry, artefacts)
    rows = protocol.evaluate(entry, cases, artefacts, bench).to_pydict()
    network = bench.workplace.network(entry.classifier, artefacts["weights"])
    assert rows["set"] == ["test"] * 6 + ["further"] * 6
    for name, image, loss in zip(
        rows["set"], rows["image"], rows[f"{LOSS}human-labels"], strict=True
    ):
        dataset = entry.datasets[name].dataset
        batch = entry.datasets[name].batch([image])
        probabilities = network.logits(batch.images).double().softmax(1)[0]
        counts = dataset.label_counts([image])[0].tolist()
        shares = dict(zip(dataset.classes, counts, strict=True))
        expected = -sum(
            shares.get(of, 0) / 10 * float(probabilities[place].log())
            for place, of in enumerate(NAMES)
        )
        assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [ImageHumanLabels(), SampledLabels()], ids=lambda of: of.name)
def test_a_further_set_that_nobody_judged_is_refused_before_anything_is_trained(loss):
    protocol = Explicability(Same(), losses=(loss,))
    with pytest.raises(MismatchError, match="and dataset 'unjudged' has none"):
        protocol.artefacts(judged_entry(Unjudged(first=0)))
