"""The five maps of "Guess the wrong label" of photographs that SqueezeNet takes for something else.

python benchmarks/analysis/five_maps.py PHOTOGRAPHS WEIGHTS FOLDER [COUNT [PROCESSES]]

Of the photographs that the network gets wrong COUNT (40) are taken, evenly spread, and each gets
a picture in FOLDER: the photograph under its class, and maps of the class that the network
predicts: extremal perturbation at areas of .2, .4 and .5, Grad-CAM, and SmoothGrad's sizes. Each
of PROCESSES (2) takes its share on one thread. PHOTOGRAPHS holds ImageNet or a sample of it, as
the dataset `imagenet` reads them. Prints the seconds
that each method worked, which other programs on the machine hardly change, and those in all.
"""

import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch

from xbench import Batch, Explainer, ImageSet, Network, Transform, generator
from xbench.figures import save_figure
from xbench.networks import cut_classifier, load_state, read_state
from xbench_datasets.imagenet.dataset import Imagenet
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.extremal.explainer import ExtremalPerturbation
from xbench_saliency.gradients.smooth_grad import SmoothGrad
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.side_by_side import side_by_side
from xbench_zoo.torchvision_models import Torchvision

EXTREMAL = ExtremalPerturbation(areas=(0.2, 0.4, 0.5), channels_last=True)
OTHERS: dict[str, Explainer] = {
    "Grad-CAM": GradCam(),
    "SmoothGrad": SmoothGrad(channels="abs-sum"),
}
BATCH = 8
SHOWN = 0.99
"""From this quantile on maps have their full colour: a few pixels of SmoothGrad hide all others."""


def main(folder: str, weights: str, out: str, count: str = "40", processes: str = "2") -> None:
    """Find the mistakes, explain them in all processes, print what it took."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    mistakes, photographs = mistakes_of(squeezenet(weights), photographs_of(folder))
    searched = time.perf_counter() - start
    chosen = [mistakes[k * len(mistakes) // int(count)] for k in range(int(count))]
    shares = [chosen[k :: int(processes)] for k in range(int(processes))]
    Path(out).mkdir(parents=True, exist_ok=True)
    explained = partial(explain, folder, weights, out)
    spawned = multiprocessing.get_context("spawn")  # a fork would lose torch's threads
    with ProcessPoolExecutor(len(shares), spawned) as pool:
        costs = list(pool.map(explained, shares))
    total = time.perf_counter() - start
    print(f"{len(mistakes)} mistakes in {photographs} photographs, found in {searched:.0f} s")
    for name, seconds in sum(costs, Counter()).items():
        print(f"{name}: {seconds / len(chosen):.2f} s of a processor for a photograph")
    busy = sum(map(Counter.total, costs)) / len(shares)
    print(f"{len(chosen)} photographs, {len(shares)} processes: {total:.0f} s in all, ", end="")
    print(f"of which each process worked {busy:.0f} s")


def squeezenet(weights: str) -> Network:
    classifier = Torchvision("squeezenet1_1", weights=weights)
    module = classifier.module(1000)
    load_state(module, read_state(weights), weights)
    return cut_classifier(classifier, module.eval(), 1000)


def photographs_of(folder: str) -> ImageSet:
    return ImageSet(Imagenet(folder), "val", Transform(resize=256, crop=224))


def mistakes_of(network: Network, images: ImageSet) -> tuple[list[int], int]:
    """The ids of photographs whose most probable class is not theirs, and how many were seen."""
    ids, wrong = images.ids(), []
    for start in range(0, len(ids), BATCH):
        batch = images.batch(ids[start : start + BATCH])
        missed = network.logits(batch.images).argmax(1) != batch.known_labels()
        wrong += [image for image, miss in zip(batch.ids, missed.tolist(), strict=True) if miss]
    return wrong, len(ids)


def explain(folder: str, weights: str, out: str, ids: list[int]) -> Counter:
    """One picture of each photograph; the seconds that a processor worked for each method."""
    torch.set_num_threads(1)
    network, images, seconds = squeezenet(weights), photographs_of(folder), Counter[str]()
    names = images.dataset.class_names()
    for image in ids:
        batch = images.batch([image])
        maps = five_maps(network, batch, seconds)
        start, label = time.process_time(), names[int(batch.known_labels()[0])]
        figure = side_by_side(batch.images[0], maps, names, columns=6, title=label, quantile=SHOWN)
        taken = names[next(iter(maps.values())).label]
        stem = f"{image:05d} {label} taken for {taken}".replace(" ", "-").replace("/", "-")
        save_figure(figure, Path(out) / f"{stem}.png", title=f"{label}, taken for {taken}")
        seconds["picture"] += time.process_time() - start
    return seconds


def five_maps(network: Network, batch: Batch, seconds: Counter) -> dict[str, SaliencyMap]:
    """The maps of one photograph by name: a mask of each area, then the other methods'."""
    whole = timed("extremal perturbation", EXTREMAL, network, batch, seconds)
    assert whole.raw is not None
    maps = {
        f"extremal, {area:.0%}": SaliencyMap(mask, whole.label, whole.probability, whole.size)
        for area, mask in zip(EXTREMAL.areas, whole.raw, strict=True)
    }
    for name, explainer in OTHERS.items():
        maps[name] = timed(name, explainer, network, batch, seconds)
    return maps


def timed(
    name: str, explainer: Explainer, network: Network, batch: Batch, seconds: Counter
) -> SaliencyMap:
    start = time.process_time()
    (saliency,) = explainer.explain(network, batch, {}, generator(0), {})
    seconds[name] += time.process_time() - start
    assert isinstance(saliency, SaliencyMap)
    return saliency


if __name__ == "__main__":
    main(*sys.argv[1:])
