"""Submissions against the benchmark that is installed: version, protocol, images and weights."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from xbench.api.leaderboard.images import faults_of_images
from xbench.api.leaderboard.places import placed, places
from xbench.api.leaderboard.trees import differing, same
from xbench.api.leaderboard.weights import look_at_weights
from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import declared
from xbench.components.registry import Registry
from xbench.errors import DatasetError, SubmissionError, UnknownNameError
from xbench.interfaces.protocol import Entry
from xbench.interfaces.workplace import Workplace
from xbench.results.board.submission import Submission
from xbench.results.record import Record


class Installed(NamedTuple):
    """A benchmark as it is installed here."""

    benchmark: Benchmark
    places: tuple[str, ...]
    """The paths by which `-p` says where its data lies."""


def installed_benchmark(
    submission: Submission,
    file: Path | None,
    registry: Registry,
    given: Mapping[str, Any] = MappingProxyType({}),
) -> Installed:
    """The benchmark that the submission is of, in its variants: the installed one, or a file's.

    `given` says where its data lies, nested as `-p` paths are. `SubmissionError`, or another
    `UsageError`, where it is not there, or of another version.
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
    benchmark = assemble(placed(tree, given, registry), registry)
    return Installed(benchmark, tuple(places(tree, registry)))


def check_declared(
    submission: Submission,
    benchmark: Benchmark,
    workplace: Workplace,
    absent: Collection[str] = (),
) -> bool:
    """Raise `SubmissionError` unless the record is of just what the benchmark declares.

    Of roles whose images are absent what can be told without them is looked at. Whether all
    weights that the benchmark gives could be compared.
    """
    looked = look_at_weights(submission.record, benchmark, workplace, absent=bool(absent))
    _refuse(submission, [*_faults(submission.record, benchmark, absent), *looked.faults])
    return not looked.unchecked


def _refuse(submission: Submission, faults: Sequence[str]) -> None:
    """Raise `SubmissionError` with the faults where there are any."""
    if faults:
        name, of = submission.manifest.name, submission.manifest.benchmark
        again = f"run the entry in the benchmark as it is (xbench run --benchmark {of})"
        message = f"submission {name!r} is refused: {'; '.join(faults)}; {again}"
        raise SubmissionError(f"{message}, and submit it again")


def _faults(record: Record, benchmark: Benchmark, absent: Collection[str]) -> Iterator[str]:
    own = benchmark.protocol.tree()
    if not same(record.protocol, own):
        yield f"its protocol is not the benchmark's ({differing(record.protocol, own)})"
    editions = _editions(benchmark, absent)
    if editions and record.benchmark_version not in editions:
        measured = record.benchmark_version.partition("+")[2] or "nothing"
        yield f"it was measured with something else than the benchmark is here ({measured})"
    yield from faults_of_images(record, benchmark, absent)


def _editions(benchmark: Benchmark, absent: Collection[str]) -> set[str]:
    """The versions of records, with what was measured with; none where absent images decide."""
    try:
        entries = [next(benchmark.entries(line)) for line in benchmark.lines]
        return {_version(benchmark, entry) for entry in entries}
    except DatasetError:
        if not absent:
            raise
        return set()


def _version(benchmark: Benchmark, entry: Entry) -> str:
    edition = benchmark.protocol.edition(entry)
    return f"{benchmark.version}+{edition}" if edition else benchmark.version
