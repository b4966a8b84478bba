"""From exported answers to scores."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from small_entries import entry_of
from xbench import Case, ImageSet, MismatchError, ParameterError, Resampling
from xbench.testing import TinyClassifier, TinyDataset
from xbench_saliency.floors.random_map import RandomMap
from xbench_study.designs.mistake_rating import MistakeRating
from xbench_study.designs.wrong_label import WrongLabel
from xbench_study.floors.guessing import SimulatedGuessing
from xbench_study.floors.simulated_observer import SimulatedObserver
from xbench_study.protocol.study_protocol import StudyProtocol
from xbench_study.shown.shown_maps import ShownMaps

IMAGES = ImageSet(TinyDataset(), "test")
ROWS = [
    # participant, condition, image, kind, right, seconds, excluded, category, degree
    ("p1", "maps", 7, "trial", True, 5.0, "", "C1", 3),
    ("p1", "maps", 3, "trial", False, 6.0, "", "C2", 1),
    ("p2", "maps", 7, "trial", True, 7.0, "", "C1", None),
    ("p2", "maps", 3, "trial", None, 2.0, "", "C2", 4),
    ("p2", "maps", 8, "check", True, 2.0, "", "", 0),
    ("p3", "maps", 7, "trial", False, 1.0, "checks", "C1", 0),
    ("p4", "image", 3, "trial", True, 9.0, "", "C2", 2),
]
NAMES = [
    "participant",
    "condition",
    "image",
    "kind",
    "right",
    "seconds",
    "excluded",
    "category",
    "degree",
]


def write(folder, rows=ROWS, **facts):
    folder.mkdir(exist_ok=True)
    columns = zip(*rows, strict=True) if rows else [[] for _ in NAMES]
    table = pa.table(dict(zip(NAMES, map(list, columns), strict=True)))
    table = table.append_column("item", [[f"item {image}" for image in table["image"].to_pylist()]])
    pq.write_table(table, folder / "answers.parquet")
    given = {
        "study": "s",
        "design": "wrong-label",
        "wanted": {"maps": 5, "image": 5},
        "recruitment": {"where": "here"},
        "exclusions": {"checks": 1},
        **facts,
    }
    (folder / "facts.json").write_text(json.dumps(given))
    return str(folder)


def entry(condition="maps", **fields):
    return entry_of(
        TinyClassifier(),
        {"train": IMAGES, "test": IMAGES},
        **{"explainer": ShownMaps(condition), **fields},
    )


@pytest.fixture
def protocol(tmp_path):
    return StudyProtocol(WrongLabel(), write(tmp_path / "answers"))


def rows_of(protocol, condition="maps"):
    of = entry(condition)
    return protocol.evaluate(of, protocol.cases(of, {}), {}, None)


def test_rows_are_the_trials_of_those_who_are_not_left_out(protocol):
    assert protocol.cases(entry(), {}) == [Case("test", 3), Case("test", 7)]
    rows = rows_of(protocol)
    assert rows["case"].to_pylist() == ["test/3", "test/3", "test/7", "test/7"]
    assert rows["participant"].to_pylist() == ["p1", "p2", "p1", "p2"]
    assert rows["right"].to_pylist() == [False, None, True, True]


def test_scores_are_shares_of_right_answers_by_image_and_participant(protocol):
    rows = {"with": rows_of(protocol), "without": rows_of(protocol, "image")}
    scores = {label: {s.name: s for s in of} for label, of in protocol.summarise(rows).items()}
    right = scores["with"]["right answers"]
    np.testing.assert_array_equal(right.values, [0, np.nan, 1, 1])
    assert right.headline
    assert right.chance == 0.2
    images, people = right.clusters
    assert list(images) == ["test/3", "test/3", "test/7", "test/7"]
    assert list(people) == ["p1", "p2", "p1", "p2"]
    first = scores["with"]["right answers, C1"].values
    np.testing.assert_array_equal(first, [np.nan, np.nan, 1, 1])
    assert "right answers, C1" in scores["without"]
    assert scores["with"]["seconds"].direction == "none"


def test_answers_are_awaited_until_all_are_there(protocol):
    assert protocol.awaited(entry()) == 1
    assert protocol.awaited(entry("image")) == 4


def test_one_answer_that_rates_several_options_is_one_of_those_awaited(tmp_path):
    rows = [("p1", "maps", 3, "trial", None, 5.0, "", "", degree) for degree in (0, 1, 4)]
    folder = write(tmp_path / "answers", rows, design="mistake-rating")
    assert StudyProtocol(MistakeRating(), folder).awaited(entry()) == 4


def test_ratings_are_degrees_and_who_cannot_tell_is_in_no_mean(tmp_path):
    folder = write(tmp_path / "answers", design="mistake-rating")
    protocol = StudyProtocol(MistakeRating(), folder)
    rows = {"a": rows_of(protocol)}
    scores = {score.name: score for score in protocol.summarise(rows)["a"]}
    np.testing.assert_array_equal(scores["degree"].values, [1, 4, 3, np.nan])
    assert scores["degree"].unit == "number"
    assert "right answers" not in scores


def test_notes_say_who_answered_and_how_people_were_found(protocol):
    notes = protocol.notes({"with": rows_of(protocol)})["with"]
    assert notes == {
        "participants": 2,
        "answers": 4,
        "participants left out": {"checks": 1},
        "recruitment": {"where": "here"},
    }


def test_notes_say_how_errors_got_their_categories(tmp_path):
    said = {"items": 2, "people": 2, "kappa": 0.5}
    protocol = StudyProtocol(WrongLabel(), write(tmp_path / "answers", categories=said))
    notes = protocol.notes({"with": rows_of(protocol)})["with"]
    assert notes["annotated error categories"] == said


def test_new_answers_make_new_rows_and_the_place_of_the_file_none(tmp_path):
    trees = [
        StudyProtocol(WrongLabel(), write(tmp_path / name, rows)).parameters()
        for name, rows in (("a", ROWS), ("b", ROWS), ("c", ROWS[:3]))
    ]
    assert trees[0] == trees[1] != trees[2]


@pytest.mark.parametrize(
    ("fields", "facts", "error", "message"),
    [
        ({"condition": "map"}, {}, ParameterError, "has no condition 'map'; it has maps, image"),
        ({}, {"design": "categorisation"}, MismatchError, "are of the design 'categorisation', an"),
        ({"explainer": RandomMap()}, {}, MismatchError, "people see what shown-maps says, not 'ra"),
        ({}, {"wanted": 3}, ParameterError, "cannot be read: 1 validation error"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, fields, facts, error, message):
    protocol = StudyProtocol(WrongLabel(), write(tmp_path / "answers", **facts))
    with pytest.raises(error, match=message):
        protocol.cases(entry(**fields), {})


def test_without_answers_the_way_to_them_is_told(tmp_path):
    with pytest.raises(MismatchError, match="make a study with `xbench study new`, and give what"):
        StudyProtocol(WrongLabel()).artefacts(entry())
    with pytest.raises(ParameterError, match=r"has no answers.parquet; write it with `xbench st"):
        StudyProtocol(WrongLabel(), str(tmp_path)).artefacts(entry())
    folder = write(tmp_path / "a")
    table = pq.read_table(f"{folder}/answers.parquet").drop_columns(["seconds"])
    pq.write_table(table, f"{folder}/answers.parquet")
    with pytest.raises(ParameterError, match=r"answers.parquet lacks the column seconds"):
        StudyProtocol(WrongLabel(), folder).artefacts(entry())


def offering(folder):
    """Exported answers with what was offered, as floors read them."""
    path = write(folder)
    table = pq.read_table(f"{path}/answers.parquet")
    count = table.num_rows
    table = table.append_column("order_classes", [["0 1 2 3 4"] * count])
    pq.write_table(table.append_column("fact_predicted", [[1] * count]), f"{path}/answers.parquet")
    return StudyProtocol(WrongLabel(), path)


def test_floors_are_of_the_images_that_people_answered_about(tmp_path):
    protocol = offering(tmp_path / "answers")
    guessing = entry(explainer=SimulatedGuessing(), role="floor")
    assert [case.id for case in protocol.cases(guessing, {})] == [3, 7]
    assert protocol.awaited(guessing) == protocol.awaited(entry()) + protocol.awaited(
        entry("image")
    )
    observer = SimulatedObserver(ShownMaps("image"), TinyClassifier())
    of = entry(explainer=observer, role="floor")
    assert [case.id for case in protocol.cases(of, {})] == [3]
    (asked,) = protocol.requests(of, protocol.cases(of, {}))
    assert (asked.explainer, asked.ids) == (observer, (3,))
    assert not list(protocol.requests(guessing, []))


def test_simulated_answers_are_named_so_and_enter_no_number_of_people(tmp_path):
    protocol = offering(tmp_path / "answers")
    guessing = entry(explainer=SimulatedGuessing(), role="floor")
    floor = protocol.evaluate(guessing, protocol.cases(guessing, {}), {}, None)
    people = {"with": rows_of(protocol)}
    beside = {**people, "simulated guessing": floor}
    alone, together = protocol.summarise(people)["with"], protocol.summarise(beside)["with"]
    for one, other in zip(alone, together, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.values, other.values)
    scores = {score.name: score for score in protocol.summarise(beside)["simulated guessing"]}
    np.testing.assert_array_equal(scores["right answers"].values, [0.2, 0.2])
    np.testing.assert_array_equal(scores["right answers, C2"].values, [0.2, np.nan])
    assert "seconds" not in scores
    assert protocol.notes(beside)["with"] == protocol.notes(people)["with"]
    assert "no result about people" in protocol.notes(beside)["simulated guessing"]["simulated"]
    assert "no result about people" in protocol.terms()["simulated"]


def test_a_report_draws_people_and_then_stand_ins_by_category(tmp_path):
    protocol = offering(tmp_path / "answers")
    guessing = entry(explainer=SimulatedGuessing(), role="floor")
    floor = protocol.evaluate(guessing, protocol.cases(guessing, {}), {}, None)
    rows = {
        "guessing": [floor],
        "with": [rows_of(protocol)],
        "without": [rows_of(protocol, "image")],
    }
    roles = {"guessing": "floor", "with": "entry", "without": "entry"}
    drawing = protocol.figures(rows, roles, Resampling(resamples=50))["right-answers"]
    people, simulated = drawing.text.split(" Simulated, no people: ")
    assert people.startswith("with: all 66.7")
    assert "C1 100.0 [100.0, 100.0], C2 0.0" in people
    assert "; without: all 100.0 [100.0, 100.0], C1 –, C2 100.0" in people
    assert simulated.startswith("guessing: all 20.0 [20.0, 20.0]")
    labels = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["all\n2 images", "C1\n1 image", "C2\n1 image"]


def test_nothing_is_drawn_of_degrees_or_of_no_answers(tmp_path):
    rating = StudyProtocol(MistakeRating(), write(tmp_path / "a", design="mistake-rating"))
    protocol = StudyProtocol(WrongLabel(), write(tmp_path / "b", []))
    for one in (rating, protocol):
        assert one.figures({"with": [rows_of(one)]}, {"with": "entry"}, Resampling()) == {}
