"""Suites: files that list benchmarks."""

import pytest

from xbench.benchmark.declaration import benchmark_folder, read
from xbench.benchmark.suite import is_suite, load_suite
from xbench.components.registry import Registry
from xbench.errors import ParameterError, UnknownNameError, UsageError

HEAD = 'name = "all"\nversion = "2"\ntitle = "All"\n'
OWN = 'extends = "default"\nname = "own"\nversion = "1"\nrepeats = 2\n'


@pytest.fixture
def written(tmp_path):
    """Writes a suite beside a file of its own, and gives its path."""
    (tmp_path / "default.toml").write_text((benchmark_folder() / "default.toml").read_text())
    (tmp_path / "own.toml").write_text(f"{OWN}[variants.tiny]\nseed = 7")

    def write(text):
        path = tmp_path / "suite.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def load(written):
    def call(members, head=HEAD, **chosen):
        path = written(f"{head}suite = {members}")
        return load_suite(str(path), Registry(third_party=False), **chosen)

    return call


def test_a_suite_has_the_benchmarks_that_it_lists_by_name_or_by_a_path_beside_it(load):
    suite = load('["own.toml", "explicable-toybirds"]')
    assert (suite.name, suite.version, suite.title) == ("all", "2", "All")
    assert [benchmark.name for benchmark in suite.benchmarks] == ["own", "explicable-toybirds"]
    assert {benchmark.suite for benchmark in suite.benchmarks} == {"all"}


def test_a_member_has_variants_a_dataset_and_changes_of_its_own(load):
    member = (
        '{ benchmark = "own.toml", dataset = "folder:here", variants = ["tiny"], '
        'changes = { dataset = "toybirds", training = { epochs = 2 } } }'
    )
    (benchmark,) = load(f"[{member}]").benchmarks
    assert benchmark.varied == ("tiny",)
    assert (benchmark.seed, benchmark.training.epochs) == (7, 2)
    assert benchmark.datasets["test"].dataset.name == "toybirds"
    assert benchmark.datasets["test"].transform.crop == 192  # what goes with a folder


def test_what_is_chosen_of_a_suite_is_laid_on_all_its_benchmarks_after_their_own(load):
    member = '{ benchmark = "own.toml", changes = { training = { epochs = 2 }, seed = 4 } }'
    chosen = {"training": {"epochs": 1}}
    suite = load(f'[{member}, "default"]', changes=chosen, explainer="random-pair")
    assert [benchmark.training.epochs for benchmark in suite.benchmarks] == [1, 1]
    assert [benchmark.seed for benchmark in suite.benchmarks] == [4, 0]
    assert {benchmark.lines[0].label for benchmark in suite.benchmarks} == {"random-pair"}
    assert load('["own.toml"]', variants=["tiny"]).benchmarks[0].varied == ("tiny",)


def test_a_benchmark_alone_is_of_no_suite(load, written):
    assert not is_suite(written("").with_name("own.toml"))
    assert is_suite(written("suite = []"))


MISTAKES = {
    "no benchmark": ("[]", "suite all: it needs at least one benchmark; write suite = […]"),
    "no list": ('"own.toml"', "suite all: it needs at least one benchmark; write suite = […]"),
    "no name": ("[3]", "suite all: suite[0]: expected a benchmark's name, or a table with"),
    "a table without one": (
        '[{ variants = ["tiny"] }]',
        "suite all: suite[0]: expected a benchmark's name, or a table with `benchmark`",
    ),
    "an unknown key": (
        '[{ benchmark = "own.toml", variant = "tiny" }]',
        "unknown key of suite all: suite[0] 'variant'; did you mean 'variants'?",
    ),
    "variants that are no list": (
        '[{ benchmark = "own.toml", variants = "tiny" }]',
        "suite all: suite[0]: variants are a list of names, and changes a table",
    ),
    "changes that are no table": (
        '[{ benchmark = "own.toml", changes = 3 }]',
        "suite all: suite[0]: variants are a list of names, and changes a table",
    ),
    "a suite": (
        '["own.toml", "suite.toml"]',
        "suite all: suite[1]: 'suite.toml' is a suite; list its benchmarks",
    ),
    "one name twice": (
        '["own.toml", { benchmark = "own.toml", variants = ["tiny"] }]',
        "suite all: two of its benchmarks are called 'own'; write a file that extends it, with a",
    ),
    "an unknown benchmark": ('["defualt"]', "unknown benchmark 'defualt'; did you mean 'default'?"),
    "an unknown variant": (
        '[{ benchmark = "own.toml", variants = ["tin"] }]',
        "unknown variant of benchmark own 'tin'; did you mean 'tiny'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_suite_is_named(mistake, load):
    members, said = MISTAKES[mistake]
    with pytest.raises(UsageError) as caught:
        load(members)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("head", "error", "said"),
    [
        ('name = "all"\n', ParameterError, r"suite .*suite\.toml lacks 'version'"),
        ('version = "1"\n', ParameterError, r"suite .*suite\.toml lacks 'name'"),
        ('name = "../a"\nversion = "1"\n', ParameterError, "benchmark name '../a': write letters"),
        (f"{HEAD}repeats = 2\n", UnknownNameError, r"key in suite .*suite\.toml 'repeats'"),
    ],
)
def test_a_mistake_beside_the_list_is_named(head, error, said, load):
    with pytest.raises(error, match=said):
        load('["own.toml"]', head)


def test_where_one_benchmark_is_wanted_a_suite_is_refused(written):
    path = written(f'{HEAD}suite = ["own.toml"]')
    with pytest.raises(ParameterError, match=r"suite\.toml is a suite; only `xbench run` and"):
        read(path)


def test_a_suite_without_its_list_is_a_benchmark_that_lacks_much(load, written):
    with pytest.raises(ParameterError, match=r"suite .*suite\.toml lacks 'suite'"):
        load_suite(str(written(HEAD)))
