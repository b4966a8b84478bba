"""The folder of a board: added, superseded, withdrawn, checked, and never forgotten."""

import json
from datetime import date

import pytest

from small_submissions import FIELDS, made_up, record_of, table_of
from xbench.errors import SubmissionError, UnknownNameError
from xbench.results.board.events import FreshCheck, read_events
from xbench.results.board.folder import read_submission, write_submission
from xbench.results.board.history import (
    add,
    benchmarks,
    entries,
    history,
    note_fresh,
    withdraw,
)

DAY, LATER = date(2026, 5, 1), date(2026, 6, 1)
FRESH = FreshCheck(
    seed=1, cases=20, score="hits", submitted=0.5, fresh=0.4, drop=0.1, low=-0.05, high=0.25
)


@pytest.fixture
def submitted(tmp_path):
    """Makes submissions; each seed has a key of its own."""

    def make(seed=0, **fields):
        folder = tmp_path / f"submitted-{len(list(tmp_path.iterdir()))}"
        scores = made_up(seed)
        record = record_of(scores, rows=[[f"{seed:031x}{repeat}"] for repeat in range(2)])
        return write_submission(folder, {**FIELDS, **fields}, record, table_of(scores))

    return make


@pytest.fixture
def board(tmp_path):
    return tmp_path / "leaderboard"


def told(board, name="my-method"):
    return [event.event for event in history(board, "made", name)]


def test_what_is_added_is_kept_byte_for_byte_and_listed(board, submitted):
    submission = submitted()
    folder = add(board, submission, DAY)
    key = submission.record.key
    assert folder == board / "records" / "made" / "my-method" / key[:12]
    assert read_submission(folder).files == submission.files
    (entry,) = entries(board, "made")
    assert (entry.name, entry.key, entry.folder) == ("my-method", key, folder)
    assert (entry.added, entry.marks, entry.superseded) == ("2026-05-01", (), ())
    assert benchmarks(board) == ["made"]
    assert entries(board, "another") == []


def test_entries_come_by_name(board, submitted):
    for seed, name in enumerate(["b", "c", "a"]):
        add(board, submitted(seed, name=name), DAY)
    assert [entry.name for entry in entries(board, "made")] == ["a", "b", "c"]


def test_a_name_is_taken_once(board, submitted):
    first = submitted()
    add(board, first, DAY)
    with pytest.raises(SubmissionError, match=r"'my-method' has been added with key .* already"):
        add(board, first, LATER)
    match = f"is taken by .*choose another name, or submit it with supersedes {first.record.key}"
    with pytest.raises(SubmissionError, match=match):
        add(board, submitted(1), LATER)
    with pytest.raises(SubmissionError, match="is taken by"):
        add(board, submitted(1, supersedes="f" * 32), LATER)
    with pytest.raises(SubmissionError, match="the same record is on the board as 'my-method'"):
        add(board, submitted(0, name="mine-too"), LATER)
    with pytest.raises(SubmissionError, match="the board has no such entry of this name"):
        add(board, submitted(2, name="new", supersedes="f" * 32), LATER)
    assert told(board) == ["added"]
    assert [entry.name for entry in entries(board, "made")] == ["my-method"]


def test_a_later_submission_supersedes_and_nothing_is_deleted(board, submitted):
    first = submitted()
    folder = add(board, first, DAY)
    note_fresh(board, "made", "my-method", FRESH, DAY)
    second = submitted(1, supersedes=first.record.key)
    add(board, second, LATER)
    (entry,) = entries(board, "made")
    assert (entry.key, entry.superseded) == (second.record.key, (first.record.key,))
    assert entry.marks == (), "the check was of the one before"
    assert told(board) == ["added", "fresh-checked", "superseded", "added"]
    assert history(board, "made", "my-method")[2].by == second.record.key
    assert read_submission(folder).files == first.files


def test_a_check_on_fresh_images_is_a_mark(board, submitted):
    add(board, submitted(), DAY)
    note_fresh(board, "made", "my-method", FRESH, LATER)
    (entry,) = entries(board, "made")
    assert (entry.marks, entry.fresh) == (("fresh-checked",), (FRESH,))


def test_what_was_not_there_to_be_checked_is_a_mark_until_it_was(board, submitted):
    mine = submitted()
    add(board, mine, DAY, ["images", "weights"])
    (entry,) = entries(board, "made")
    assert (entry.marks, entry.unchecked) == (
        ("images unchecked", "weights unchecked"),
        ("images", "weights"),
    )
    match = "'my-method' is on the board, its images and weights unchecked, and they are not here"
    with pytest.raises(SubmissionError, match=match):
        add(board, mine, LATER, ["images", "weights"])
    add(board, mine, LATER, ["weights"])
    note_fresh(board, "made", "my-method", FRESH, LATER)
    (entry,) = entries(board, "made")
    assert (entry.marks, entry.added) == (("weights unchecked", "fresh-checked"), "2026-05-01")
    add(board, mine, LATER)
    (entry,) = entries(board, "made")
    assert entry.marks == ("fresh-checked",)
    assert told(board) == ["added", "checked", "fresh-checked", "checked"]
    with pytest.raises(SubmissionError, match="has been added with key"):
        add(board, mine, LATER)


def test_another_submission_of_the_same_key_is_not_taken_for_the_unchecked_one(board, submitted):
    add(board, submitted(contact="somebody"), DAY, ["images"])
    with pytest.raises(SubmissionError, match="is there already and holds something else"):
        add(board, submitted(contact="somebody else"), LATER)
    assert told(board) == ["added"]


def test_only_checks_say_what_is_unchecked(board, submitted):
    add(board, submitted(), DAY, ["images"])
    file = board / "records" / "made" / "my-method" / "events.jsonl"
    (line,) = file.read_text().splitlines()
    event = json.loads(line)
    for other in (
        {**event, "unchecked": []},
        {**event, "unchecked": ["all"]},
        {**event, "event": "withdrawn", "reason": "a mistake"},
    ):
        file.write_text(f"{line}\n{json.dumps(other)}\n")
        with pytest.raises(SubmissionError, match="line 2"):
            read_events(file)


def test_what_is_withdrawn_is_ranked_no_more_and_may_be_superseded(board, submitted):
    first = submitted()
    folder = add(board, first, DAY)
    withdraw(board, "made", "my-method", "It was tuned on test.", LATER)
    assert entries(board, "made") == []
    assert read_submission(folder).record == first.record
    assert history(board, "made", "my-method")[-1].reason == "It was tuned on test."
    with pytest.raises(UnknownNameError, match="unknown entry of the board 'my-method'"):
        withdraw(board, "made", "my-method", "again", LATER)
    add(board, submitted(1, supersedes=first.record.key), LATER)
    assert told(board) == ["added", "withdrawn", "added"]
    assert len(entries(board, "made")) == 1


@pytest.mark.parametrize("reason", ["", " ", "<b>no</b>", "a\nb", "x" * 401])
def test_a_reason_is_a_line_of_plain_text(board, submitted, reason):
    add(board, submitted(), DAY)
    with pytest.raises(SubmissionError, match="the reason why 'my-method' is withdrawn"):
        withdraw(board, "made", "my-method", reason, DAY)
    assert told(board) == ["added"]


@pytest.mark.parametrize("name", ["../x", "a/b", "A", "", ".git"])
def test_names_lead_nowhere_else(board, name):
    with pytest.raises(SubmissionError, match="is no name on a board"):
        history(board, "made", name)
    with pytest.raises(SubmissionError, match="is no name on a board"):
        entries(board, name)


def test_an_addition_that_was_interrupted_is_finished_by_the_same_call(board, submitted):
    submission = submitted()
    folder = add(board, submission, DAY)
    events = folder.parent / "events.jsonl"
    events.unlink()
    with pytest.raises(SubmissionError, match=r"events.jsonl is not there"):
        entries(board, "made")
    add(board, submission, DAY)
    assert len(entries(board, "made")) == 1
    events.unlink()
    (folder / "record.json").write_text("{}")
    with pytest.raises(SubmissionError, match="is there already and holds something else"):
        add(board, submission, DAY)


ADDED = {"event": "added", "key": "a" * 32, "date": "2026-05-01"}
DAMAGE = {
    "no JSON": ("{", "line 2 is no JSON"),
    "an empty line": ("", "line 2 is no JSON"),
    "another event": (json.dumps({**ADDED, "event": "deleted"}), "line 2, at event: "),
    "no date": (json.dumps({"event": "added", "key": "b" * 32}), "line 2, at date: "),
    "a script": (
        json.dumps({**ADDED, "event": "withdrawn", "reason": "<script>"}),
        "line 2: reason holds",
    ),
    "no reason": (json.dumps({**ADDED, "event": "withdrawn"}), "line 2: says too much or too"),
    "too much": (json.dumps({**ADDED, "key": "b" * 32, "reason": "x"}), "line 2: says too much"),
    "added twice": (json.dumps(ADDED), "line 2: aaaaaaaaaaaa cannot be added here"),
    "added beside": (
        json.dumps({**ADDED, "key": "b" * 32}),
        "line 2: bbbbbbbbbbbb cannot be added here",
    ),
    "withdrawn before it was there": (
        json.dumps({**ADDED, "key": "b" * 32, "event": "withdrawn", "reason": "x"}),
        "line 2: bbbbbbbbbbbb cannot be withdrawn here",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_of_the_history_names_file_and_line(tmp_path, kind):
    line, match = DAMAGE[kind]
    file = tmp_path / "events.jsonl"
    file.write_text(f"{json.dumps(ADDED)}\n{line}\n", encoding="utf-8")
    with pytest.raises(SubmissionError, match=match) as caught:
        read_events(file)
    assert str(file) in str(caught.value)


def test_a_history_that_is_cut_off_or_no_file_is_refused(tmp_path):
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(ADDED))
    with pytest.raises(SubmissionError, match="ends within line 1; restore the file"):
        read_events(file)
    file.write_text("")
    with pytest.raises(SubmissionError, match="ends within line 1"):
        read_events(file)
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(SubmissionError, match="is no file"):
        read_events(tmp_path / "link")
    file.write_bytes(b"x" * 5_000_000)
    with pytest.raises(SubmissionError, match="has more than 4194304 bytes"):
        read_events(file)


def test_folders_and_history_belong_together(board, submitted):
    folder = add(board, submitted(), DAY)
    (folder.parent / ".adding-x").mkdir()  # left by a process that was killed
    assert len(entries(board, "made")) == 1
    stray = folder.parent / ("f" * 12)
    stray.mkdir()
    with pytest.raises(SubmissionError, match=r"was never added, says events.jsonl"):
        entries(board, "made")
    stray.rmdir()
    stray.symlink_to(folder)
    with pytest.raises(SubmissionError, match="is a link, and a board has none; remove it"):
        entries(board, "made")
    stray.unlink()
    folder.rename(board / "elsewhere")
    with pytest.raises(SubmissionError, match="is gone, and was added"):
        entries(board, "made")
