"""What the number of threads and the batch size of an evaluation do to logits, rows and scores.

python benchmarks/analysis/threads_and_batches.py FOLDER [IMAGES]

evaluates the default benchmark on its first reference network and the first of its 600 hardest
images (600: all), with each number of threads and each batch size, into a store of its own below
the new FOLDER, and prints what differs from one thread and batches of 32: logits, relative to the
largest; rows in any bit, and in more than the strength of an insecurity; the records' mean scores.
"""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import torch

from xbench import (
    LocalExecutor,
    LocalWorkplace,
    Provider,
    Record,
    Registry,
    RunOptions,
    Store,
    load_benchmark,
    run_benchmark,
    weights_recipe,
)


class Setting(NamedTuple):
    """How an evaluation is done."""

    threads: int
    batch_size: int


class Evaluation(NamedTuple):
    """What came of it."""

    logits: torch.Tensor
    rows: list[dict[str, str]]
    scores: list[float]


REFERENCE = Setting(1, 32)
CHANGES = {"repeats": 1, "protocol": {"images": 600}}
OTHERS = Setting(1, 7), Setting(2, 32), Setting(2, 7)


def main(folder: str, images: str = "600") -> None:
    """Print one line for each setting."""
    stores = {
        setting: Path(folder) / "-".join(map(str, setting)) for setting in (REFERENCE, *OTHERS)
    }
    reference = evaluation(stores[REFERENCE], REFERENCE, int(images))
    logits, rows, scores = reference
    print(f"{len(logits)} images, {len(rows)} rows, {len(scores)} scores")
    for setting in OTHERS:
        shutil.copytree(stores[REFERENCE] / "artefacts", stores[setting] / "artefacts")
        other = evaluation(stores[setting], setting, int(images))
        print(
            f"{setting.threads} threads, batches of {setting.batch_size}:",
            *differences(reference, other),
        )


def evaluation(store: Path, setting: Setting, images: int) -> Evaluation:
    """Run the default benchmark on its first images with this setting."""
    torch.set_num_threads(setting.threads)
    workplace = LocalWorkplace(torch.device("cpu"), setting.batch_size, store / "scratch")
    benchmark = load_benchmark("default", Registry(third_party=False), changes=CHANGES)
    options = RunOptions(limit=images, keep=False)
    records = run_benchmark(benchmark, Store(str(store)), LocalExecutor(), workplace, options)
    logits = first_logits(benchmark, Provider(Store(str(store)), workplace), images)
    return Evaluation(logits, stored_rows(store), mean_scores(records))


def first_logits(benchmark, provider: Provider, images: int) -> torch.Tensor:
    """Of the images that were evaluated, in batches of the workplace's size."""
    entry = next(benchmark.entries(benchmark.lines[0]))
    cases = benchmark.protocol.cases(entry, provider.all(benchmark.protocol.artefacts(entry)))
    workplace, test = provider.workplace, entry.datasets["test"]
    network = workplace.network(entry.classifier, provider.one(weights_recipe(entry)))
    ids = [case.id for case in cases[:images]]
    with torch.no_grad():
        batches = torch.tensor(ids).split(workplace.batch_size)
        return torch.cat([network.logits(test.batch(some.tolist()).images) for some in batches])


def stored_rows(store: Path) -> list[dict[str, str]]:
    """All rows, each value as text that has all its digits; keys hold neither setting."""
    tables = [pq.read_table(path) for path in sorted((store / "rows").glob("*.parquet"))]
    return [
        {name: repr(value) for name, value in row.items()}
        for table in tables
        for row in table.to_pylist()
    ]


def mean_scores(records: list[Record]) -> list[float]:
    """Every score of every record, in one order."""
    return [score.value for record in records for score in record.scores]


def differences(one: Evaluation, other: Evaluation) -> list[str]:
    """The largest differences, in words."""
    logits = float((one.logits - other.logits).abs().max() / one.logits.abs().max())
    pairs = list(zip(one.rows, other.rows, strict=True))
    differ = sum(a != b for a, b in pairs)
    beyond = sum({**a, "strength": ""} != {**b, "strength": ""} for a, b in pairs)
    scores = max(abs(a - b) for a, b in zip(one.scores, other.scores, strict=True))
    return [
        f"logits {logits:.1e},",
        f"{differ} rows differ, {beyond} in more than the strength,",
        f"scores {scores:.1e}",
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
