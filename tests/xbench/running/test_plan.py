"""The plan: what is made how often, what is kept, and what a failure leaves alone."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from noted_calls import Brightest, Harmful, Times, made_up, noted
from xbench.errors import ChangedStateError, FailedEntriesError
from xbench.interfaces.resampling import Resampling
from xbench.running.executors.local import LocalExecutor
from xbench.running.executors.processes import ProcessesExecutor
from xbench.running.executors.ray import RayExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace

QUICK = RunOptions(resampling=Resampling(resamples=10))


@pytest.fixture
def place(tmp_path):
    """Where components note what they do."""
    folder = tmp_path / "noted"
    folder.mkdir()
    return folder


def results(benchmark, folder, executor=LocalExecutor(), options=QUICK, batch_size=5):  # noqa: B008
    """Records of a run in a store below the folder."""
    store = Store(str(folder / "store"))
    return run_benchmark(benchmark, store, executor, tiny_workplace(folder, batch_size), options)


def untimed(records):
    """Records without what differs between any two runs."""
    dumped = [record.model_dump() for record in records]
    for record in dumped:
        for name in ("cost", "finished", "times"):
            record.pop(name, None)
        for facts in record["artefact_facts"]:
            facts.pop("seconds", None)
    return dumped


def scores_of(records, folder):
    """The ranking score of the first record, by case and repeat."""
    table = Store(str(folder / "store")).scores(records[0].scores_file.path)
    name = records[0].ranking.name
    cells = [row for row in table.to_pylist() if row["score"] == name]
    return {(row["case"], row["repeat"]): row["value"] for row in cells}


def rows(folder):
    """The rows in a store, as bytes, by key."""
    tables = {}
    for path in sorted((folder / "store" / "rows").iterdir()):
        table = Store(str(folder / "store")).rows(path.stem)
        sink = pa.BufferOutputStream()
        bare = table.replace_schema_metadata(None)
        with pa.ipc.new_stream(sink, bare.schema) as stream:
            stream.write_table(bare.unify_dictionaries().combine_chunks())
        tables[path.stem] = sink.getvalue().to_pybytes()
    return tables


def explained(place, name):
    """Ids that an explainer was asked for, as often as it was."""
    lines = [line.split() for line in noted(place)]
    return sorted(int(image) for first, *ids in lines if first == name for image in ids)


def family(place):
    inner = Brightest(str(place))
    return {
        "entry": inner,
        "twice": Times(inner, str(place)),
        "thrice": Times(inner, str(place), 3.0),
    }


def test_each_image_is_explained_once_for_an_entry_and_its_floors(tmp_path, place):
    results(made_up(family(place), place=place), tmp_path)
    images = list(range(100, 130))
    assert explained(place, "brightest") == sorted(images * 2)  # as they are, and half as bright
    assert explained(place, "times") == sorted(images * 4)


def test_what_was_not_asked_for_before_is_explained_once_too(tmp_path, place):
    results(made_up(family(place), place=place, ask_before=False), tmp_path)
    assert explained(place, "brightest") == sorted(list(range(100, 130)) * 2)


def test_without_rows_everything_is_scored_again_and_nothing_explained(tmp_path, place):
    first = results(made_up(family(place), place=place), tmp_path)
    shutil.rmtree(tmp_path / "store" / "rows")
    before = noted(place)
    second = results(made_up(family(place), place=place), tmp_path)
    new = list(noted(place))
    for line in before:
        new.remove(line)
    assert len(new) == 15
    assert all(line.startswith("evaluate") for line in new)
    assert untimed(first) == untimed(second)
    passes = {name: of for record in second for name, of in record.cost.passes.items()}
    assert passes == {name: of for record in first for name, of in record.cost.passes.items()}


def test_a_run_that_finds_everything_does_nothing(tmp_path, place):
    first = results(made_up(family(place), place=place), tmp_path)
    before = noted(place)
    assert untimed(results(made_up(family(place), place=place), tmp_path)) == untimed(first)
    assert noted(place) == before


def test_explanations_are_kept_only_if_they_are_to_be(tmp_path, place):
    kept = results(made_up(family(place)), tmp_path / "kept")
    unkept = results(
        made_up(family(place)), tmp_path / "unkept", options=QUICK._replace(keep=False)
    )
    assert {path.name for path in (tmp_path / "kept" / "store").iterdir()} >= {
        "explanations",
        "predictions",
    }
    names = {path.name for path in (tmp_path / "unkept" / "store").iterdir()}
    assert names.isdisjoint({"explanations", "predictions"})
    for one, other in zip(kept, unkept, strict=True):
        for a, b in zip(one.scores, other.scores, strict=True):
            assert a.value == pytest.approx(b.value, rel=1e-5)


def test_no_more_is_kept_than_the_cap_allows(tmp_path):
    results(made_up(family("")), tmp_path, options=QUICK._replace(cap=0.0))
    assert not list((tmp_path / "store").rglob("explanations/**/*.safetensors"))
    assert not list((tmp_path / "store").rglob("predictions/**/*.safetensors"))


OTHERS = [ProcessesExecutor(2, 1), ProcessesExecutor(1, 1), RayExecutor(workers=2)]


@pytest.mark.parametrize("executor", OTHERS, ids=["two processes", "one process", "ray"])
def test_rows_and_records_do_not_tell_which_executor_made_them(tmp_path, executor):
    if executor.name == "ray":
        pytest.importorskip("ray", reason="the extra 'ray' is not installed")
    benchmark = made_up(family(""), repeats=2)
    here = results(benchmark, tmp_path / "here", LocalExecutor(1))
    there = results(benchmark, tmp_path / "there", executor)
    assert rows(tmp_path / "here") == rows(tmp_path / "there")
    assert untimed(here) == untimed(there)


def test_what_happens_to_be_kept_decides_no_digit(tmp_path):
    benchmark = made_up(family(""), test=30)
    results(benchmark, tmp_path / "at once")
    results(benchmark, tmp_path / "in pieces", options=QUICK._replace(limit=4))
    shutil.rmtree(tmp_path / "in pieces" / "store" / "rows")
    shutil.rmtree(tmp_path / "in pieces" / "store" / "explanations")
    results(benchmark, tmp_path / "in pieces")
    assert rows(tmp_path / "at once").items() <= rows(tmp_path / "in pieces").items()


def test_drawn_cases_are_others_in_each_repeat_and_scored_as_in_a_whole_run(tmp_path):
    benchmark = made_up(family(""), repeats=2)
    whole = scores_of(results(benchmark, tmp_path / "whole"), tmp_path / "whole")
    options = QUICK._replace(limit=6, draw=1)
    records = results(benchmark, tmp_path / "drawn", options=options)
    drawn = scores_of(records, tmp_path / "drawn")
    assert records[0].limited_to == 6
    assert drawn.items() <= whole.items()
    of_repeats = [{case for case, repeat in drawn if repeat == place} for place in (0, 1)]
    assert [len(of) for of in of_repeats] == [6, 6]
    assert of_repeats[0] != of_repeats[1]
    again = results(benchmark, tmp_path / "again", options=options)
    assert scores_of(again, tmp_path / "again") == drawn
    other = results(benchmark, tmp_path / "other", options=options._replace(draw=2))
    assert scores_of(other, tmp_path / "other").keys() != drawn.keys()


@pytest.mark.parametrize(
    ("harm", "words"),
    [("weights", "weight"), ("mode", "training mode"), ("dtype", "default dtype")],
)
def test_an_explainer_that_leaves_a_change_is_refused_and_the_others_are_as_ever(
    tmp_path, harm, words
):
    alone = results(made_up({"good": Brightest()}), tmp_path / "alone")
    both = {"bad": Harmful(harm), "good": Brightest()}
    with pytest.raises(FailedEntriesError) as error:
        results(made_up(both), tmp_path / "both")
    assert isinstance(error.value.failed["bad"], ChangedStateError)
    assert "explainer 'harmful'" in str(error.value)
    assert words in str(error.value)
    ((record,),) = error.value.records
    assert [s.value for s in record.scores] == [s.value for s in alone[0].scores]
    assert torch.get_default_dtype() is torch.float32
    kept = list((tmp_path / "both" / "store" / "explanations" / "number").iterdir())
    assert len(kept) == 2  # of `good`, as it is and half as bright


def test_an_explainer_that_reseeds_is_named_and_does_no_harm(tmp_path):
    lines = []
    benchmark = made_up({"reseeding": Harmful("reseeding")})
    workplace = tiny_workplace(tmp_path)
    workplace.progress.say = lines.append
    torch.manual_seed(5)
    expected = torch.random.initial_seed()
    run_benchmark(benchmark, Store(str(tmp_path / "store")), LocalExecutor(), workplace, QUICK)
    assert torch.random.initial_seed() == expected
    assert [line for line in lines if "explainer 'harmful'" in line and "seed" in line]


def test_an_explainer_that_draws_from_global_generators_draws_the_same_each_time(tmp_path):
    benchmark = made_up({"drawing": Harmful("nothing")})
    first = results(benchmark, tmp_path / "first")
    torch.manual_seed(99)
    assert untimed(results(benchmark, tmp_path / "second")) == untimed(first)


def test_files_that_are_damaged_are_made_again(tmp_path, place):
    first = results(made_up(family(place), place=place), tmp_path)
    for folder in ("rows", "explanations", "artefacts"):
        for path in sorted((tmp_path / "store" / folder).rglob("*.*"))[::2]:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            Path(path).write_bytes(data)
    assert untimed(results(made_up(family(place), place=place), tmp_path)) == untimed(first)
