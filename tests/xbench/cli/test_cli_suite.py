"""`xbench run` and `show` of suites: several benchmarks, one call."""

import json

import pytest

from xbench.benchmark.declaration import benchmark_folder

CHEAP = ("-p", "dataset.train=60", "-p", "dataset.test=40", "-p", "training.epochs=1")
COMMON = 'extends = "default"\nversion = "1"\nprotocol = "explicability"\n'
FIRST = f"""
{COMMON}
name = "first"
title = "The first"
[[entries]]
label = "plain"
[[entries]]
label = "smooth"
loss = {{ name = "cross-entropy", smoothing = 0.1 }}
"""
SECOND = f"""
{COMMON}
name = "second"
title = "The second"
splits = {{ shifted = "shifted" }}
[grid]
axes = {{ classifier = ["small-cnn"] }}
label = "plain"
"""
SUITE = """\
name = "both"
version = "1"
title = "First and second"
suite = ["first.toml", { benchmark = "second.toml", changes = { dataset = { shifted = 40 } } }]
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A suite beside its benchmarks and what they extend."""
    folder = tmp_path_factory.mktemp("suite")
    texts = {"first": FIRST, "second": SECOND, "suite": SUITE}
    texts["default"] = (benchmark_folder() / "default.toml").read_text()
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)
    return folder / "suite.toml"


@pytest.mark.slow
def test_a_suite_prints_each_benchmark_and_an_overview_of_all(xbench, path, tmp_path):
    given = ("run", "--benchmark", path, "--store", tmp_path / "store", *CHEAP)
    called = xbench(*given, "--report", tmp_path / "pages")
    assert called.code == 0, called.err
    assert "1 entry of a grid: classifier (1)" in called.err
    parts = [
        called.out.index(text) for text in ("The first\n", "The second\n", "First and second\n")
    ]
    assert parts == sorted(parts)
    said = called.out[parts[-1] :].splitlines()
    assert "first" in said[1]  # who wins it, or that nobody does
    overview = said[said.index("First and second: headline scores in per cent") + 1 :]
    assert overview[0].lstrip().startswith("first: similarity of common mistakes@test")
    rows = {line.split()[0]: line.split()[1:] for line in overview[1:3]}
    assert set(rows) == {"plain", "smooth"}
    assert rows["smooth"][-1] == "–"
    ranks = said[said.index("First and second: ranks, with 95 % intervals") + 1 :]
    assert ranks[0].strip() == "first: similarity of common mistakes@test, 2 entries"
    assert {tuple(line.split()[:1]) for line in ranks[1:3]} == {("plain",), ("smooth",)}
    for name in ("first", "second"):
        assert (tmp_path / "pages" / name / "index.html").is_file()
        assert f"report {tmp_path / 'pages' / name / 'index.html'}" in called.out
    assert f"report {tmp_path / 'pages' / 'index.html'}" in called.out
    index = (tmp_path / "pages" / "index.html").read_text()
    for name, title in (("first", "The first"), ("second", "The second")):
        assert f'<a href="{name}/index.html">{title}</a>' in index
    assert "First and second: ranks, with 95 % intervals" in index
    assert index.index("ranks, with") < index.index("headline scores") < index.index("<h3><a")

    before = sorted(path for path in tmp_path.rglob("artefacts/**/*") if path.is_file())
    records = xbench(*given, "--json").json()
    assert [(of["benchmark"], of["label"]) for of in records] == [
        ("first", "plain"),
        ("first", "smooth"),
        ("second", "plain"),
    ]
    assert sorted(path for path in tmp_path.rglob("artefacts/**/*") if path.is_file()) == before

    alone = xbench("run", "--benchmark", path.with_name("first.toml"), *given[3:], "--json").json()
    for of, same in zip(records[:2], alone, strict=True):
        assert of["scores"] == same["scores"]
        assert of["key"] == same["key"]


def test_a_suite_is_shown_with_the_sizes_of_its_grids(xbench, path):
    shown = xbench("show", "benchmark", path)
    assert shown.code == 0, shown.err
    assert shown.out.startswith('name = "both"')
    assert shown.out.endswith("# ── second: 1 entry of a grid: classifier (1)\n")
    given = json.loads(xbench("show", "benchmark", path, "--json").out)
    assert [tree["name"] for tree in given["trees"]] == ["first", "second"]


@pytest.mark.parametrize("verb", ["train", "explain"])
def test_other_verbs_take_one_benchmark(xbench, path, tmp_path, verb):
    photo = ("photo.png",) if verb == "explain" else ()
    called = xbench(verb, *photo, "--benchmark", path, "--store", tmp_path)
    assert called.code == 2
    assert "suite.toml is a suite; only `xbench run` and `show` take more than one" in called.err


def test_benchmarks_that_ask_for_different_executors_are_refused(xbench, path, tmp_path):
    other = path.with_name("other.toml")
    changes = 'changes = { executor = { name = "processes", workers = 2 } }'
    member = f'{{ benchmark = "second.toml", {changes} }}'
    other.write_text(f'name = "o"\nversion = "1"\nsuite = ["first.toml", {member}]')
    called = xbench("run", "--benchmark", other, "--store", tmp_path / "store")
    assert called.code == 2
    assert "benchmarks of one run ask for" in called.err
    assert "choose with -p executor.name=…" in called.err


def test_what_is_wrong_in_one_benchmark_is_found_before_anything_is_run(xbench, path, tmp_path):
    wrong = path.with_name("wrong.toml")
    wrong.write_text('name = "w"\nversion = "1"\nsuite = ["first.toml", "gone.toml"]')
    called = xbench("run", "--benchmark", wrong, "--store", tmp_path / "store")
    assert called.code == 2
    assert "gone.toml cannot be read: No such file or directory" in called.err
    assert not (tmp_path / "store").exists()
