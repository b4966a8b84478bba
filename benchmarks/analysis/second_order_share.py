"""How large the second-order term of eq. (2) is beside the first, by the depth of the cut.

python benchmarks/analysis/second_order_share.py STORE BENCHMARK SEED LAYER…

takes the benchmark's classifier of the first repeat, cuts it at each layer, and prints for
its five most probable classes on the 50 hardest images the mean |second term| over the mean
|first term|, and the mean |u_k − ū| of the classes (gradient × activation of their logits).
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from xbench import (
    LocalWorkplace,
    Provider,
    Readout,
    Registry,
    Store,
    load_benchmark,
    weights_recipe,
)
from xbench_deliberative.attributions.differentiability import evaluated
from xbench_deliberative.attributions.gradient_hessian import closed_form
from xbench_deliberative.explanations.explainer import most_probable
from xbench_deliberative.kernels.gradients import gradient_times_activation
from xbench_deliberative.readouts import ClassProbabilities


def main(url: str, name: str, seed: str, *layers: str) -> None:
    """Print one line for each layer."""
    benchmark = load_benchmark(
        name, Registry(third_party=False), changes={"seed": int(seed), "weights": "", "repeats": 3}
    )
    workplace = LocalWorkplace(torch.device("cpu"), 32, Path(url) / "scratch")
    provider = Provider(Store(url), workplace)
    entry = next(benchmark.entries(benchmark.lines[0]))
    artefacts = provider.all(benchmark.protocol.artefacts(entry))
    ids = [case.id for case in benchmark.protocol.cases(entry, artefacts)[:50]]
    images = entry.datasets["test"].batch(ids).images
    weights = provider.one(weights_recipe(entry))
    for layer in layers:
        network = workplace.network(replace(entry.classifier, layer=layer), weights)
        print(f"{layer:24}", *shares(network, images))


def shares(network, images: torch.Tensor) -> list[str]:
    """The grid, the share of the second term, and how far logits move along a location."""
    activations = network.activations(images)
    classes = most_probable(network.logits(images), 5)
    readout = Readout(network.bottom, network.top, ClassProbabilities(classes))
    at = evaluated(readout, activations)
    terms = closed_form(readout, at, 0.0)
    moves = gradient_times_activation(at.logits, at.point).detach().double()
    mean = torch.einsum("nk,nkij->nij", at.logits.detach().double().softmax(1), moves)
    listed = moves.gather(1, classes[:, :, None, None].expand(-1, -1, *moves.shape[-2:]))
    share = float((terms.curvature / 2).abs().mean() / terms.first.abs().mean())
    moved = float((listed - mean[:, None]).abs().mean())
    grid = "×".join(map(str, activations.shape[1:]))
    return [grid, f"second / first {100 * share:.1f} %,", f"mean |u − ū| {moved:.3f}"]


if __name__ == "__main__":
    main(*sys.argv[1:])
