"""Lines of a benchmark that are ensembles of other lines."""

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pytest

from small_datasets import Greys
from small_networks import Linear
from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import benchmark_folder, declared
from xbench.benchmark.lines import Line
from xbench.components.registry import Registry
from xbench.errors import MismatchError, ParameterError, UnknownNameError
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import CaseScores, Protocol
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.running.executors.local import LocalExecutor
from xbench.running.planning.plan import Plan
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_bench, tiny_workplace
from xbench.training.ensembles import networks_of
from xbench.training.recipe import weights_recipe
from xbench_zoo.losses import CrossEntropy

PLAIN = [{"label": "a"}, {"label": "b", "loss": {"name": "cross-entropy", "smoothing": 0.1}}]


def assembled(*lines, **changes):
    tree = declared(benchmark_folder() / "explicable-toybirds.toml")
    return assemble({**tree, **changes, "entries": list(lines)}, Registry(third_party=False))


def test_an_ensemble_has_the_entries_of_its_members_of_the_same_repeat():
    benchmark = assembled({"label": "all", "ensemble": ["b", "a"]}, *PLAIN, repeats=2)
    lines = {line.label: line for line in benchmark.lines}
    entries = {label: list(benchmark.entries(line)) for label, line in lines.items()}
    for repeat, entry in enumerate(entries["all"]):
        assert entry.members == (entries["b"][repeat], entries["a"][repeat])
        assert entry.seed == entries["a"][repeat].seed
    assert entries["a"][0].members == ()


def test_pinned_weights_are_those_of_members_and_not_of_their_ensemble():
    pins = {"urls": [{"url": "http://here/a", "size": 5, "sha256": "0" * 64}]}
    benchmark = assembled({"label": "all", "ensemble": ["a"]}, *PLAIN, weights=pins, repeats=1)
    entry = next(benchmark.entries(benchmark.lines[0]))
    assert entry.weights is None
    assert entry.members[0].weights is not None


@pytest.mark.parametrize(
    ("line", "error", "text"),
    [
        ({"ensemble": ["x"]}, ParameterError, "entry 'x' is an ensemble of itself"),
        ({"ensemble": ["a", "y"]}, ParameterError, "ensemble of 'y', which is one itself"),
        ({"ensemble": ["a", "c"]}, UnknownNameError, "unknown member of ensemble 'x' 'c'"),
        ({"ensemble": ["a", "a"]}, ParameterError, "ensemble: a label stands there twice"),
        ({"ensemble": []}, ParameterError, r"expected a list of labels, got \[\]"),
        ({"ensemble": "a"}, ParameterError, "expected a list of labels, got 'a'"),
        ({"ensemble": ["a"], "loss": "cross-entropy"}, ParameterError, "no loss of its own"),
        ({"ensemble": ["a"], "explainer": "grad-cam"}, ParameterError, "no explainer of its own"),
    ],
)
def test_what_is_no_ensemble_is_refused(line, error, text):
    other = {"label": "y", "ensemble": ["a", "b"]}
    with pytest.raises(error, match=text):
        assembled({"label": "x", **line}, *PLAIN, other)


@dataclass(frozen=True)
class Weighed(Protocol):
    """How many networks an entry has; `together` says whether ensembles are known."""

    name: ClassVar[str] = "weighed"
    scores: ClassVar[None] = None

    together: bool = True

    def needs(self):
        return ()

    def artefacts(self, entry):
        if not self.together:
            return {"weights": weights_recipe(entry)}
        return {network.artefact: network.subject.weights for network in networks_of(entry)}

    def cases(self, entry, artefacts):
        return [Case("test", image) for image in range(2)]

    def evaluate(self, entry, cases, artefacts, bench):
        networks = [float(len(artefacts))] * len(cases)
        return pa.table({"case": case_column(cases), "networks": networks})

    def summarise(self, rows):
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table):
        networks = table.column("networks").to_numpy()
        return CaseScores("networks", "higher", case_places(table).rows, networks)


def weighed(**parameters):
    """A benchmark of two entries and an ensemble of both."""
    parts = {"classifier": Linear(), "training": Training(epochs=0)}
    a, b = (
        Line(label, "entry", None, **parts, loss=CrossEntropy(place / 10))
        for place, label in enumerate("ab")
    )
    return Benchmark(
        name="weighed",
        version="1",
        title="",
        protocol=Weighed(**parameters),
        datasets={role: ImageSet(Greys(6), role) for role in ("train", "test")},
        **parts,
        loss=CrossEntropy(),
        lines=(
            Line("all", "ceiling", None, **parts, loss=CrossEntropy(), ensemble=("a", "b")),
            a,
            b,
        ),
        contrasts=(),
        seed=0,
        repeats=1,
    )


def records(tmp_path, **parameters):
    place, store = tiny_workplace(tmp_path), Store(str(tmp_path / "store"))
    options = RunOptions(resampling=Resampling(resamples=9))
    return run_benchmark(weighed(**parameters), store, LocalExecutor(), place, options)


def test_the_record_of_an_ensemble_says_what_its_members_are_made_of(tmp_path):
    together, a, b = records(tmp_path)
    assert together.components == {"member a": a.components, "member b": b.components}
    assert together.scores[0].value == 2
    assert a.scores[0].value == b.scores[0].value == 1
    assert set(together.artefacts[0].values()) == {
        *a.artefacts[0].values(),
        *b.artefacts[0].values(),
    }


def test_a_plan_knows_the_weights_of_all_members(tmp_path):
    plan = Plan([weighed()], tiny_bench(tmp_path), None, 0)
    together, a, b = (of_line.weights for of_line in plan.runs)
    assert together == a | b
    assert len(together) == 2


def test_members_of_an_ensemble_may_be_cells_of_a_grid():
    other = {"name": "smooth", "loss": {"name": "cross-entropy", "smoothing": 0.1}}
    values = [{"name": "hard", "loss": "cross-entropy"}, other]
    line = {"label": "all", "role": "ceiling", "ensemble": ["smooth", "hard"]}
    benchmark = assembled(line, grid={"axes": {"target": values}}, repeats=1)
    (entry,) = benchmark.entries(benchmark.lines[-1])
    assert [dict(member.cell) for member in entry.members] == [
        {"target": "smooth"},
        {"target": "hard"},
    ]
    assert not entry.cell


def test_a_protocol_that_knows_no_ensembles_refuses_them(tmp_path):
    with pytest.raises(MismatchError, match="the protocol does not evaluate ensembles"):
        records(tmp_path, together=False)
