"""Peak memory and time of learning a bank of all concepts of toybirds with SqueezeNet 1.1.

OMP_NUM_THREADS=1 XBENCH_TEST_DATA=… python benchmarks/speed/concept_bank.py [CONCEPTS [SIDE]]

86 528 features at 224 pixels, 100 images with and 100 without each concept. Imports are
included; the bank is written to a store and read again.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from xbench import (
    ImageSet,
    LocalWorkplace,
    Provider,
    Store,
    TrainedWeights,
    Training,
    TrainingPlan,
    Transform,
)
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.learning import LearnedBank
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.torchvision_models import Torchvision


@dataclass(frozen=True)
class Some(Toybirds):
    """toybirds with its first concepts only."""

    count: int = 1000

    def concepts(self):
        return super().concepts()[: self.count]


def main(count=1000, side=224):
    weights = next((Path(os.environ["XBENCH_TEST_DATA"]) / "squeezenet1_1").glob("*.npz"))
    classifier = Torchvision("squeezenet1_1", weights=str(weights))
    birds, transform = Some(count=count), Transform(side, side)
    images = ImageSet(birds, "train", transform)
    plan = TrainingPlan(
        classifier=classifier,
        loss=CrossEntropy(),
        training=Training(epochs=0),
        images=images,
        validation=None,
        seed=0,
        classes=1000,
    )
    recipe = LearnedBank(TrainedWeights(plan), classifier, (birds,), transform)
    with tempfile.TemporaryDirectory() as folder:
        place = LocalWorkplace(torch.device("cpu"), 32, Path(folder))
        artefact = Provider(Store(folder), place).one(recipe)
        ConceptBank.from_artefact(Provider(Store(folder), place).one(recipe))
    bank = ConceptBank.from_artefact(artefact)
    print(*artefact.facts["summary"], f"({bank.normals.shape[1]} features)")
    print(f"mean held-out accuracy {bank.accuracies.mean():.3f}")
    print(f"peak memory {place.peak_memory_mib() / 1024:.2f} GiB")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*map(int, sys.argv[1:]))
