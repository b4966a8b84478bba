"""Grids: axes of named values become entries, and contrasts name cells by their coordinates."""

import tomllib

import pytest

from xbench.benchmark.assembly import assemble, load_benchmark
from xbench.benchmark.declaration import adjust, benchmark_folder, choose, declared, read, vary
from xbench.benchmark.grid import MOST, extent, grid_entries
from xbench.components.registry import Registry
from xbench.errors import ParameterError, UnknownNameError

GRID = """
[grid]
label = "{target} on {network}"
training = { batch_size = 8 }

[[grid.axes.target]]
name = "hard"

[[grid.axes.target]]
name = "smooth"
loss = { name = "cross-entropy", smoothing = 0.1 }

[grid.axes.network]
values = [
    "small-cnn",
    "small-vgg",
    { name = "narrow", classifier = { name = "small-cnn", widths = [8, 8, 8, 8, 8] } },
]
classifier = "@value"

[[grid.floors]]
label = "untrained {network}"
beside = "network"
training = { epochs = 0 }
"""

FILE = f"""
extends = "default"
name = "crossed"
version = "1"
protocol = "explicability"

[[contrasts]]
title = "what smoothing gives"
of = {{ target = "smooth" }}
minus = {{ target = "hard" }}

[published]
source = "Somebody"
scores = ["accuracy"]

[[published.rows]]
label = {{ target = "hard", network = "small-cnn" }}
values = [50]

[[published.orders]]
higher = {{ target = "smooth", network = "small-vgg" }}
lower = {{ target = "hard" }}
claim = "smoothing helps"

[variants.smoke.grid.axes]
network = ["small-cnn"]

[variants.alone]
entries = [{{ label = "alone" }}]
{GRID}
"""


def grid(text=GRID):
    """The grid of a text."""
    return tomllib.loads(text)["grid"]


@pytest.fixture
def path(tmp_path):
    """A benchmark file with a grid, beside the one that it extends."""
    (tmp_path / "default.toml").write_text((benchmark_folder() / "default.toml").read_text())
    path = tmp_path / "crossed.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def tree(path):
    return read(path)


@pytest.fixture
def registry():
    return Registry(third_party=False)


def labels(benchmark):
    return [line.label for line in benchmark.lines]


def test_every_combination_of_values_is_an_entry_with_coordinates(tree, registry):
    benchmark = assemble(tree, registry)
    cells = [line for line in benchmark.lines if line.role == "entry"]
    assert [line.label for line in cells] == [
        f"{target} on {network}"
        for target in ("hard", "smooth")
        for network in ("small-cnn", "small-vgg", "narrow")
    ]
    assert cells[-1].cell == {"target": "smooth", "network": "narrow"}
    assert cells[-1].classifier.widths == (8, 8, 8, 8, 8)
    assert cells[-1].loss.smoothing == 0.1
    assert {line.training.batch_size for line in cells} == {8}
    assert {line.training.epochs for line in cells} == {7}
    (entry,) = benchmark.entries(cells[-1])
    assert entry.cell == cells[-1].cell


def test_coordinates_are_in_no_key(tree, registry):
    benchmark = assemble(tree, registry)
    entry = next(benchmark.entries(benchmark.lines[0]))
    assert "target" not in str(entry.tree())


def test_entries_outside_the_grid_remain_after_it(tree, registry):
    benchmark = assemble({**tree, "entries": [{"label": "alone"}]}, registry)
    assert labels(benchmark)[-1] == "alone"
    assert benchmark.lines[-1].cell == {}
    assert len(benchmark.lines) == 10


def test_the_number_of_entries_is_said(tree, registry):
    assert assemble(tree, registry).notices == ("6 entries of a grid: target (2) × network (3)",)
    assert extent([]) == extent([{}]) == ""
    assert extent([{"a": "1"}, {"a": "1"}]) == "1 entry of a grid: a (1)"


def test_an_axis_of_components_needs_their_names_alone():
    cells = grid_entries({"axes": {"loss": ["one", "two"], "classifier": "net"}})
    assert [(cell["label"], cell["loss"], cell["classifier"]) for cell in cells] == [
        ("one, net", "one", "net"),
        ("two, net", "two", "net"),
    ]


def test_values_stand_wherever_the_axis_puts_them():
    axis = {
        "values": [0.1, 2, "x"],
        "training": {"learning_rate": "@value"},
        "loss": {"name": "a-@value", "of": ["@value", "same"]},
    }
    cells = grid_entries({"axes": {"rate": axis}})
    assert [cell["training"]["learning_rate"] for cell in cells] == [0.1, 2, "x"]
    assert [cell["label"] for cell in cells] == ["0.1", "2", "x"]
    assert cells[0]["loss"] == {"name": "a-0.1", "of": [0.1, "same"]}


def test_ten_folds_of_three_networks_and_two_losses_are_a_few_lines():
    text = """
    [grid]
    label = "{loss} on {classifier}, fold {fold}"
    [grid.axes]
    loss = ["cross-entropy", "weighted"]
    classifier = ["vgg", "resnet", "densenet"]
    fold = { values = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], training = { fold = "@value" } }
    """
    cells = grid_entries(grid(text))
    assert len(cells) == 60
    assert cells[-1] == {
        "label": "weighted on densenet, fold 9",
        "role": "entry",
        "cell": {"loss": "weighted", "classifier": "densenet", "fold": "9"},
        "loss": "weighted",
        "classifier": "densenet",
        "training": {"fold": 9},
    }


# Floors.


def floors(beside=None, **floor):
    placed = {} if beside is None else {"beside": beside}
    given = {"label": "untrained", "training": {"epochs": 0}, **placed, **floor}
    return [t for t in grid_entries({**grid(), "floors": [given]}) if t["role"] != "entry"]


def test_a_floor_stands_beside_every_cell_and_has_what_the_cell_has():
    found = floors()
    assert len(found) == 6
    assert found[-1] == {
        "label": "untrained: smooth, narrow",
        "role": "floor",
        "cell": {"target": "smooth", "network": "narrow"},
        "training": {"batch_size": 8, "epochs": 0},
        "loss": {"name": "cross-entropy", "smoothing": 0.1},
        "classifier": {"name": "small-cnn", "widths": [8, 8, 8, 8, 8]},
    }


def test_a_floor_may_stand_beside_each_value_of_an_axis():
    found = floors("network", role="ceiling")
    assert [floor["cell"] for floor in found] == [
        {"network": name} for name in ("small-cnn", "small-vgg", "narrow")
    ]
    assert {floor["role"] for floor in found} == {"ceiling"}
    assert not any("loss" in floor for floor in found)
    assert floors(["target", "network"])[0]["label"] == "untrained: hard, small-cnn"


def test_a_floor_may_stand_beside_the_cells_of_one_value():
    found = floors({"target": "smooth"}, label="untrained {network}")
    assert [floor["label"] for floor in found] == [
        f"untrained {name}" for name in ("small-cnn", "small-vgg", "narrow")
    ]
    assert {floor["cell"]["target"] for floor in found} == {"smooth"}


WITH_EXPLAINERS = {
    "axes": {
        "explainer": ["deliberative", "random-pair"],
        "epochs": {"values": [1, 2], "training": {"epochs": "@value"}},
    },
    "floors": [{"label": "random region", "explainer": {"name": "random-region", "of": "@entry"}}],
}


def explaining(tree, **changes):
    protocol = {"name": "part-ambiguity"}
    found = {**tree, "protocol": protocol, "grid": {**WITH_EXPLAINERS, **changes}, "published": {}}
    return {key: value for key, value in found.items() if key not in ("contrasts", "variants")}


def test_a_floor_of_the_grid_builds_on_the_explainer_of_its_cell(tree, registry):
    lines = assemble(explaining(tree), registry).lines
    by_label = {line.label: line for line in lines}
    floor = by_label["random region: random-pair, 2"]
    assert floor.explainer.of == by_label["random-pair, 2"].explainer
    assert floor.training.epochs == 2
    assert floor.cell == by_label["random-pair, 2"].cell


def test_a_floor_outside_the_grid_stands_beside_every_cell_with_its_coordinates(tree, registry):
    floor = {"label": "f", "role": "floor", "explainer": {"name": "random-region", "of": "@entry"}}
    lines = assemble({**explaining(tree, floors=[]), "entries": [floor]}, registry).lines
    by_label = {line.label: line for line in lines}
    assert len(by_label) == 8
    assert by_label["f: random-pair, 2"].cell == {"explainer": "random-pair", "epochs": "2"}
    assert by_label["f: random-pair, 2"].training.epochs == 2


def test_a_floor_beside_cells_of_several_explainers_is_refused():
    floor = {**WITH_EXPLAINERS["floors"][0], "beside": "epochs"}
    with pytest.raises(ParameterError, match="the cells it stands beside have several explainers"):
        grid_entries({**WITH_EXPLAINERS, "floors": [floor]})


# Contrasts and published figures.


def test_contrasts_of_coordinates_are_made_for_every_value_of_the_other_axes(tree, registry):
    found = assemble(tree, registry).contrasts
    assert [(one.title, one.of, one.minus) for one in found] == [
        (f"what smoothing gives: {name}", f"smooth on {name}", f"hard on {name}")
        for name in ("small-cnn", "small-vgg", "narrow")
    ]


def contrast(tree, registry, of, minus):
    tree = {**tree, "contrasts": [{"title": "t", "of": of, "minus": minus}]}
    return [(one.title, one.of, one.minus) for one in assemble(tree, registry).contrasts]


def test_labels_and_coordinates_may_be_mixed(tree, registry):
    own = {**tree, "entries": [{"label": "alone"}]}
    hard = {"target": "hard", "network": "small-vgg"}
    assert contrast(own, registry, "alone", hard) == [("t", "alone", "hard on small-vgg")]
    assert contrast(own, registry, hard, "alone") == [("t", "hard on small-vgg", "alone")]
    assert contrast(own, registry, "alone", {"target": "hard"}) == [
        (f"t: {name}", "alone", f"hard on {name}") for name in ("small-cnn", "small-vgg", "narrow")
    ]
    assert contrast(own, registry, "gone", hard) == []
    assert contrast(own, registry, "@entry", {"target": "smooth"}) == [
        ("t", "hard on small-cnn", "smooth on small-cnn")
    ]


def test_a_contrast_of_an_unknown_axis_is_refused(tree, registry):
    with pytest.raises(UnknownNameError, match=r"contrasts\[0\] 'targt'; did you mean 'target'"):
        contrast(tree, registry, {"targt": "hard"}, "alone")


@pytest.mark.parametrize(
    ("table", "error", "said"),
    [
        ({"title": "t", "of": "a"}, ParameterError, r"contrasts\[0\] lacks 'minus'"),
        ({"title": "t", "off": "a"}, UnknownNameError, r"contrasts\[0\] 'off'; did you mean 'of'"),
    ],
)
def test_a_contrast_that_lacks_something_is_refused(tree, registry, table, error, said):
    with pytest.raises(error, match=said):
        assemble({**tree, "contrasts": [table]}, registry)


def test_published_figures_name_cells_by_coordinates(tree, registry):
    published = assemble(tree, registry).published
    assert [row.label for row in published.rows] == ["hard on small-cnn"]
    (order,) = published.orders
    assert (order.higher, order.lower) == ("smooth on small-vgg", "hard on small-vgg")
    assert order.claim == "smoothing helps"


def test_figures_of_cells_that_are_not_there_are_left_out(tree, registry):
    cut = adjust(tree, {"grid": {"axes": {"network": ["narrow"]}}})
    published = assemble(cut, registry).published
    assert published.rows == published.orders == ()


def test_a_published_row_of_several_cells_is_refused(tree, registry):
    rows = [{"label": {"target": "hard"}, "values": [1]}]
    tree = {**tree, "published": {**tree["published"], "rows": rows}}
    with pytest.raises(ParameterError, match="names several entries: 'hard on small-cnn', 'hard"):
        assemble(tree, registry)


# Variants, changes, files that extend.


def test_a_variant_chooses_of_the_values_of_an_axis_by_their_names(path, registry):
    benchmark = load_benchmark(str(path), registry, variants=["smoke"])
    assert labels(benchmark) == ["hard on small-cnn", "smooth on small-cnn", "untrained small-cnn"]


def test_a_variant_with_entries_takes_the_place_of_the_grid(path, registry):
    benchmark = load_benchmark(str(path), registry, variants=["alone"])
    assert labels(benchmark) == ["alone"]
    assert benchmark.notices == ()


def test_changes_choose_values_replace_them_and_reach_what_they_lay_on_cells(path, registry):
    changes = {
        "grid": {"label": "{target}/{network}", "axes": {"target": "smooth"}},
        "training": {"batch_size": 4},
        "classifier": {"layer": "body"},
        "loss": {"smoothing": 0.3},
    }
    tree = declared(path, changes=[changes])
    cells = [table for table in grid_entries(tree["grid"]) if table["role"] == "entry"]
    assert [cell["label"] for cell in cells] == [
        f"smooth/{name}" for name in ("small-cnn", "small-vgg", "narrow")
    ]
    assert {cell["training"]["batch_size"] for cell in cells} == {4}
    assert {cell["loss"]["smoothing"] for cell in cells} == {0.3}
    assert {cell["classifier"]["layer"] for cell in cells} == {"body"}
    assert [cell["classifier"]["name"] for cell in cells] == ["small-cnn", "small-vgg", "small-cnn"]


def test_what_makes_a_floor_a_floor_is_not_changed(tree, registry):
    changed = adjust(tree, {"training": {"epochs": 3, "batch_size": 4}})
    untrained = [line for line in assemble(changed, registry).lines if line.role == "floor"]
    assert {(of.training.epochs, of.training.batch_size) for of in untrained} == {(0, 4)}


def test_values_that_an_axis_did_not_have_take_the_place_of_its_own(tree):
    changed = adjust(tree, {"grid": {"axes": {"network": ["narrow", "small-resnet"]}}})
    cells = [table for table in grid_entries(changed["grid"]) if table["role"] == "entry"]
    assert cells[0]["classifier"]["widths"] == [8, 8, 8, 8, 8]
    assert cells[1]["classifier"] == "small-resnet"
    given = {"values": [{"name": "a", "classifier": "b"}], "training": {"epochs": 3}}
    changed = adjust(tree, {"grid": {"axes": {"network": given}}})
    cells = [table for table in grid_entries(changed["grid"]) if table["role"] == "entry"]
    assert (cells[0]["classifier"], cells[0]["training"]) == ("b", {"batch_size": 8, "epochs": 3})


def test_what_an_axis_lays_on_all_its_cells_is_changed_without_naming_values(tree):
    changed = adjust(tree, {"grid": {"axes": {"network": {"training": {"epochs": 3}}}}})
    cells = [table for table in grid_entries(changed["grid"]) if table["role"] == "entry"]
    assert len(cells) == 6
    assert {cell["training"]["epochs"] for cell in cells} == {3}


def test_changes_of_the_explainer_reach_cells_and_no_floors(tree):
    changed = adjust(explaining(tree), {"explainer": {"top": 3}})
    tables = grid_entries(changed["grid"])
    assert [t["explainer"].get("top") for t in tables] == [3] * 4 + [None] * 4
    with pytest.raises(ParameterError, match="explainer: no entry of this benchmark has one"):
        adjust(tree, {"explainer": {"top": 3}})


def test_a_grid_of_ceilings_keeps_its_explainers(tree):
    ceilings = explaining(tree, role="ceiling", floors=[])
    changed = adjust(ceilings, {"explainer": {"top": 3}})
    assert grid_entries(changed["grid"]) == grid_entries(ceilings["grid"])


def test_a_change_of_a_grid_that_is_not_there_is_refused(tree):
    with pytest.raises(ParameterError, match="grid: this benchmark has none"):
        adjust({**tree, "grid": {}}, {"grid": {"label": "x"}})


def test_a_file_that_extends_one_with_a_grid_lays_its_own_on_it(path):
    own = path.with_name("own.toml")
    own.write_text(
        'extends = "crossed"\nname = "own"\nversion = "1"\n[grid.axes]\nnetwork = "narrow"'
    )
    assert extent(t["cell"] for t in grid_entries(read(own)["grid"]) if t["role"] == "entry") == (
        "2 entries of a grid: target (2) × network (1)"
    )
    own.write_text('extends = "crossed"\nname = "own"\nversion = "1"\nentries = [{ label = "a" }]')
    tree = read(own)
    assert "grid" not in tree
    assert [line["label"] for line in tree["entries"]] == ["a"]


def test_a_grid_takes_the_place_of_the_entries_of_a_file_without_one(tree):
    assert tree["entries"] == []


def test_the_grid_of_a_file_that_brings_entries_as_well_keeps_both(path):
    path.write_text(path.read_text() + '\n[[entries]]\nlabel = "alone"\n')
    assert [line["label"] for line in read(path)["entries"]] == ["alone"]
    cut = vary(read(path), "smoke")
    assert [line["label"] for line in cut["entries"]] == ["alone"]


def test_another_explainer_takes_the_place_of_the_grid_with_a_word(tree, registry):
    benchmark = assemble(choose(explaining(tree), explainer="random-pair"), registry)
    assert labels(benchmark) == ["random-pair"]
    assert benchmark.notices == (
        "explainer 'random-pair' takes the place of the grid and of its floors",
    )


# What is refused.


ONE = {"axes": {"loss": ["a", "b"]}}
MISTAKES = {
    "no axes": ({"label": "x"}, "grid: it needs axes; write grid.axes.NAME = […]"),
    "axes that are no table": ({"axes": ["a"]}, "grid: it needs axes; write grid.axes.NAME = […]"),
    "an empty axis": (
        {"axes": {"loss": []}},
        "grid.axes.loss: an axis needs at least one value",
    ),
    "an axis without values": (
        {"axes": {"loss": {"training": {"epochs": 1}}}},
        "grid.axes.loss: an axis needs at least one value",
    ),
    "an axis without a name": (
        {"axes": {" ": ["a"]}},
        "grid.axes. : an axis needs a name without braces",
    ),
    "an axis with a brace": (
        {"axes": {"a}": ["a"]}},
        "grid.axes.a}: an axis needs a name without braces",
    ),
    "a value without a name": (
        {"axes": {"loss": [{"loss": "a"}]}},
        "grid.axes.loss[0]: a value needs a name, got {'loss': 'a'}",
    ),
    "a value with an empty name": (
        {"axes": {"loss": [" "]}},
        "grid.axes.loss[0]: a value needs a name, got {'name': ' ', 'loss': ' '}",
    ),
    "two values of one name": (
        {"axes": {"loss": ["a", "a"]}},
        "grid.axes.loss: two values are called 'a'",
    ),
    "a value that is laid on nothing": (
        {"axes": {"fold": [0]}},
        "grid.axes.fold[0]: nothing says what 0 is laid on; write a table with a name, or beside",
    ),
    "an unknown key": (
        {**ONE, "axis": {}},
        "unknown key in grid 'axis'; did you mean 'axes'?",
    ),
    "an unknown key of an axis": (
        {"axes": {"loss": {"value": ["a"]}}},
        "unknown key in grid.axes.loss 'value'; did you mean 'values'?",
    ),
    "an unknown key of a value": (
        {"axes": {"loss": [{"name": "a", "dataset": "b"}]}},
        "unknown key in grid.axes.loss[0] 'dataset'",
    ),
    "an unknown placeholder": (
        {**ONE, "label": "{los}"},
        "unknown axis in grid.label 'los'; did you mean 'loss'?",
    ),
    "a label that is no text": ({**ONE, "label": 3}, "grid.label: expected a text, got 3"),
    "two cells of one label": (
        {**ONE, "label": "x"},
        "grid.label 'x' gives two cells the label 'x': name in it each axis, {loss}",
    ),
    "two cells that are the same": (
        {"axes": {"loss": [{"name": "a"}, {"name": "b"}]}},
        "grid: 'a' and 'b' are the same but for their names; was one component chosen for all",
    ),
    "axes that contradict each other": (
        {"axes": {"loss": ["a"], "target": [{"name": "t", "loss": {"name": "b"}}]}},
        "grid: loss 'a' has loss.name = 'a', and target 't' has 'b'; let one axis alone say it",
    ),
    "too many cells": (
        {"axes": {"loss": [f"a{n}" for n in range(MOST + 1)]}},
        "grid: 1001 cells (1001), and at most 1000 can be one benchmark; write several files, and",
    ),
    "an unknown role": ({**ONE, "role": "flor"}, "unknown role in grid 'flor'"),
    "a floor without a label": ({**ONE, "floors": [{}]}, "grid.floors[0] needs a label"),
    "floors that are no tables": (
        {**ONE, "floors": ["a"]},
        "grid.floors: write each as a table, [[grid.floors]]",
    ),
    "a floor that is an entry": (
        {**ONE, "floors": [{"label": "f", "role": "entry"}]},
        "unknown role in grid.floors[0] 'entry'",
    ),
    "a floor beside an unknown axis": (
        {**ONE, "floors": [{"label": "f", "beside": "los"}]},
        "unknown axis in grid.floors[0].beside 'los'; did you mean 'loss'?",
    ),
    "a floor beside an unknown value": (
        {**ONE, "floors": [{"label": "f", "beside": {"loss": "c"}}]},
        "unknown value of axis loss in grid.floors[0].beside 'c'",
    ),
    "an unknown key of a floor": (
        {**ONE, "floors": [{"label": "f", "besides": "loss"}]},
        "unknown key in grid.floors[0] 'besides'; did you mean 'beside'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_grid_is_named(mistake):
    given, said = MISTAKES[mistake]
    with pytest.raises((ParameterError, UnknownNameError)) as caught:
        grid_entries(given)
    assert str(caught.value).startswith(said)


def test_labels_of_cells_and_entries_must_differ(tree, registry):
    tree = {**tree, "entries": [{"label": "hard on small-cnn"}]}
    with pytest.raises(ParameterError, match="crossed: two entries are called 'hard on small-cnn'"):
        assemble(tree, registry)


def test_a_classifier_chosen_for_all_networks_of_a_grid_is_refused(path, registry):
    with pytest.raises(ParameterError, match="are the same but for their names"):
        load_benchmark(str(path), registry, changes={"classifier": "small-resnet"})


def test_a_file_without_entries_or_a_grid_is_refused(path):
    text = path.read_text().replace('extends = "default"', "").partition("[grid]")[0]
    path.write_text(f'dataset = "a"\nclassifier = "b"\nloss = "c"\nsplits = {{}}\n{text}')
    with pytest.raises(ParameterError, match=r"crossed\.toml lacks 'entries' or a 'grid'"):
        read(path)
