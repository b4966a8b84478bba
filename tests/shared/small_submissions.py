"""An entry as it is submitted: scores that are made up, and a record that follows from them."""

from dataclasses import asdict

import numpy as np
import pyarrow as pa

from named_cases import named
from xbench import (
    CaseScores,
    Draws,
    IntervalRecord,
    Record,
    Resampling,
    ScoreRecord,
    fingerprint,
    summarised,
)

PLAN = Resampling(resamples=30)
COUNT, REPEATS = 12, 2
FIELDS = {
    "name": "my-method",
    "licence": "CC-BY-4.0",
    "contact": "Ada Lovelace, ada@example.org",
    "links": {
        "paper": "https://example.org/paper.pdf",
        "code": "https://example.org/code",
        "plugin": "xbench-mine",
    },
    "declarations": {
        "uses_annotations": False,
        "uses_labels": False,
        "tuned_on": ["validation"],
        "configurations_tried": 3,
        "extra_training_data": "none",
    },
    "supersedes": None,
    "made": "2026-05-01",
}
"""What a submitter says."""


def made_up(seed=0, repeats=REPEATS, count=COUNT):
    """Two scores in each repeat: a share that ranks, and a number that some cases lack."""
    source = np.random.default_rng(seed)
    cases = named(range(2000000, 2000000 + count))
    return [
        [
            CaseScores("hits", "higher", cases, source.random(count), headline=True, chance=0.25),
            CaseScores("size", "lower", cases, _sizes(source, count), unit="number"),
        ]
        for _ in range(repeats)
    ]


def _sizes(source, count):
    return np.where(source.random(count) < 0.2, np.nan, source.normal(size=count))


def table_of(scores):
    """The scores of all repeats, case by case."""
    rows = [
        {"case": case, "cluster": case, "repeat": repeat, "score": of.name, "value": value}
        for repeat, of_repeat in enumerate(scores)
        for of in of_repeat
        for case, value in zip(of.cases, of.values, strict=True)
    ]
    names = pa.dictionary(pa.int32(), pa.string())
    types = {"case": names, "cluster": names, "repeat": pa.int32(), "score": names}
    schema = pa.schema({**types, "value": pa.float64()})
    return pa.Table.from_pylist(rows, schema)


def record_of(scores, **changes):
    """A complete record of these scores; its key is that of its rows."""
    rows = changes.get("rows", [[f"{repeat:032x}"] for repeat in range(len(scores))])
    key = fingerprint({"benchmark": "made", "version": "1", "shards": rows})
    if changes.get("compared_set"):
        key = fingerprint([key, changes["compared_set"]])
    usual = {
        "status": "complete",
        "benchmark": "made",
        "benchmark_version": "1",
        "label": "my method",
        "role": "entry",
        "key": key,
        "protocol": {"kind": "protocol", "name": "hits", "version": "1", "parameters": {}},
        "components": {"explainer": {"name": "mine", "parameters": {"top": 3, "of": ["a", "b"]}}},
        "datasets": {"test": {"split": "test", "fingerprint": "a" * 32}},
        "seeds": list(range(len(scores))),
        "cases": len(scores[0][0].cases),
        "limited_to": None,
        "artefacts": [{"weights": "b" * 32} for _ in scores],
        "artefact_facts": [{"key": "b" * 32, "summary": ["7 epochs, accuracy 87.1% on 'test'"]}],
        "rows": rows,
        "kept": ["explanations/insecurities/130f89bca65ede750a74c2d453d766e6"],
        "scores": score_records(scores),
        "differences": [],
        "intervals": IntervalRecord(**asdict(PLAN)),
        "notes": {"images": 12},
        "cost": {"passes": {"forward": 24}, "peak_memory_mib": 1.5},
        "times": {"finished": "2026-05-01T12:00:00+00:00"},
        "git": {"commit": "c" * 40, "dirty": False},
        "packages": {"torch": "2.6.0"},
        "python": "3.11.7",
        "platform": "Linux x86_64",
        "device": "cpu",
    }
    return Record(**{**usual, **changes})


def score_records(scores):
    """What follows from the cases; the first score ranks."""
    draws, records = Draws(PLAN), []
    for of_repeats in zip(*scores, strict=True):
        fields = asdict(summarised(of_repeats, PLAN, draws))
        records.append(ScoreRecord(ranking=not records, **_without_nan(fields)))
    return records


def _without_nan(fields):
    return {name: None if value != value else value for name, value in fields.items()}  # noqa: PLR0124
