"""How differences between entries depend on how ambiguous toybirds' images truly are.

python benchmarks/analysis/strata.py STORE BENCHMARK BASE

takes the records of a benchmark in a store (`xbench run --benchmark BENCHMARK --store STORE`),
and prints, for thirds of the images by the entropy of the ideal observer's posterior, the
headline score of every entry and its paired difference to the entry BASE.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from xbench import (
    Case,
    CaseScores,
    Record,
    Resampling,
    Store,
    difference,
    read_record_file,
    summarised,
)
from xbench_deliberative.protocol.summary import Scoring, scored
from xbench_toybirds.dataset import Toybirds

SCORING = Scoring(("precision", "recall"), "left-out", "points")
NAMES = ("least", "middle", "most")


def main(url: str, benchmark: str, base: str) -> None:
    """Print one line for each entry and third."""
    store = Store(url)
    scores = {r.label: headlines(store, r) for r in latest(Path(url) / "records" / benchmark)}
    names = {name for of_base in scores[base] for name in of_base.cases}
    entropy = ideal_entropies(sorted(Case.parse(name).id for name in names))
    edges = np.quantile(list(entropy.values()), [1 / 3, 2 / 3])
    for third, name in enumerate(NAMES):
        inside = {case for case, value in entropy.items() if np.searchsorted(edges, value) == third}
        print(f"{name} ambiguous third, {len(inside)} images:")
        ours = [only(s, inside) for s in scores[base]]
        for label, of_label in scores.items():
            theirs = [only(s, inside) for s in of_label]
            print(f"  {label:32}{value(theirs)}{change(label, theirs, base, ours)}")


def latest(folder: Path) -> list[Record]:
    """The newest record of each label."""
    records = map(read_record_file, folder.glob("*.json"))
    return list({r.label: r for r in sorted(records, key=lambda r: r.times.finished)}.values())


def headlines(store: Store, record: Record) -> list[CaseScores]:
    """The headline score by image, for each repeat."""
    tables = [pa.concat_tables([strip(store, key) for key in keys]) for keys in record.rows]
    return [next(s for s in scored(table, SCORING) if s.headline) for table in tables]


def strip(store: Store, key: str) -> pa.Table:
    """The rows of a shard, without what they cost."""
    return store.rows(key).replace_schema_metadata(None)


def ideal_entropies(ids: Sequence[int]) -> Mapping[int, float]:
    """Entropy in nats of the ideal observer's posterior of each image."""
    posterior = Toybirds().class_posterior(ids).numpy()
    entropy = -np.where(posterior > 0, posterior * np.log(np.maximum(posterior, 1e-300)), 0).sum(1)
    return dict(zip(ids, entropy.tolist(), strict=True))


def only(scores: CaseScores, cases: set[int]) -> CaseScores:
    """The scores of these cases."""
    keep = np.array([Case.parse(name).id in cases for name in scores.cases], bool)
    return replace(scores, cases=scores.cases[keep], values=scores.values[keep])


def value(scores: Sequence[CaseScores]) -> str:
    """The mean with its interval, in per cent."""
    score = summarised(scores, Resampling())
    return f"{100 * score.value:5.1f} [{100 * score.low:.1f}, {100 * score.high:.1f}]"


def change(label: str, of: Sequence[CaseScores], base: str, minus: Sequence[CaseScores]) -> str:
    """The paired difference with its interval, in percentage points."""
    if label == base:
        return ""
    d = difference((label, base), of, minus, Resampling())
    return f"   {100 * d.value:+5.1f} [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"


if __name__ == "__main__":
    main(*sys.argv[1:])
