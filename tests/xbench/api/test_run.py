"""Running benchmarks from Python: with names, with components, and with a network at hand."""

import sys
from collections import OrderedDict
from dataclasses import replace

import pyarrow as pa
import pytest
import torch
from markupsafe import escape
from torch import nn

from small_datasets import Greys
from small_networks import Linear
from sure import Sure
from xbench.api.frames import as_frame
from xbench.api.modules import LiveClassifier, classifier_from
from xbench.api.progress import Cell, in_notebook
from xbench.api.running import run
from xbench.benchmark.assembly import Benchmark, load_benchmark
from xbench.benchmark.lines import Line
from xbench.errors import MismatchError, ParameterError, UnknownNameError, UsageError
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.training import Training
from xbench.networks.loading import blank_module
from xbench.running.planning.tasks import Evaluate
from xbench.running.storage.store import Store
from xbench_deliberative.protocol.floors import RandomPair
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.small import SmallCnn

SMALL = {
    "dataset": {"train": 160, "test": 40},
    "training": {"epochs": 1},
    "protocol": {"images": 20},
}
QUICK = {"parameters": SMALL, "limit": 4, "quiet": True, "device": "cpu"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def result(store):
    return run(store=store, **QUICK)


def test_it_makes_the_records_of_the_command_line(result, store):
    labels = [record.label for record in result.records]
    assert labels == [line.label for line in load_benchmark("default").lines]
    stored = {path.name for path in (store / "records").rglob("*.json")}
    assert {f"{record.key}.json" in stored or bool(stored) for record in result.records} == {True}
    assert result.benchmark.name == "default"


def test_what_was_run_is_not_run_again(result, store, monkeypatch):
    monkeypatch.setattr(Evaluate, "perform", None)
    again = run(store=store, **QUICK)
    assert [one.scores for one in again.records] == [one.scores for one in result.records]


def test_frames_have_a_row_for_each_score_case_and_difference(result):
    scores = result.to_frame("arrow")
    assert isinstance(scores, pa.Table)
    assert scores.num_rows == sum(len(record.scores) for record in result.records)
    assert {"entry", "role", "score", "value", "low", "high", "n"} <= set(scores.column_names)
    cases = result.to_frame("arrow", of="cases")
    assert set(cases["entry"].to_pylist()) == {record.label for record in result.records}
    assert result.to_frame("arrow", of="differences").num_rows
    with pytest.raises(UnknownNameError, match="content of a frame 'rows'"):
        result.to_frame("arrow", of="rows")


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_are_those_of_what_is_installed_and_others_say_how_to_get_them(kind):
    rows = pa.table({"a": [1, None], "b": ["x", "y"]})
    if kind in sys.modules or __import__("importlib").util.find_spec(kind):
        assert as_frame(rows, kind).shape == (2, 2)
    else:
        with pytest.raises(UsageError, match=f"pip install {kind}"):
            as_frame(rows, kind)
    with pytest.raises(UnknownNameError, match="kind of frame 'numpy'"):
        as_frame(rows, "numpy")


def test_without_pandas_and_polars_a_frame_is_of_arrow(monkeypatch):
    monkeypatch.setattr("xbench.api.frames.importlib.util.find_spec", lambda name: None)
    assert isinstance(as_frame(pa.table({"a": [1]})), pa.Table)


def test_a_result_has_curves_and_a_report_and_shows_itself(result, tmp_path):
    assert result.figure() is not None
    assert set(result.figures)
    with pytest.raises(UnknownNameError, match="figure of this run 'nothing'"):
        result.figure("nothing")
    assert result.report(tmp_path / "page", pictures=1).is_file()
    assert repr(result).startswith("RunResult of default: 7 entries, 4 cases\n  deliberative: ")
    assert len(repr(result).splitlines()) == 8
    html = result._repr_html_()
    assert html.count("<details") == 2 + len(result.tables)  # the words, and the headline scores
    assert all(str(escape(sentence)) in html for sentence in result.conclusions)
    assert html.index(str(escape(result.conclusions[0]))) < html.index("<table")
    assert "random pair, random region" in html


def test_what_notebooks_show_is_escaped(result):
    made = result.made
    benchmark = replace(made.benchmark, title="<script>")
    records = [one.model_copy(update={"label": "<b>"}) for one in made.records]
    shown = type(result)(made._replace(benchmark=benchmark, records=records))._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>" not in shown


def test_components_that_were_made_take_the_place_of_names(store):
    ours = Toybirds(train=160, test=40)
    given = {"dataset": ours, "explainer": RandomPair(), "classifier": SmallCnn()}
    changes = {key: SMALL[key] for key in ("training", "protocol")}
    made = run(**given, store=store, parameters=changes, limit=2, quiet=True, device="cpu")
    line = made.benchmark.lines[0]
    assert line.label == "random-pair"
    assert line.explainer == RandomPair()
    assert made.benchmark.datasets["test"].dataset is ours
    named = run(explainer="random-pair", store=store, **{**QUICK, "limit": 2})
    assert named.records[0].key == made.records[0].key


def test_parameters_change_components_that_were_made(store):
    given = {"dataset": Toybirds(train=160, test=40), "store": store}
    options = {**QUICK, "parameters": {**SMALL, "dataset": {"test": 30}}, "limit": 2}
    dataset = run(**given, **options).benchmark.datasets["test"].dataset
    assert dataset == Toybirds(train=160, test=30)


def test_a_module_keeps_its_weights_and_is_not_touched(store):
    module = blank_module(SmallCnn(), 20).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    made = run(classifier=module, store=store, **{**QUICK, "limit": 2})
    assert made.records[0].components["classifier"]["name"] == "live-module"
    assert made.benchmark.classifier.side == 96
    assert "assumed: Sequential wants images in [0, 1]" in made.benchmark.notices[-1]
    assert module.training
    assert all(torch.equal(before[name], t) for name, t in module.state_dict().items())
    with torch.no_grad():
        next(module.parameters()).mul_(2)
    other = run(classifier=module, store=store, **{**QUICK, "limit": 2})
    assert other.records[0].weights[0][0].state != made.records[0].weights[0][0].state


def test_a_module_tells_its_normalisation_and_other_things_are_no_classifiers():
    module = nn.Sequential(OrderedDict(head=nn.Flatten()))
    assert classifier_from(module).normalisation().mean == (0, 0, 0)
    module.pretrained_cfg = {"mean": (0.5,) * 3, "std": (0.2,) * 3, "input_size": (3, 32, 32)}
    told = classifier_from(module)
    assert (told.mean, told.std, told.side) == ((0.5,) * 3, (0.2,) * 3, 32)
    assert told == LiveClassifier(module, side=32, mean=(0.5,) * 3, std=(0.2,) * 3)
    assert told != classifier_from(nn.Sequential(nn.Flatten(), nn.ReLU()))
    with pytest.raises(ParameterError, match="got str"):
        classifier_from("resnet50")


def tiny_benchmark(**changes):
    parts = {"classifier": Linear(), "loss": CrossEntropy(), "training": Training(epochs=0)}
    sets = {role: ImageSet(Greys(6), role) for role in ("train", "test")}
    line = Line("one", "entry", None, **parts)
    fields = {"name": "given", "version": "1", "title": "", "seed": 0, "repeats": 1}
    whole = {**fields, "protocol": Sure(), "datasets": sets, "lines": (line,), "contrasts": ()}
    return Benchmark(**{**whole, **parts, **changes})


def test_a_benchmark_is_run_as_it_is(tmp_path):
    made = run(tiny_benchmark(), store=tmp_path, quiet=True, device="cpu", executor="local")
    assert [record.label for record in made.records] == ["one"]
    with pytest.raises(MismatchError, match="draws no curves, and no entry explains"):
        made.figure()
    with pytest.raises(UsageError, match="seed: a Benchmark is run as it is"):
        run(tiny_benchmark(), seed=1)
    with pytest.raises(UsageError, match="explainer: a Benchmark is run as it is"):
        run(tiny_benchmark(), explainer="ces")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"benchmark": "defualt"}, "did you mean 'default'"),
        ({"benchmark": "nothing.toml"}, "benchmark file nothing.toml cannot be read"),
        ({"explainer": "deliberativ"}, "did you mean 'deliberative'"),
        ({"dataset": "toybird"}, "did you mean 'toybirds'"),
        ({"classifier": "smal-cnn"}, "unknown classifier 'smal-cnn'"),
        ({"explainer": RandomPair}, "got RandomPair; make one of the class"),
        ({"explainer": 3}, "explainer: expected the name of an explainer"),
        ({"dataset": [1]}, "dataset: expected the name of a dataset"),
        ({"limit": 0}, "limit: expected a whole number of at least 1, got 0"),
        ({"variant": "smok"}, "variant of benchmark default 'smok'"),
        ({"parameters": {"trainin": {}}}, "did you mean 'training'"),
        ({"device": "gpu"}, "device 'gpu' cannot be used"),
        ({"executor": "rey"}, "did you mean 'ray'"),
    ],
)
def test_mistakes_are_errors_of_ours(given, message):
    with pytest.raises(UsageError, match=message):
        run(**{"quiet": True, **given})


def test_an_interrupted_call_leaves_a_store_from_which_the_next_goes_on(tmp_path, monkeypatch):
    perform, done = Evaluate.perform, []

    def interrupted(self, bench):
        if done:
            raise KeyboardInterrupt
        done.append(perform(self, bench))

    monkeypatch.setattr(Evaluate, "perform", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(store=tmp_path, **{**QUICK, "limit": 2})
    assert done
    monkeypatch.setattr(Evaluate, "perform", perform)
    assert len(run(store=tmp_path, **{**QUICK, "limit": 2}).records) == 7
    assert Store(str(tmp_path)).artefact_keys("weights") is not None


def test_progress_in_a_cell_is_changed_in_its_place_and_goes_at_the_end():
    shown = []
    cell = Cell(shown.append)
    cell.say("a <note>")
    cell.update("train", 1, 2, "50 %")
    cell.update("train", 2, 2)
    assert shown[0] == "a &lt;note&gt;"
    assert '<progress value="2" max="2">' in shown[-1]
    cell.end()
    assert shown[-1] == "a &lt;note&gt;"
    assert not in_notebook()
