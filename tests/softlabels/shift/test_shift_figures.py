"""Pictures of the shift protocol: Figure 2, and what entries gain over the first."""

import numpy as np
import pytest

from shift_rows import rows_of
from xbench import Draws, Resampling
from xbench_softlabels.shift.gains import gain_bands, interactions
from xbench_softlabels.shift.protocol import DistributionShift
from xbench_softlabels.shift.summary import answers_by_set

DRAWS = Draws(Resampling())
FIRST = {"test": [0.5, 0.9, 0.4, 0.6], "far": [2.0, 4.0, 3.0]}
OTHER = {"test": [0.4, 0.6, 0.5, 0.5], "far": [1.0, 2.0, 2.5]}


def sets(by_set):
    return {of.name: of for of in answers_by_set(rows_of(by_set))}


def drawings(tables, **fields):
    rows = {label: [rows_of(by_set)] for label, by_set in tables.items()}
    roles = dict.fromkeys(rows, "entry")
    return DistributionShift(**fields).figures(rows, roles, Resampling())


def differences(name):
    return np.array(FIRST[name]) - np.array(OTHER[name])


def test_a_gain_is_what_is_lower_image_by_image():
    names = ["test", "far"]
    values = gain_bands(sets(FIRST), sets(OTHER), names, DRAWS)
    assert values.values == pytest.approx([differences(name).mean() for name in names])
    for place, name in enumerate(names):
        assert differences(name).min() <= values.low[place] <= values.values[place]
        assert values.values[place] <= values.high[place] <= differences(name).max()


def test_an_interaction_is_a_gain_less_that_on_the_known_set():
    (value,) = interactions(sets(FIRST), sets(OTHER), ["test", "far"], DRAWS).values
    assert value == pytest.approx(differences("far").mean() - differences("test").mean())


def test_a_gain_that_is_the_same_everywhere_is_no_interaction():
    same = {name: [value - 0.3 for value in values] for name, values in FIRST.items()}
    of_all = interactions(sets(FIRST), sets(same), ["test", "far"], DRAWS)
    for part in of_all:
        assert part == pytest.approx([0.0])


def test_there_is_no_gain_where_images_are_not_shared():
    fewer = {**OTHER, "far": [1.0, 2.0]}
    assert np.isnan(gain_bands(sets(FIRST), sets(fewer), ["far"], DRAWS).values).all()
    assert np.isnan(interactions(sets(FIRST), sets(fewer), ["test", "far"], DRAWS).low).all()


def test_figure_2_leads_from_the_known_set_to_the_farthest():
    answers = {"test": [0.5], "b": [3.0, 0.5], "a": [3.0], "c": [0.5]}
    tables = {"x": answers, "y": answers}
    drawing = drawings(tables)["shift"]
    ticks = drawing.figure.axes[1].get_xticklabels()
    assert [text.get_text() for text in ticks] == ["test", "c", "b", "a"]
    assert "x: Accuracy (%) is 100.0 on test, 100.0 on c, 50.0 on b, 0.0 on a." in drawing.text
    known = drawings(tables, known="b")["shift"].figure.axes[1].get_xticklabels()
    assert [text.get_text() for text in known] == ["b", "test", "c", "a"]


def test_the_picture_of_gains_says_of_each_set_what_the_second_entry_gains():
    drawing = drawings({"one": FIRST, "two": OTHER})["gain"]
    assert drawing.title == "What is gained over 'one'"
    gain = gain_bands(sets(FIRST), sets(OTHER), ["far"], DRAWS)
    assert f"1.167 ({gain.low[0]:.3f} to {gain.high[0]:.3f}) on far. two: Int" in drawing.text
    assert drawing.text.startswith("two: Gain is 0.100 (")
    assert "two: Interaction is 1.067 (" in drawing.text


def test_the_ideal_observer_is_drawn_where_it_is_known_and_the_caption_says_so():
    rows = [rows_of(FIRST, 1.0)]
    known = DistributionShift().figures({"x": rows}, {"x": "entry"}, Resampling())["shift"]
    assert "ideal observer: Accuracy (%) is 100.0 on test, 100.0 on far." in known.text
    assert "The dotted line is how often the ideal observer is right" in known.caption
    unknown = drawings({"x": FIRST})["shift"]
    assert "ideal observer" not in unknown.text + unknown.caption


def test_there_is_no_picture_without_a_shift_and_none_of_gains_with_one_entry():
    assert drawings({"x": {"test": [0.5]}}) == {}
    assert set(drawings({"x": FIRST})) == {"shift"}
