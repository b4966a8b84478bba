"""Submissions against the benchmark that is installed: version, protocol, images and weights."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import declared
from xbench.benchmark.lines import Line
from xbench.components.registry import Registry
from xbench.errors import SubmissionError, UnknownNameError
from xbench.interfaces.component import Tree, fingerprint
from xbench.interfaces.data.case import Case
from xbench.interfaces.protocol import Entry
from xbench.interfaces.workplace import Workplace
from xbench.results.board.submission import Submission
from xbench.results.record import Record
from xbench.training.pinned_weights import PinnedWeights

PARAMETERS = "parameters"
States = Mapping[str, str]
"""Hashes of weights, by the names under which a protocol declares them."""


def benchmark_of(submission: Submission, file: Path | None, registry: Registry) -> Benchmark:
    """The benchmark that the submission is of, in its variants: the installed one, or a file's.

    `SubmissionError`, or `UnknownNameError`, where it is not there, or of another version.
    """
    name, version = submission.manifest.benchmark, submission.manifest.benchmark_version
    known = registry.names("benchmark")
    if file is None and name not in known:
        hint = "Install what brings it, or name its file: --benchmark-file FILE."
        raise UnknownNameError("benchmark of the submission", name, known, hint)
    heading = submission.record.heading
    variants = tuple(heading.variants) if heading else ()
    path = file or registry.get("benchmark", name)
    tree = declared(path, None, variants, None, [], registry=registry)
    if tree["name"] != name:
        message = f"the submission is of benchmark {name!r}, and {file} is {tree['name']!r}"
        raise SubmissionError(f"{message}; name the file of {name!r}")
    if str(tree["version"]) != version.partition("+")[0]:
        raise SubmissionError(
            f"the submission is of version {version} of benchmark {name!r}, and version "
            f"{tree['version']} is installed; run it again with that, or check it with the xbench "
            "that has the other"
        )
    return assemble(tree, registry)


def check_declared(submission: Submission, benchmark: Benchmark, workplace: Workplace) -> None:
    """Raise `SubmissionError` unless the record is of just what the benchmark declares."""
    found = list(_faults(submission.record, benchmark, workplace))
    if found:
        name, again = submission.manifest.name, f"xbench run --benchmark {benchmark.name}"
        way_out = f"run the entry in the benchmark as it is ({again}), and submit it again"
        raise SubmissionError(f"submission {name!r} is refused: {'; '.join(found)}; {way_out}")


def _faults(record: Record, benchmark: Benchmark, workplace: Workplace) -> Iterator[str]:
    own = benchmark.protocol.tree()
    if not same(record.protocol, own):
        yield f"its protocol is not the benchmark's ({_differing(record.protocol, own)})"
    editions = {_version(benchmark, entry) for entry in _first_entries(benchmark)}
    if record.benchmark_version not in editions:
        measured = record.benchmark_version.partition("+")[2] or "nothing"
        yield f"it was measured with something else than the benchmark is here ({measured})"
    yield from _faults_of_images(record, benchmark)
    yield from _faults_of_weights(record, benchmark, workplace)


def same(one: Any, other: Any) -> bool:
    """Whether trees of components are alike, whichever distributions they came with."""
    return fingerprint(_unversioned(one)) == fingerprint(_unversioned(other))


def _unversioned(tree: Any) -> Any:
    if isinstance(tree, list | tuple):
        return [_unversioned(item) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    kept = {key: value for key, value in tree.items() if key != "distribution_version"}
    return {key: _unversioned(value) for key, value in kept.items()}


def _differing(one: Tree, other: Tree) -> str:
    """The first thing in which two trees differ."""
    names = [str(tree.get("name", "?")) for tree in (one, other)]
    if names[0] != names[1]:
        return f"{names[0]} in the place of {names[1]}"
    ours, theirs = (dict(_leaves(_unversioned(tree))) for tree in (one, other))
    for path in [*ours, *theirs]:
        if ours.get(path) != theirs.get(path):
            return f"{path} is {ours.get(path)!r:.60}, not {theirs.get(path)!r:.60}"
    return "in what they are made of"


def _leaves(tree: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by their paths, parameters first.

    Of a stranger's tree nothing is sure but that it is one.
    """
    if not isinstance(tree, Mapping):
        yield place or "the whole", tree
        return
    for key in sorted(tree, key=lambda key: key != PARAMETERS):
        inner = place if key == PARAMETERS else f"{place}.{key}".strip(".")
        yield from _leaves(tree[key], inner)


def _first_entries(benchmark: Benchmark) -> Iterator[Entry]:
    return (next(benchmark.entries(line)) for line in benchmark.lines)


def _version(benchmark: Benchmark, entry: Entry) -> str:
    edition = benchmark.protocol.edition(entry)
    return f"{benchmark.version}+{edition}" if edition else benchmark.version


def _faults_of_images(record: Record, benchmark: Benchmark) -> Iterator[str]:
    """Whether the image sets are the benchmark's, in what they show and in how it is shown."""
    for role in sorted({*record.datasets, *benchmark.datasets}):
        ours = benchmark.datasets[role].tree() if role in benchmark.datasets else None
        theirs = record.datasets.get(role)
        if ours is None or not isinstance(theirs, Mapping):
            yield f"only one of record and benchmark has images of {role!r}"
        elif not same(ours, theirs):
            yield f"its images of {role!r} are others ({_other_images(theirs, ours)})"


def _other_images(theirs: Mapping[str, Any], ours: Tree) -> str:
    one, two = (tree.get("dataset") for tree in (theirs, ours))
    if isinstance(one, Mapping) and isinstance(two, Mapping) and not same(one, two):
        return f"dataset: {_differing(dict(one), dict(two))}"
    of = [str(tree.get("split")) for tree in (theirs, ours)]
    return f"split {of[0]:.60}, not {of[1]}" if of[0] != of[1] else "another transform"


def _faults_of_weights(record: Record, benchmark: Benchmark, workplace: Workplace) -> Iterator[str]:
    """Whether the record is of the reference networks, where the benchmark has any."""
    by_line = [_reference_states(benchmark, line, workplace) for line in benchmark.lines]
    if any(by_line):
        if not any(states and _of_states(record, states) for states in by_line):
            yield "its networks are not the benchmark's reference networks (their weights differ)"
        seeds = [benchmark.seed + repeat for repeat in range(benchmark.repeats)]
        if record.seeds != seeds:
            yield f"its seeds are {record.seeds}, not {seeds}"


def matching_line(record: Record, benchmark: Benchmark, workplace: Workplace) -> Line | None:
    """The first line of the benchmark whose reference networks the record is of, if one has any."""
    for line in benchmark.lines:
        states = _reference_states(benchmark, line, workplace)
        if states and _of_states(record, states):
            return line
    return None


def _reference_states(benchmark: Benchmark, line: Line, workplace: Workplace) -> tuple[States, ...]:
    """The hashes of a line's pinned weights, of each repeat; () for one that has none."""
    if line.ensemble:
        return ()
    repeats = tuple(_states(benchmark, entry, workplace) for entry in benchmark.entries(line))
    return repeats if all(repeats) else ()


def _states(benchmark: Benchmark, entry: Entry, workplace: Workplace) -> States:
    recipes = benchmark.protocol.artefacts(entry)
    pins = {name: of for name, of in recipes.items() if isinstance(of, PinnedWeights)}
    return {name: str(pin.build({}, workplace).facts["state"]) for name, pin in pins.items()}


def _of_states(record: Record, repeats: Sequence[States]) -> bool:
    """Whether all repeats of a record are of these weights."""
    if len(record.weights) != len(repeats):
        return False
    stated = [{weights.name: weights.state for weights in of} for of in record.weights]
    pairs = zip(stated, repeats, strict=True)
    return all(of.get(name) == state for of, states in pairs for name, state in states.items())


def known_cases(submission: Submission, benchmark: Benchmark) -> Collection[str]:
    """Those of the submission's cases that the benchmark can have, as far as ids tell.

    A case of a role is an image of that role's; one that belongs to something else as well is
    any image of the benchmark's datasets.
    """
    sets = {role: set(images.ids()) for role, images in benchmark.datasets.items()}
    datasets = {images.dataset for images in benchmark.datasets.values()}
    anywhere = {image for of in datasets for split in of.splits() for image in of.ids(split)}
    names = pc.unique(submission.scores["case"]).to_pylist()
    return {name for name in names if _is_known(name, sets, anywhere)}


def _is_known(name: str, sets: Mapping[str, set[int]], anywhere: set[int]) -> bool:
    try:
        case = Case.parse(name)
    except ValueError:
        return False
    return case.id in (anywhere if case.within else sets.get(case.role, ()))
