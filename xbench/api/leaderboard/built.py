"""The entry of a submission, built again: what a check evaluates, and the only part that runs it.

Everything before it reads files. From here on the code of the entry's components runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from xbench.api.leaderboard.trees import same
from xbench.api.leaderboard.weights import is_given, matching_line, network_of
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.components.registry import Registry
from xbench.components.specification import Builder, plain_table
from xbench.errors import SubmissionError, UsageError
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Workplace
from xbench.results.board.submission import Submission
from xbench.results.record import Record
from xbench.results.stored.rebuilt import specified
from xbench.running.outcome import components_of


def entry_alone(
    submission: Submission, benchmark: Benchmark, registry: Registry, workplace: Workplace
) -> Benchmark:
    """The benchmark with the submission's entry as its only one, under the record's label.

    `SubmissionError` where that cannot be built: it names the distribution that is missing, or
    what is not as the record has it.
    """
    record, name = submission.record, submission.manifest.name
    if benchmark.protocol.relative:
        raise SubmissionError(
            f"{name!r} cannot be run again alone: its scores depend on what it is compared with; "
            "leave --rerun and --fresh out"
        )
    own = next((line for line in benchmark.lines if _is_of(line, record, benchmark)), None)
    if own is None:
        own = _built(submission, benchmark, registry, workplace)
    line = replace(own, label=record.label, role=record.role)
    return _alone(benchmark, line, record)


def _is_of(line: Line, record: Record, benchmark: Benchmark) -> bool:
    """Whether the record's components are those of the line.

    Of a network that is not trained it does not matter which file it came from: its weights are
    compared when it was run.
    """
    ours, theirs = components_of(next(benchmark.entries(line))), record.components
    if is_given(line):
        ours, theirs = ({**of, **network_of(of)} for of in (ours, theirs))
    return same(ours, theirs)


def _alone(benchmark: Benchmark, line: Line, record: Record) -> Benchmark:
    """The benchmark with one line; where none is pinned, in the repeats of the record."""
    members = tuple(of for of in benchmark.lines if of.label in line.ensemble)
    companion = benchmark.companion or (line.explainer and line.explainer.companion()) or None
    alone = replace(
        benchmark, lines=(line, *members), contrasts=(), published=None, companion=companion
    )
    if line.weights:
        return alone
    first, repeats = min(record.seeds), len(record.seeds)
    if record.seeds != list(range(first, first + repeats)):
        raise SubmissionError(
            f"{record.label!r} cannot be run again: its seeds {record.seeds} do not follow each "
            "other; leave --rerun and --fresh out"
        )
    return replace(alone, seed=first, repeats=repeats)


def _built(
    submission: Submission, benchmark: Benchmark, registry: Registry, workplace: Workplace
) -> Line:
    """A line of the record's components, with the benchmark's networks where these are pinned."""
    record = submission.record
    trees = record.components
    if any(name.startswith("member ") for name in trees):
        message = f"{submission.manifest.name!r} is an ensemble, and none of the benchmark's own"
        raise SubmissionError(f"{message}; leave --rerun and --fresh out")
    _check_installed(submission, registry)
    line = matching_line(record, benchmark, workplace)
    kinds = ("explainer",) if line else ("explainer", "classifier", "loss", "training")
    whole = f"{submission.manifest.name!r} cannot be built from its record"
    try:
        parts = {kind: _part(kind, trees[kind], registry) for kind in kinds if kind in trees}
    except Exception as error:  # whatever the code of a component raises
        raise SubmissionError(f"{whole}: {error}; leave --rerun and --fresh out") from error
    line = line or replace(benchmark.lines[0], weights=())
    made = replace(line, **{"explainer": None, **parts}, cell={}, ensemble=())
    if not _is_of(made, record, benchmark):
        raise SubmissionError(
            f"{whole}: with what is installed its components are others, in a version, a parameter "
            "or a file of their own; install what the record names, or leave these checks out"
        )
    return made


def _part(kind: str, tree: Any, registry: Registry) -> Any:
    """A component, or how networks are trained, as a record tells of it."""
    if kind == "training":
        return plain_table(Training, specified(tree), kind)
    return Builder(registry).build(kind, specified(tree))


def _check_installed(submission: Submission, registry: Registry) -> None:
    """Raise `SubmissionError` that names the distribution of a component that is not here."""
    for tree in components(submission.record.components):
        kind, name = str(tree["kind"]), str(tree["name"])
        if kind in registry.kinds and name not in registry.names(kind):
            of, said = tree.get("distribution"), submission.manifest.links.plugin
            linked = f" (the submission links {said})" if said and said != of else ""
            raise SubmissionError(
                f"{kind} {name!r} of {submission.manifest.name!r} is not installed; install the "
                f"distribution {of!r}{linked}, whose code then runs here, or leave --rerun and "
                "--fresh out"
            )


def components(tree: Any) -> Iterator[Mapping[str, Any]]:
    """The trees of all components within a tree of a record."""
    if isinstance(tree, Mapping):
        if {"kind", "name", "parameters"} <= tree.keys():
            yield tree
        yield from (of for inner in tree.values() for of in components(inner))
    elif isinstance(tree, list):
        yield from (of for inner in tree for of in components(inner))


def notices(submission: Submission, registry: Registry) -> list[str]:
    """What is to be known before the entry's code runs: whose it is, and in which version."""
    found: dict[str, str] = {}
    for tree in components(submission.record.components):
        kind, name = str(tree["kind"]), str(tree["name"])
        if kind in registry.kinds and name in registry.names(kind):
            try:
                claim = registry.claim(kind, name)
            except UsageError:
                continue
            given = f"{tree.get('distribution')} {tree.get('distribution_version')}"
            here = f"{claim.distribution} {claim.version}"
            if given != here:
                found[given] = f"the record is of {given}; {here} is installed"
    return list(found.values())
