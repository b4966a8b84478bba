"""What training costs beside a bare PyTorch loop that does the same.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_training_loop.py -s

takes ResNet-20 and images of 32 × 32 pixels, with the labels of several annotators: six epochs of
Adam on 512 of them; and a whole run of `human-fit` in two folds, which trains two networks and
asks each about the images of the other fold, beside loops that do this and nothing else. Statistics
are no part of it: the clock stops when the rows are there.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn
from torch.nn import functional

from xbench import (
    Dataset,
    Done,
    Folds,
    HumanLabels,
    ImageSet,
    LocalBench,
    LocalWorkplace,
    Plan,
    Store,
    Training,
    TrainingPlan,
    Transform,
    derived_seed,
    generator,
    load_benchmark,
    planned_weights,
)
from xbench.networks import Normalised, blank_module
from xbench_softlabels.fit.protocol import HumanFit
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_zoo.cifar.resnet import CifarResnet

IMAGES, CLASSES, SIDE, BATCH, EPOCHS, SEED = 512, 10, 32, 64, 6, 0
RATE = 1e-3
PROMISED = 1.05


@dataclass(frozen=True)
class Noise(Dataset, HumanLabels):
    """Images of noise that lie in memory, and what fifty people might have said of them."""

    name: ClassVar[str] = "noise"

    def check(self) -> None:
        """Nothing can be wrong."""

    def fingerprint(self) -> str:
        """Of no file."""
        return "noise"

    def class_names(self) -> tuple[str, ...]:
        """Numbers."""
        return tuple(f"class {label}" for label in range(CLASSES))

    def splits(self) -> tuple[str, ...]:
        """One."""
        return ("test",)

    def ids(self, split: str) -> Sequence[int]:
        """As many as there are images."""
        return range(IMAGES)

    def labels(self, ids: Sequence[int]) -> torch.Tensor:
        """In turn."""
        return torch.tensor([place % CLASSES for place in ids])

    def images(self, ids: Sequence[int]) -> torch.Tensor:
        """Those of the ids."""
        return PIXELS[list(ids)]

    def label_counts(self, ids: Sequence[int]) -> torch.Tensor:
        """Some for each class."""
        return COUNTS[list(ids)]


PIXELS = torch.randint(
    0, 256, (IMAGES, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator("pixels")
)
COUNTS = torch.randint(1, 10, (IMAGES, CLASSES), generator=generator("counts"))
COUNTS += 20 * functional.one_hot(torch.arange(IMAGES) % CLASSES, CLASSES)
CLASSIFIER, LOSS = CifarResnet(), ImageHumanLabels()
TRAINING = Training(
    EPOCHS,
    BATCH,
    optimiser="adam",
    learning_rate=RATE,
    weight_decay=0.0,
    warmup_epochs=0.0,
    schedule="none",
    flip=False,
    shift=0,
)


def bare_training(images: ImageSet, epochs: int = EPOCHS) -> nn.Module:
    """The same training, written down."""
    module = blank_module(CLASSIFIER, CLASSES, derived_seed("weights", SEED))
    network = Normalised(module, CLASSIFIER.normalisation())
    network = network.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    ids = list(images.ids())
    pixels, counts = PIXELS[ids], COUNTS[ids].double()
    shares = (counts / counts.sum(1, keepdim=True)).float()
    for epoch in range(epochs):
        order = torch.randperm(len(ids), generator=generator("order", SEED, epoch))
        for own in order.split(BATCH):
            batch = (pixels[own].float() / 255).to(memory_format=torch.channels_last)
            loss = functional.cross_entropy(network(batch), shares[own])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return network.eval()


def bare_folds() -> torch.Tensor:
    """Two networks, each asked about the images that it did not see; cross-entropy to people."""
    folds, losses = Folds(ImageSet(Noise(), "test", Transform()), 2), []
    for fold in range(2):
        network, ids = bare_training(folds.training(fold)), list(folds.held_out(fold).ids())
        counts = COUNTS[ids].double()
        with torch.no_grad():
            parts = [network(PIXELS[own].float() / 255) for own in torch.tensor(ids).split(BATCH)]
        shares = counts / counts.sum(1, keepdim=True)
        losses.append(functional.cross_entropy(torch.cat(parts).double(), shares))
    return torch.stack(losses).mean()


def plan_of_all(epochs: int) -> TrainingPlan:
    """The training of one network on all images."""
    images = ImageSet(Noise(), "test", Transform())
    training = replace(TRAINING, epochs=epochs)
    return TrainingPlan(CLASSIFIER, LOSS, training, images, None, SEED, CLASSES)


def workplace_in(folder: Path) -> LocalWorkplace:
    """A place that remembers no training."""
    shutil.rmtree(folder, ignore_errors=True)
    return LocalWorkplace(torch.device("cpu"), BATCH, folder / "scratch")


def trained(folder: Path, epochs: int = EPOCHS) -> Mapping[str, torch.Tensor]:
    """The state after a training."""
    return planned_weights(plan_of_all(epochs)).build({}, workplace_in(folder)).tensors


def run(folder: Path) -> None:
    """A run of the protocol up to its last row."""
    images = ImageSet(Noise(), "test", Transform())
    benchmark = load_benchmark("softlabels-toybirds")
    line = replace(
        benchmark.lines[0], classifier=CLASSIFIER, loss=LOSS, training=TRAINING, weights=()
    )
    benchmark = replace(
        benchmark,
        protocol=HumanFit(folds=2),
        datasets={"train": images, "test": images},
        lines=(line,),
        contrasts=(),
        seed=SEED,
    )
    bench = LocalBench(workplace_in(folder), Store(str(folder / "store")))
    plan = Plan([benchmark], bench, None, 2**31)
    for task in plan.tasks():
        task.perform(bench)
        plan.finished(Done(task.key, {"kept": {}}))


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_training_against_a_bare_loop(ratio, tmp_path):
    images = ImageSet(Noise(), "test", Transform())
    bare = bare_training(images, 1)  # rounding grows from step to step
    ours = Normalised(blank_module(CLASSIFIER, CLASSES), CLASSIFIER.normalisation()).eval()
    ours.network.load_state_dict(dict(trained(tmp_path, 1)))
    with torch.no_grad():
        asked = PIXELS[:BATCH].float() / 255
        torch.testing.assert_close(ours(asked), bare(asked), rtol=0, atol=0.2)
    made = ratio(lambda: trained(tmp_path), lambda: bare_training(images), rounds=5)
    assert made <= PROMISED, "more than what is documented"


def test_folds_against_bare_loops(ratio, tmp_path):
    made = ratio(lambda: run(tmp_path), bare_folds, rounds=5)
    assert made <= PROMISED, "more than what is documented"
