"""What the reference networks of benchmarks get right, and which classes they confuse.

    python benchmarks/analysis/reference_networks.py [BENCHMARK …]

prints a Markdown table with a row for each network that a benchmark pins (the default benchmark,
and one of the ablations that pin classifiers with a predictor): accuracy on the test split, the
share of its mistakes within the genus, and the pairs (true class → answer) it confuses most often.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import torch

from xbench import LocalWorkplace, Provider, Store, load_benchmark, weights_recipe

BENCHMARKS = ("default", "deliberative-difficulty-toybirds")
SHOWN = 4


def answers(entry, provider):
    """Labels and answers on the test split."""
    images = entry.datasets["test"]
    workplace, ids = provider.workplace, images.ids()
    network = workplace.network(entry.classifier, provider.one(weights_recipe(entry)))
    found = []
    for start in range(0, len(ids), workplace.batch_size):
        batch = images.batch(ids[start : start + workplace.batch_size])
        found.append(network.logits(batch.images, batch.ids).argmax(1))
    return images.dataset.labels(ids), torch.cat(found)


def row(entry, provider):
    """A row of the table."""
    labels, found = answers(entry, provider)
    wrong = labels != found
    dataset = entry.datasets["test"].dataset
    names, genera = dataset.class_names(), [of[0] for of in dataset.class_ancestors()]
    pairs = [(int(a), int(b)) for a, b in zip(labels[wrong], found[wrong], strict=True)]
    near = sum(genera[a] == genera[b] for a, b in pairs)
    confused = (f"{names[a]} → {names[b]} ({n})" for (a, b), n in Counter(pairs).most_common(SHOWN))
    right = float((~wrong).double().mean())
    cells = entry.classifier.name, entry.seed, f"{right:.1%}", f"{near} of {len(pairs)}"
    return f"| {' | '.join(map(str, cells))} | {', '.join(confused)} |"


def main(*benchmarks):
    """Print the table."""
    print("| network | seed | accuracy | mistakes within the genus | most frequent mistakes |")
    print("|---|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        workplace = LocalWorkplace(torch.device("cpu"), 64, Path(folder))
        provider = Provider(Store(folder), workplace)
        for name in benchmarks or BENCHMARKS:
            benchmark = load_benchmark(name)
            for entry in benchmark.entries(benchmark.lines[0]):
                print(row(entry, provider))


if __name__ == "__main__":
    main(*sys.argv[1:])
