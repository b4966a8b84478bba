"""Measure and draw what second-order attribution costs against the number of classes.

OMP_NUM_THREADS=1 python benchmarks/speed/number_of_classes.py cost.png
"""

import statistics
import sys
import time
from pathlib import Path

import torch

from xbench import Readout, generator
from xbench.figures import chart, legend, look, save_figure
from xbench.networks import cut_module
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.readouts import ClassProbabilities, EvaluatedTop, Joined
from xbench_deliberative.readouts import normalised_entropy as entropy

CLASSES = (200, 1_000, 10_000)
NATS = (2.0, 4.0, None)
"""Entropy of the posterior; None for that of random weights, nearly uniform."""
ROUNDS = 5
COSTS = (0.2, 0.5, 1, 2, 5)
"""Where the cost axis has ticks."""


def network_of(classes: int, images: torch.Tensor, nats: float | None):
    """VGG16-BN with random weights, its last layer scaled to the entropy."""
    from torchvision.models import vgg16_bn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = vgg16_bn(weights=None, num_classes=classes).eval()
    if nats is not None:
        with torch.no_grad():
            logits = module(images).double()
            low, high = -40.0, 40.0
            for _ in range(40):
                middle = (low + high) / 2
                shares = (logits * 2**middle).log_softmax(1)
                found = float(-(shares.exp() * shares).sum(1).mean())
                low, high = (middle, high) if found > nats else (low, middle)
            for part in (module.classifier[-1].weight, module.classifier[-1].bias):
                part.mul_(2**low)
    return cut_module(module, classes=classes, size=224)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def costs(classes: int, nats: float | None) -> dict[str, float]:
    """Median ratio to a forward pass, measured in turn with it, and how many classes are kept."""
    images = torch.rand(1, 3, 224, 224, generator=generator("images"))
    network = network_of(classes, images, nats)
    top = EvaluatedTop(network.top, network.activations(images))
    ranked = top.logits.detach().softmax(1).sort(1, descending=True)
    link = Joined((ClassProbabilities(ranked.indices[:, :5]), entropy))
    readout = Readout(network.bottom, top, link)
    found = {"kept": float((ranked.values.cumsum(1) < 1 - GradientHessian().left_out).sum()) + 1}
    for attribution in (Gradient(), GradientHessian()):
        work = lambda one=attribution: one.attribute(readout, top.point, images)  # noqa: E731
        work()
        network.logits(images)
        pairs = [seconds(work) / seconds(lambda: network.logits(images)) for _ in range(ROUNDS)]
        found[attribution.name] = statistics.median(pairs)
    return found


def draw(table: dict[tuple[int, float | None], dict[str, float]], path: str) -> None:
    """Both costs against the number of classes, on logarithmic axes."""
    figure, axes = chart("classes", "cost in forward passes of VGG16-BN")
    for place, nats in enumerate(NATS):
        label = "random weights" if nats is None else f"{nats:g} nats"
        line = [table[classes, nats]["gradient-hessian"] for classes in CLASSES]
        axes.loglog(
            CLASSES, line, label=f"gradient-hessian, {label}", **look("entry", place).line()
        )
    first = [table[classes, NATS[0]]["gradient"] for classes in CLASSES]
    axes.loglog(CLASSES, first, label="gradient", **look("floor", 0).line())
    axes.set_xticks(CLASSES, [f"{count:,}" for count in CLASSES], minor=False)
    axes.set_xticks([], minor=True)
    axes.set_yticks(COSTS, [f"{cost:g}" for cost in COSTS])
    axes.set_yticks([], minor=True)
    legend(figure, axes, below=True)
    save_figure(figure, Path(path), dots=150)


def main() -> None:
    """Print the table, draw it where the command line says."""
    torch.set_num_threads(1)
    table = {}
    print("classes  entropy  kept  gradient  gradient-hessian")
    for classes in CLASSES:
        for nats in NATS:
            found = table[classes, nats] = costs(classes, nats)
            label = "random" if nats is None else f"{nats:g}"
            print(
                f"{classes:7} {label:>8} {found['kept']:5.0f} {found['gradient']:9.2f} "
                f"{found['gradient-hessian']:17.2f}",
                flush=True,
            )
    draw(table, sys.argv[1])


if __name__ == "__main__":
    main()
