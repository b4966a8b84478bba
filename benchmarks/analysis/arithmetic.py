"""How far the scores of one benchmark differ between threads, instruction sets and versions.

    python benchmarks/analysis/arithmetic.py FOLDER [--limit N] [--python OTHER/bin/python …]

runs the default benchmark, on its reference networks, in processes of their own, each with a
store below the new FOLDER, and prints a Markdown table of what differs from one thread with
all instructions of this processor: the largest difference of a mean, over all entries and
headline scores; the share of cases that lie within 0.02 of each other; the largest difference
of a case; how many cases are equal in every bit. `--python` names interpreters with another torch.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from xbench import read_record_file

WITHIN = 0.02
ONE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
SETTINGS = {
    "one thread": ONE,
    "one thread, again": ONE,
    "two threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
    "AVX2 at most": {**ONE, "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "no AVX": {**ONE, "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41"},
    "MKL compatible": {**ONE, "MKL_CBWR": "COMPATIBLE"},
}
"""Environment of each process; the first is what the others are compared with."""


class Apart(NamedTuple):
    """How far two runs of one entry lie apart, in one headline score."""

    mean: float
    within: int
    largest: float
    equal: int
    cases: int


def main():
    """Run and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, help="cases of each entry and network")
    parser.add_argument("--python", action="append", default=[], help="another interpreter")
    asked = parser.parse_args()
    runs = {name: (sys.executable, settings) for name, settings in SETTINGS.items()}
    runs |= {f"torch {version(python)}": (python, ONE) for python in asked.python}
    found = {name: run(asked.folder, name, *how, asked.limit) for name, how in runs.items()}
    base = found.pop("one thread")
    print("| | Δ mean, at most | cases within .02 | Δ case, at most | cases equal in every bit |")
    print("|---|---:|---:|---:|---:|")
    for name, scores in found.items():
        print(row(name, [apart(base[key], scores[key]) for key in base]))


def version(python):
    """The torch of another interpreter."""
    told = [python, "-c", "import torch; print(torch.__version__)"]
    return subprocess.run(told, check=True, capture_output=True, text=True).stdout.strip()


def run(folder, name, python, settings, limit):
    """The headline scores of all entries, by label and score: a value for each case."""
    store = folder / name.replace(" ", "-").replace(",", "")
    if not store.exists():
        chosen = ["--store", str(store), "--quiet", *(["--limit", str(limit)] if limit else [])]
        environment = {**os.environ, **settings, "XBENCH_HOME": str(store / "home")}
        command = [python, "-m", "xbench", "run", *chosen]
        subprocess.run(command, check=True, env=environment, capture_output=True)
    return dict(scores_in(store))


def scores_in(store):
    """Each record's headline scores."""
    for path in sorted((store / "records").rglob("*.json")):
        record = read_record_file(path)
        table = pq.read_table(store / record.scores_file.path)
        names = np.array(table["score"].to_pylist())
        cases = np.array(table["case"].to_pylist()), np.array(table["repeat"].to_pylist())
        for score in record.scores:
            if score.headline:
                rows = names == score.name
                values = table["value"].to_numpy()[rows]
                keys = zip(*(column[rows] for column in cases), strict=True)
                yield (record.label, score.name), dict(zip(keys, values, strict=True))


def apart(one, two):
    """What differs between two runs; a case that only one of them has counts as far apart."""
    keys = sorted({*one, *two})
    a, b = (np.array([of.get(key, np.inf) for key in keys]) for of in (one, two))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        far = np.where(same, 0.0, np.nan_to_num(np.abs(a - b), nan=np.inf))
    means = [np.nanmean(np.where(np.isinf(of), np.nan, of)) for of in (a, b)]
    within = int((far <= WITHIN).sum())
    return Apart(abs(means[0] - means[1]), within, far.max(), int(same.sum()), len(keys))


def row(name, found):
    """A row over all entries and scores."""
    cases = sum(of.cases for of in found)
    within, equal = (sum(getattr(of, field) for of in found) for field in ("within", "equal"))
    cells = (
        f"{max(of.mean for of in found):.1e}",
        f"{within / cases:.2%}",
        f"{max(of.largest for of in found):.3f}",
        f"{equal / cases:.2%}",
    )
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
