"""What benchmark files and the command line say: extending, varying, adjusting."""

import pytest

from xbench.benchmark.declaration import adjust, chain, choose, read, vary
from xbench.errors import ParameterError, UnknownNameError

BASE = """
name = "base"
version = "1"
dataset = "small"
protocol = { name = "judge", images = 5 }
classifier = "plain"
loss = "plain"
splits = { train = "train", test = "test" }
repeats = 2
contrasts = [{ title = "t", of = "a", minus = "b" }]

[training]
epochs = 3
flip = 0.5

[[entries]]
label = "base entry"
explainer = "one"

[published]
source = "somebody"

[variants.tiny]
repeats = 1

[with.large]
transform = { resize = 9 }
protocol = { images = 50 }
"""


@pytest.fixture
def written(tmp_path):
    """Writes a benchmark file beside `base.toml`, and gives its path."""
    (tmp_path / "base.toml").write_text(BASE)

    def write(name, text):
        path = tmp_path / f"{name}.toml"
        path.write_text(f'name = "{name}"\nversion = "1"\n{text}')
        return path

    return write


def test_a_file_that_extends_another_is_laid_on_it(written):
    tree = read(written("own", 'extends = "base"\n[training]\nepochs = 9'))
    assert tree["name"] == "own"
    assert tree["training"] == {"epochs": 9, "flip": 0.5}
    assert tree["entries"][0]["label"] == "base entry"


def test_what_speaks_of_the_bases_entries_is_not_inherited(written):
    tree = read(written("own", 'extends = "base"'))
    assert not {"published", "variants", "contrasts"} & tree.keys()


def test_a_file_with_another_dataset_gets_what_goes_with_it_below_its_own_settings(written):
    text = 'extends = "base"\ndataset = "large"\nprotocol = { share = 0.1 }'
    tree = read(written("own", text))
    assert tree["dataset"] == "large"
    assert tree["transform"] == {"resize": 9}
    assert tree["protocol"] == {"name": "judge", "images": 50, "share": 0.1}


def test_parameters_of_a_dataset_without_its_name_are_those_of_the_bases(written):
    tree = read(written("own", 'extends = "base"\ndataset = { images = 7 }'))
    assert tree["dataset"] == {"name": "small", "images": 7}
    assert "transform" not in tree


def test_a_variants_parameters_of_a_dataset_are_not_kept_for_another():
    tree = {
        "dataset": "small",
        "entries": [],
        "variants": {"tiny": {"dataset": {"images": 3}, "repeats": 1}},
    }
    assert choose(tree, "large")["variants"] == {"tiny": {"repeats": 1}}
    assert choose(tree, "small")["variants"]["tiny"]["dataset"] == {"images": 3}


def test_what_a_file_says_of_its_protocol_for_a_dataset_is_not_said_of_another_protocol(written):
    same = written("same", 'extends = "base"\nprotocol = { images = 7 }')
    assert choose(read(same), "large")["protocol"] == {"name": "judge", "images": 50}
    other = read(written("other", 'extends = "base"\nprotocol = { name = "jury", images = 7 }'))
    chosen = choose(other, "large")
    assert chosen["protocol"] == {"name": "jury", "images": 7}
    assert chosen["transform"] == {"resize": 9}


def test_files_may_extend_files_that_extend(written):
    written("middle", 'extends = "base"\nrepeats = 7')
    assert read(written("own", 'extends = "middle"'))["repeats"] == 7


def test_a_file_knows_those_that_it_extends(written, tmp_path):
    path = written("own", 'extends = "base"')
    assert chain(path) == [path, tmp_path / "base.toml"]


def test_a_file_extends_one_that_is_installed_unless_its_like_lies_beside(written):
    path = written("own", 'extends = "default"\nrepeats = 7')
    assert read(path)["repeats"] == 7
    assert read(path)["title"].startswith("Deliberative")
    written("default", 'extends = "base"\ntitle = "Beside"')
    assert read(path)["title"] == "Beside"


def test_a_file_that_extends_itself_is_refused(written):
    written("egg", 'extends = "hen"')
    with pytest.raises(ParameterError, match=r"hen\.toml extends itself"):
        read(written("hen", 'extends = "egg"'))


def test_a_file_that_extends_nothing_that_is_there_is_refused(written):
    with pytest.raises(ParameterError, match=r"absent\.toml cannot be read"):
        read(written("own", 'extends = "absent"'))


def test_an_unknown_key_is_named_with_its_file(written):
    with pytest.raises(UnknownNameError, match=r"own\.toml.*did you mean 'extends'"):
        read(written("own", 'extend = "base"'))


def test_published_figures_are_those_of_the_files_own_dataset(written):
    tree = read(written("own", 'extends = "base"\npublished = { source = "x" }'))
    assert "published" in choose(tree, dataset="small")
    assert "published" not in choose(tree, dataset="large")


@pytest.fixture
def tree(written):
    return read(written("own", 'extends = "base"\n[variants.tiny]\nrepeats = 1'))


def test_a_variant_is_laid_on_the_file_and_remembered(tree):
    varied = vary(tree, "tiny")
    assert varied["repeats"] == 1
    assert varied["varied"] == ["tiny"]


def test_a_variant_may_bring_other_entries_and_say_why_it_cannot_be_compared(tree):
    variant = {"entries": [{"label": "new", "explainer": "two"}], "not_comparable": "too small"}
    tree = {**tree, "variants": {"new": variant}, "published": {"source": "x"}}
    varied = vary(tree, "new")
    assert [line["label"] for line in varied["entries"]] == ["new"]
    assert varied["published"] == {"source": "x", "not_comparable": "too small"}


def test_an_unknown_variant_is_named_with_those_there_are(tree):
    with pytest.raises(UnknownNameError, match=r"variant of benchmark own 'tine'.*'tiny'"):
        vary(tree, "tine")


def test_changes_reach_what_a_line_has_of_its_own(tree):
    line = {"label": "own", "explainer": "one", "training": {"epochs": 80}}
    changed = adjust({**tree, "entries": [line]}, {"training": {"epochs": 1}})
    assert changed["training"]["epochs"] == 1
    assert changed["entries"][0]["training"] == {"epochs": 1}


def test_changes_of_the_explainer_leave_floors_alone(tree):
    floor = {"label": "f", "role": "floor", "explainer": "two"}
    changed = adjust({**tree, "entries": [*tree["entries"], floor]}, {"explainer": {"top": 3}})
    assert changed["entries"][0]["explainer"] == {"name": "one", "top": 3}
    assert changed["entries"][1] == floor


def test_defaults_can_be_set_from_the_command_line_and_by_variants(written):
    tree = read(written("own", 'extends = "base"'))
    tree["variants"] = {"there": {"defaults": {"dataset": {"small": {"root": "a"}}}}}
    assert vary(tree, "there")["defaults"]["dataset"]["small"] == {"root": "a"}
    changed = adjust(vary(tree, "there"), {"defaults": {"dataset": {"small": {"root": "b"}}}})
    assert changed["defaults"]["dataset"]["small"] == {"root": "b"}
