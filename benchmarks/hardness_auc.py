"""How well mistakes on toybirds are predicted by hardness, hesitancy and entropy.

    python benchmarks/hardness_auc.py --seeds 0 1 2 --train 3000 --store FOLDER

trains a classifier and a predictor for every setting, loss, trunk, seed and data set (as it
is, or with a confounded class), and prints the areas under the ROC curve on the splits.
What the store holds already is not trained again.
"""

import argparse
import itertools
from pathlib import Path

import torch

from xbench import ImageSet, LocalWorkplace, Provider, Store, TrainedWeights, Training, TrainingPlan
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.hardness_training import mistake_aucs
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.small import SmallCnn

TRAINING = Training(
    epochs=7,
    batch_size=32,
    learning_rate=6e-3,
    weight_decay=0.02,
    warmup_epochs=2.0,
    shift=6,
)


def birds(train, *, confounded):
    """The data set, with one class that is nearly always shown in snow if it is confounded."""
    if not confounded:
        return Toybirds(train=train)
    return Toybirds(
        train=train,
        confounded_class="verda-prima",
        confounded_context="snow",
        confound_strength=0.95,
    )


def outputs(hardness, recipe, provider, images):
    """The logits and z of all images of a split."""
    workplace = provider.workplace
    network = workplace.network(recipe.plan.classifier, provider.one(recipe))
    readout = hardness.readout(network, provider.all(hardness.artefacts(recipe)))
    ids, found = images.ids(), []
    for start in range(0, len(ids), workplace.batch_size):
        batch = images.batch(ids[start : start + workplace.batch_size]).to(workplace.device)
        with torch.no_grad():
            z = readout.top(readout.bottom(batch.images))
        found.append(torch.cat([network.logits(batch.images, batch.ids), z], 1).cpu())
    return torch.cat(found)


def row(hardness, data, seed, provider, splits):
    """Accuracy and areas under the curve on every split."""
    train, test = ImageSet(data, "train"), ImageSet(data, "test")
    plan = TrainingPlan(SmallCnn(), CrossEntropy(), TRAINING, train, test, seed, 20)
    joint = hardness.companion() is not None
    recipe = hardness.classifier_weights(plan) if joint else TrainedWeights(plan)
    cells = []
    for split in splits:
        images = ImageSet(data, split)
        made = outputs(hardness, recipe, provider, images)
        wrong = made[:, :-1].argmax(1) != data.labels(images.ids())
        aucs = mistake_aucs(made, wrong)
        accuracy = 1 - float(wrong.double().mean())
        cells.append(" ".join(f"{value:.3f}" for value in (accuracy, *aucs.values())))
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--train", type=int, default=6000, help="training images")
    parser.add_argument("--settings", nargs="+", default=["joint", "frozen"])
    parser.add_argument("--losses", nargs="+", default=["bce", "linear"])
    parser.add_argument("--trunks", nargs="+", default=["copied", "shared"])
    parser.add_argument("--splits", nargs="+", default=["test", "shifted"])
    parser.add_argument("--plain", action="store_true", help="without the confounded data set")
    parser.add_argument("--store", default="xbench-store")
    given = parser.parse_args()
    workplace = LocalWorkplace(torch.device("cpu"), 64, Path(given.store) / "scratch")
    provider = Provider(Store(given.store), workplace)
    names = [f"{split}: accuracy hardness hesitancy entropy" for split in given.splits]
    print(f"| confounded | seed | setting | loss | trunk | {' | '.join(names)} |")
    print(f"|{'---|' * (5 + len(names))}")
    for seed, confounded in itertools.product(given.seeds, (False, True)):
        if confounded and given.plain:
            continue
        data = birds(given.train, confounded=confounded)
        for kind in itertools.product(given.settings, given.losses, given.trunks):
            setting, loss, trunk = kind
            hardness = Hardness(loss=loss, setting=setting, trunk=trunk)
            cells = [confounded, seed, *kind, *row(hardness, data, seed, provider, given.splits)]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
