"""Similarities on the command line."""

import pytest

from xbench import DatasetError, MismatchError, ParameterError, UnknownNameError
from xbench_explicable.commands.similarity import command

OF = 'similarity.of={name="toybirds", test=40}'


@pytest.fixture
def similarity(invoked):
    """Calls `xbench similarity` with these arguments, on drawn birds."""

    def call(*arguments):
        given = [*map(str, arguments), "--dataset", "toybirds", "-p", "dataset.test=40"]
        return invoked(command, given)

    return call


def test_a_similarity_is_built_checked_and_shown_again(similarity, tmp_path):
    file = tmp_path / "s.csv"
    built = similarity("build", "hierarchy", "--to", file)
    assert f"written to {file}" in built.out
    checked = similarity("check", file)
    assert checked.out.startswith(f"{file} is a similarity of the 20 classes of toybirds\n")
    shown = similarity("show", file, "--json").json()
    assert shown["matrix"][0][:6] == [1, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1 / 5]


def test_few_classes_are_shown_as_a_table(similarity):
    lines = similarity("show", "hierarchy").out.splitlines()
    assert lines[0] == "# Similarity hierarchy of toybirds"
    assert lines[1].split("\t")[:2] == ["true", "rubra-prima"]
    assert lines[2].split("\t")[:3] == ["rubra-prima", "1.000", "0.333"]


def test_one_class_is_shown_by_nearness(similarity):
    lines = similarity("show", "hierarchy", "--of", "verda-tertia").out.splitlines()
    assert lines[0] == "# Nearness to verda-tertia"
    assert lines[2] == "verda-tertia\t1.000"
    assert lines[3].startswith("verda-prima\t0.333")


def test_labels_and_targets_are_told(similarity):
    out = similarity("show", "ihl", "-p", OF).out
    assert "labels needed: 2000" in out
    assert "annotators: simulated" in out
    assert "target normalised: true class" in out


def test_parameters_of_the_similarity_are_taken(similarity):
    of = 'similarity.of=[{name="ihl", of={name="toybirds", test=40}}, "hierarchy"]'
    shown = similarity("show", "mean", "-p", of, "--json")
    assert shown.json()["labels_needed"] == 2000
    assert not shown.json()["symmetric"]


@pytest.mark.parametrize("name", ["s.png", "s.svg"])
def test_a_heat_map_is_drawn(similarity, tmp_path, name):
    similarity("show", "hierarchy", "--to", tmp_path / name)
    assert (tmp_path / name).stat().st_size > 10_000


def test_classes_nearer_to_others_than_to_themselves_are_told(similarity, tmp_path):
    file = tmp_path / "s.csv"
    similarity("build", "hierarchy", "--to", file)
    file.write_text(file.read_text().replace("verda-prima,0.2,", "verda-prima,7,", 1))
    message = similarity("check", file).out
    assert "nearer to another class than to themselves: verda-prima" in message
    assert similarity("check", file, "--json").json()["symmetric"] is False


def test_many_classes_are_shown_by_their_nearest_and_farthest_pairs(named):
    import torch

    from xbench_explicable.similarities.facts import Facts

    names = tuple(f"c{index}" for index in range(30))
    matrix = torch.eye(30, dtype=torch.float64)
    matrix[3, 5] = matrix[5, 3] = 0.5
    nearest, farthest = Facts("s", "d", names, matrix, 0, {}).tables()
    assert nearest[0] == "Nearest of 435 pairs"
    assert nearest[2][0] == ["c3", "c5", "0.500"]
    assert len(farthest[2]) == 5
    matrix[5, 3] = 0.25
    nearest, _ = Facts("s", "d", names, matrix, 0, {}).tables()
    assert nearest[0] == "Nearest of 870 pairs"
    assert nearest[2][:2] == [["c3", "c5", "0.500"], ["c5", "c3", "0.250"]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("show", "hierachy"), UnknownNameError, "unknown similarity 'hierachy'; did you mean 'hi"),
        (("show", "ekl"), MismatchError, "has no noun for 20 of the 20 classes"),
        (("show", "ekl", "-p", "similarity.senses=odd"), UnknownNameError, "similarity.senses"),
        (("show", "ekl", "-p", "similarity.senses"), ParameterError, "write it as -p component"),
        (("show", "nowhere.csv"), DatasetError, "nowhere.csv: it cannot be read"),
        (("show", "hierarchy", "--of", "verda"), UnknownNameError, "unknown class of toybirds"),
        (("show", "hierarchy", "--to", "a.txt"), ParameterError, "a file that ends in .png or"),
        (("show", "ihl"), ParameterError, "similarity needs the parameter 'of'"),
        (("build", "hierarchy", "--to", "s.txt"), ParameterError, "a file that ends in .csv"),
        (("build", "hierarchy", "--to", "no/s.csv"), ParameterError, "there is no folder 'no'"),
        (("check", "nowhere.csv"), DatasetError, "nowhere.csv: it cannot be read"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    similarity, tmp_path, monkeypatch, arguments, error, message
):
    monkeypatch.chdir(tmp_path)
    called = similarity(*arguments)
    assert isinstance(called.error, error)
    assert message in str(called.error)
    assert called.error.exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("verb", "name"), [("build", "s.csv"), ("show", "s.png")])
def test_a_file_that_cannot_be_written_is_told(similarity, tmp_path, verb, name):
    (tmp_path / name).mkdir()
    called = similarity(verb, "hierarchy", "--to", tmp_path / name)
    assert isinstance(called.error, ParameterError)
    assert str(called.error) == f"--to {tmp_path / name}: it cannot be written (Is a directory)"


def test_what_cannot_be_built_writes_nothing(similarity, tmp_path):
    called = similarity("build", "ekl", "--to", tmp_path / "s.csv")
    assert isinstance(called.error, MismatchError)
    assert not list(tmp_path.iterdir())
