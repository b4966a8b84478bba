"""Entries of a board, made up and never written to a disk."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from named_cases import named
from small_submissions import FIELDS, record_of, table_of
from xbench import CaseScores
from xbench.results.board.events import FreshCheck
from xbench.results.board.history import BoardEntry
from xbench.results.board.standings.submitted import Submitted
from xbench.results.board.submission import Manifest, Submission
from xbench.results.record import HeadingRecord, TimesRecord, WeightsRecord

DECLARED = FIELDS["declarations"]
TUNED = {"tuned_on": ["test"]}
FRESH = FreshCheck(
    seed=1, cases=20, score="hits", submitted=0.5, fresh=0.4, drop=0.1, low=-0.05, high=0.25
)


def hits(values, cases=None, *, clusters=None, name="hits", direction="higher", **fields):
    """A score of each repeat, from its values; the cases are numbered unless they are named."""
    values = np.atleast_2d(np.asarray(values, float))
    cases = np.arange(values.shape[1]) if cases is None else np.asarray(cases)
    own = () if clusters is None else (named(np.asarray(clusters), "scene"),)
    return [
        [CaseScores(name, direction, named(cases), row, True, clusters=own, **fields)]
        for row in values
    ]


def weights(*states, reference=True):
    """Weights of each repeat, by what they are."""
    return [[WeightsRecord(name="weights", key="k", state=s, reference=reference)] for s in states]


def entry(name, scores, *, declared=(), superseded=(), fresh=(), added="2026-05-01", **changes):
    """An entry of the board `made`, of these scores; its label is its name unless one is given."""
    repeats = len(scores)
    changes = {
        "label": name,
        "weights": weights(*"abcdefgh"[:repeats]),
        "heading": HeadingRecord(title="Made by hand", case="image", place=0),
        "rows": [[f"{name}-{repeat}"] for repeat in range(repeats)],
        **changes,
    }
    record = record_of(scores, **changes)
    manifest = Manifest(
        **{**FIELDS, "name": name, "declarations": {**DECLARED, **dict(declared)}},
        benchmark="made",
        benchmark_version=record.benchmark_version,
        record_key=record.key,
        files={},
    )
    place = BoardEntry("made", name, record.key, Path("nowhere"), added, superseded, fresh)
    return Submitted(place, Submission(manifest, record, clustered(scores), (), {}))


def clustered(scores):
    """The table of the scores, with clusters where they have some."""
    table = table_of(scores)
    names = [n for of in scores for s in of for n in (s.clusters or (s.cases,))[0]]
    return table.set_column(1, "cluster", pa.DictionaryArray.from_arrays(*_coded(names)))


def _coded(names):
    distinct, places = np.unique(np.asarray(names, str), return_inverse=True)
    return pa.array(places, pa.int32()), pa.array(distinct, pa.string())


def example():
    """The board that docs/ranks.md shows."""
    source = np.random.default_rng(3)
    hard = source.random(400)

    def about(mean, leaves_out=0):
        values = mean + 0.3 * (0.5 - hard) + source.normal(0, 0.3, (3, 400))
        values[:, np.argsort(hard)[400 - leaves_out :]] = np.nan
        return hits(np.clip(values, 0, 1), chance=0.25)

    cost = {"times": TimesRecord(finished="", seconds={"explain": 42.0})}
    return [
        entry("method-a", about(0.63), label="method A", **cost),
        entry("method-b", about(0.62), label="method B", fresh=(FRESH,), **cost),
        entry("method-c", about(0.61), label="method C", **cost),
        entry("method-d", about(0.66, 40), label="method D", declared=TUNED, **cost),
        entry("method-e", about(0.43), label="method E", superseded=("a" * 32,), **cost),
        entry("random", about(0.48), label="random region", role="floor", **cost),
        entry("parts", about(0.95), label="known parts", role="ceiling", **cost),
        entry("method-f", about(0.7), label="method F", weights=weights("x", "y", "z"), **cost),
    ]
