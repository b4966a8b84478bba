"""A benchmark of seconds with reference networks, and submissions to it."""

import hashlib
import json
import shutil
from dataclasses import asdict

import pyarrow.parquet as pq

from xbench import Draws, Resampling, case_scores, read_record_file, summarised

SMALL = """\
name = "small-board"
extends = "default"
version = "7"
title = "A small board"

[protocol]
images = 30

[dataset]
test = 60

[[entries]]
label = "deliberative"
explainer = { name = "deliberative", preset = "official" }

[[entries]]
label = "known parts, same pair"
role = "ceiling"

[entries.explainer]
name = "known-parts"
of = "@entry"
ground_truth = "@protocol.ground_truth"
smoothing = "@protocol.smoothing"
share = "@protocol.share"
likelihood_ratio = "@protocol.likelihood_ratio"
presence_threshold = "@protocol.presence_threshold"
parts = "@protocol.parts"
overlap = "@protocol.overlap"

[[entries]]
label = "centre prior, same pair"
role = "floor"
explainer = { name = "centre-prior", of = "@entry" }
"""
FLOOR, CEILING = "centre prior, same pair", "known parts, same pair"


def small_benchmark(folder, text=SMALL):
    """The benchmark's file."""
    file = folder / "small-board.toml"
    file.write_text(text)
    return file


def altered(folder, out, *, table=None, said=None, **changes):
    """The submission in another folder, with another record, or with this table of scores."""
    shutil.copytree(folder, out)
    record = read_record_file(out / "record.json").model_copy(update=changes)
    (out / "record.json").write_text(json.dumps(record.model_dump(mode="json")))
    if table is not None:
        bare = table.replace_schema_metadata(None)
        pq.write_table(bare, out / "scores.parquet", compression="zstd")
    manifest = json.loads((out / "submission.json").read_text())
    for name in manifest["files"]:
        data = (out / name).read_bytes()
        stamp = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        manifest["files"][name] = stamp
    (out / "submission.json").write_text(json.dumps({**manifest, **(said or {})}))
    return out


def consistent(record, table):
    """The fields of a record whose scores are those that follow from the table."""
    draws = Draws(Resampling(**record.intervals.model_dump()))
    by_score = zip(*case_scores(table, record), strict=True)
    follow = [asdict(summarised(of, draws.resampling, draws)) for of in by_score]
    kept = ("value", "low", "high", "deviation", "n", "n_unscored", "interval")
    pairs = zip(record.scores, follow, strict=True)
    return {
        "scores": [s.model_copy(update={name: of[name] for name in kept}) for s, of in pairs],
        "differences": [],
    }
