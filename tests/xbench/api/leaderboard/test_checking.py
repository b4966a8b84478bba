"""Submissions against the benchmark that is installed, and on boards."""

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from small_boards import SMALL, altered, consistent, small_benchmark
from xbench import (
    Checks,
    SubmissionError,
    UnknownNameError,
    UsageError,
    add_submission,
    check_submission,
    run,
    submit,
)
from xbench.api.leaderboard.checking import added
from xbench.results.board.folder import read_submission
from xbench.results.board.history import entries, history


@pytest.fixture
def mine(ran):
    return ran.submitted / "deliberative"


def refused(folder, message, file, error=SubmissionError):
    with pytest.raises(error, match=message):
        check_submission(folder, benchmark_file=file)


def test_what_is_of_the_benchmark_passes(ran):
    for folder in ran.submitted.iterdir():
        checked = check_submission(folder, benchmark_file=ran.file)
        said = "files, record and scores belong together and are of benchmark small-board 7"
        assert checked.lines == [f"{folder.name}: {said}"]


def test_a_benchmark_that_is_not_installed_is_named(mine, tmp_path):
    with pytest.raises(UnknownNameError, match=r"'small-board'.*--benchmark-file FILE"):
        check_submission(mine)
    other = small_benchmark(tmp_path, SMALL.replace("small-board", "another"))
    refused(mine, "of benchmark 'small-board', and .* is 'another'", other)


def test_another_version_is_named_with_the_one_that_is_installed(mine, tmp_path):
    newer = small_benchmark(tmp_path, SMALL.replace('version = "7"', 'version = "8"'))
    refused(mine, "of version 7 of benchmark 'small-board', and version 8 is installed", newer)


@pytest.mark.parametrize(
    ("text", "with_", "message"),
    [
        ("images = 30", "images = 20", r"protocol is not .* \(images is 30, not 20\)"),
        ("test = 60", "test = 80", r"images of 'test' are others \(dataset: test is 60, not 80\)"),
        ("[dataset]", "[transform]\nresize = 48\n[dataset]", "another transform"),
        ("[dataset]", '[splits]\ntest = "shifted"\n[dataset]', "split test, not shifted"),
        ("[dataset]", '[splits]\nfurther = "shifted"\n[dataset]', "images of 'further'"),
    ],
)
def test_what_the_benchmark_declares_otherwise_is_named(mine, tmp_path, text, with_, message):
    refused(mine, message, small_benchmark(tmp_path, SMALL.replace(text, with_)))


FEW = f"{SMALL}\n[variants.few.protocol]\nimages = 12\n"


def test_an_entry_of_a_variant_is_held_to_the_variant(tmp_path):
    file, store = small_benchmark(tmp_path, FEW), tmp_path / "store"
    run(str(file), variant="few", store=store, quiet=True)
    (folder,) = submit("1", tmp_path / "out", contact="me", store=store)
    assert check_submission(folder, benchmark_file=file).lines
    heading = read_submission(folder).record.heading
    for variants, message, error in (
        ([], "its protocol is not the benchmark's", SubmissionError),
        (["other"], "unknown variant of benchmark small-board 'other'", UnknownNameError),
    ):
        told = heading.model_copy(update={"variants": variants})
        lying = altered(folder, tmp_path / f"lying {len(variants)}", heading=told)
        refused(lying, message, file, error)


def test_a_record_on_other_weights_is_refused_with_the_way_out(ran, mine, tmp_path):
    record = read_submission(mine).record
    other = [[of.model_copy(update={"state": "f" * 32}) for of in r] for r in record.weights]
    for place, weights in enumerate([other, record.weights[::-1], []]):
        folder = altered(mine, tmp_path / str(place), weights=weights)
        refused(folder, "not the benchmark's reference networks .*; run the entry in", ran.file)
    folder = altered(mine, tmp_path / "seeds", seeds=[5, 6, 7])
    refused(folder, r"its seeds are \[5, 6, 7\], not \[0, 1, 2\]", ran.file)


def test_other_versions_of_distributions_are_no_fault(ran, mine, tmp_path):
    record = read_submission(mine).record
    protocol = {**record.protocol, "distribution_version": "0.0.1"}
    check_submission(altered(mine, tmp_path / "old", protocol=protocol), benchmark_file=ran.file)


@pytest.mark.parametrize("name", ["test/2000060", "test/1000000", "tset/2000000", "2000000"])
def test_cases_that_do_not_exist_are_refused(ran, mine, tmp_path, name):
    scores = read_submission(mine).scores
    index = scores.column_names.index("case")
    names = scores["case"].cast(pa.string())
    first = names[0].as_py()
    renamed = pc.if_else(pc.equal(names, first), name, names)
    scores = scores.set_column(index, "case", renamed.cast(pa.large_string()).cast(pa.string()))
    scores = scores.cast(read_submission(mine).scores.schema)
    folder = altered(mine, tmp_path / "strange", table=scores)
    refused(folder, f"1 cases are none of the benchmark's, such as '{name}'", ran.file)


def test_a_run_on_drawn_cases_agrees(ran, mine):
    checked = check_submission(mine, benchmark_file=ran.file, rerun=6, draw=3, quiet=True)
    again = checked.rerun
    assert (again.images, again.repeats, again.seed) == (6, 3, 3)
    assert [of.score for of in again.scores] == ["average precision", "average recall"]
    assert all(of.submitted == pytest.approx(of.again, abs=1e-6) for of in again.scores)
    assert "run again on 6 drawn cases of each of 3 networks (seed 3)" in checked.lines[1]


def bettered(folder, out, *, by):
    """The submission with better scores of all cases, and a record that follows from them."""
    submission = read_submission(folder)
    values = pc.min_element_wise(pc.add(submission.scores["value"], by), 1.0)
    scores = submission.scores.set_column(
        submission.scores.column_names.index("value"), "value", values
    )
    changes = consistent(submission.record, scores)
    return altered(folder, out, table=scores, **changes)


def test_scores_that_were_made_up_pass_all_but_the_run(ran, mine, tmp_path):
    folder = bettered(mine, tmp_path / "better", by=0.1)
    check_submission(folder, benchmark_file=ran.file)
    with pytest.raises(
        SubmissionError, match="of 18 cases differ by more than 2 points, and 1 may"
    ):
        check_submission(folder, benchmark_file=ran.file, rerun=6, quiet=True)


def test_means_that_are_a_little_too_good_are_told(ran, mine, tmp_path):
    folder = bettered(mine, tmp_path / "better", by=0.004)
    with pytest.raises(SubmissionError, match=r"the means differ by more than 0\.00017"):
        check_submission(folder, benchmark_file=ran.file, rerun=10, quiet=True)


def test_cases_that_were_left_out_are_missed_where_they_are_drawn(ran, mine, tmp_path):
    submission = read_submission(mine)
    gone = submission.scores["case"].cast(pa.string())[0].as_py()
    scores = submission.scores.filter(pc.not_equal(submission.scores["case"], gone))
    folder = altered(mine, tmp_path / "less", table=scores, **consistent(submission.record, scores))
    with pytest.raises(SubmissionError, match=f"cases that were not submitted, such as '{gone}'"):
        check_submission(folder, benchmark_file=ran.file, rerun=30, quiet=True)


def test_an_entry_that_is_not_installed_is_named_with_its_distribution(ran, mine, tmp_path):
    record = read_submission(mine).record
    strange = {"name": "nowhere", "distribution": "xbench-nowhere", "distribution_version": "3"}
    components = {**record.components, "explainer": {**record.components["explainer"], **strange}}
    folder = altered(mine, tmp_path / "strange", components=components)
    check_submission(folder, benchmark_file=ran.file)
    message = "explainer 'nowhere' of 'deliberative' is not installed; install the distribution "
    with pytest.raises(SubmissionError, match=f"{message}'xbench-nowhere'"):
        check_submission(folder, benchmark_file=ran.file, rerun=1, quiet=True)


def test_an_entry_with_parameters_that_it_has_not_cannot_be_built(ran, mine, tmp_path):
    record = read_submission(mine).record
    explainer = {**record.components["explainer"], "version": "0"}
    components = {**record.components, "explainer": explainer}
    folder = altered(mine, tmp_path / "strange", components=components)
    with pytest.raises(SubmissionError, match="cannot be built from its record"):
        check_submission(folder, benchmark_file=ran.file, rerun=1, quiet=True)


def test_trees_that_are_no_components_are_refused_like_others(ran, mine, tmp_path):
    record = read_submission(mine).record
    datasets = {**record.datasets, "test": {"dataset": 5, "split": {"a": []}}}
    strange = {"protocol": {**record.protocol, "parameters": 5}, "datasets": datasets}
    for name, tree in strange.items():
        folder = altered(mine, tmp_path / name, **{name: tree})
        refused(folder, "'deliberative' is refused: its ", ran.file)
    trees = [5, {**record.components["explainer"], "parameters": [1]}, {"name": ["a"]}, "grad:9"]
    for place, explainer in enumerate(trees):
        components = {**record.components, "explainer": explainer}
        folder = altered(mine, tmp_path / str(place), components=components)
        with pytest.raises(SubmissionError, match="cannot be built from its record"):
            check_submission(folder, benchmark_file=ran.file, rerun=1, quiet=True)


@pytest.mark.parametrize("numbers", [{"rerun": -1}, {"draw": -1}, {"fresh": 0}])
def test_impossible_counts_and_seeds_are_refused(mine, numbers):
    with pytest.raises(UsageError, match="at least"):
        check_submission(mine, **numbers)


ON = date(2026, 5, 1)


def test_an_added_submission_is_on_the_board(ran, mine, tmp_path):
    checks = Checks(benchmark_file=ran.file)
    added_one = add_submission(mine, tmp_path, on=ON, checks=checks)
    (entry,) = entries(tmp_path, "small-board")
    assert (entry.name, entry.key) == ("deliberative", added_one.submission.record.key)
    assert (entry.added, entry.marks) == ("2026-05-01", ())
    with pytest.raises(SubmissionError, match="has been added"):
        add_submission(mine, tmp_path, on=ON, checks=checks)


def test_of_several_none_is_added_where_one_is_refused(ran, mine, tmp_path):
    checks, board = Checks(benchmark_file=ran.file), tmp_path / "board"
    wrong = altered(mine, tmp_path / "wrong", said={"name": "wrong"}, seeds=[5, 6, 7])
    with pytest.raises(SubmissionError, match="'wrong' is refused"):
        added([mine, wrong], board, checks, quiet=True)
    with pytest.raises(SubmissionError, match="two submissions to small-board are called"):
        added([mine, mine], board, checks, quiet=True)
    assert not board.exists()


def test_a_check_on_new_images_is_noted_on_the_board(ran, mine, tmp_path):
    checks = Checks(benchmark_file=ran.file, fresh=1)
    checked = add_submission(mine, tmp_path, on=ON, checks=checks)
    fresh = checked.fresh
    record = read_submission(mine).record
    assert (fresh.seed, fresh.cases, fresh.score) == (1, 30, "average precision")
    assert fresh.submitted == record.ranking.value
    assert fresh.drop == pytest.approx(fresh.submitted - fresh.fresh)
    assert fresh.low < 0 < fresh.high
    assert "On 30 new images (seed 1) 'deliberative' scores" in checked.lines[-1]
    assert "not distinguishable from what was submitted" in checked.lines[-1]
    (entry,) = entries(tmp_path, "small-board")
    assert (entry.marks, entry.fresh) == (("fresh-checked",), (fresh,))
    assert [event.event for event in history(tmp_path, "small-board", "deliberative")] == [
        "added",
        "fresh-checked",
    ]
