"""Keys: what enters them, and what does not."""

import json
import sys
from dataclasses import dataclass, replace
from importlib import metadata

import pytest

from xbench.interfaces import component
from xbench.interfaces.component import (
    KIN,
    Component,
    content_hash,
    content_key,
    location,
    promised_version,
    provider,
    versions,
)
from xbench.interfaces.recipe import Recipe
from xbench.running.versions import made_again


@dataclass(frozen=True)
class Ruler(Component):
    """Measures with a table."""

    kind, name = "similarity", "ruler"
    length: int = 3
    table: str = location("")


@dataclass(frozen=True)
class Marks(Recipe):
    """Marks on rulers."""

    kind = "marks"
    not_in_key = ("colour",)
    ruler: Ruler
    count: int = 5
    colour: str = "red"

    def build(self, needs, workplace):
        raise AssertionError


def tree(version="0.1.0", own="1", **parameters):
    return {
        "kind": "loss",
        "name": "plain",
        "version": own,
        "distribution": "somebody",
        "distribution_version": version,
        "parameters": parameters,
    }


@pytest.mark.parametrize(
    ("version", "promised"),
    [
        ("0.1.0", "0.1"),
        ("0.1.7", "0.1"),
        ("1.12", "1.12"),
        ("2", "2.0"),
        ("1.0.0.post1", "1.0"),
        ("1.0.0rc1", "1.0.0rc1"),
        ("1.0.0.dev3", "1.0.0.dev3"),
        ("1.0.0+mine", "1.0.0+mine"),
        ("0", "0"),
        ("unknown", "unknown"),
    ],
)
def test_a_release_promises_numbers_for_its_major_and_minor_version(version, promised):
    assert promised_version(version) == promised


def test_a_patch_release_keeps_keys_and_a_minor_one_does_not():
    keys = [content_key({"loss": tree(version)}) for version in ("0.1.0", "0.1.9", "0.2.0")]
    assert keys[0] == keys[1] != keys[2]


def test_keys_begin_alike_where_only_versions_differ():
    old, new = content_key({"a": [tree()]}), content_key({"a": [tree("0.2.0", "2")]})
    assert old[:KIN] == new[:KIN]
    assert old != new
    other = content_key({"a": [tree(alpha=1)]})
    assert other[:KIN] != old[:KIN]


def test_keys_of_needs_count_and_their_versions_do_not_part_kin():
    first, second = content_key({"a": tree()}), content_key({"a": tree("0.2.0")})
    needing = [content_key({"b": 1}, {"weights": key}) for key in (first, second)]
    assert needing[0][:KIN] == needing[1][:KIN]
    assert needing[0] != needing[1]


def test_the_key_of_a_location_is_its_content_wherever_it_lies(tmp_path):
    one, copy, other = (tmp_path / name for name in ("one", "copy", "other"))
    one.write_text("content")
    copy.write_text("content")
    other.write_text("other content")
    trees = [Ruler(table=str(path)).tree() for path in (one, copy, other)]
    assert trees[0] == trees[1] != trees[2]
    assert trees[0]["parameters"] == {"length": 3, "table": content_hash(one)}
    assert str(tmp_path) not in json.dumps(trees)
    assert Ruler(table=str(tmp_path / "nowhere")).tree()["parameters"]["table"] == ""


def test_a_file_that_changes_has_another_hash(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    before = content_hash(path)
    path.write_text("after it")
    assert content_hash(path) != before


def test_a_recipe_derives_its_tree_from_its_fields_but_those_it_names():
    marks = Marks(Ruler(4))
    assert marks.tree() == {"ruler": Ruler(4).tree(), "count": 5}
    assert marks.key == replace(marks, colour="blue").key
    assert marks.key != replace(marks, count=6).key


def test_versions_of_components_and_distributions_are_found_in_nested_trees():
    nested = tree("1.2.3", of=tree("0.1.5", own="7"))
    assert versions([nested]) == {"loss plain": "7", "somebody": "0.1"}


def test_results_under_another_version_are_told_in_one_line():
    said = made_again("rows of a", tree("0.2.0", "2"), [tree("0.2.1", "2"), tree("0.1.0", "1")])
    assert said == (
        "rows of a: the store has results by loss plain 1 (now 2), somebody 0.1 (now 0.2); "
        "they are made again"
    )
    assert made_again("rows of a", tree(), [{}, tree("0.1.9")]) == ""


class Point:
    """An entry point of an installed distribution."""

    def __init__(self, module, name, version="1.0"):
        self.module = module
        self.dist = type("Dist", (), {"name": name, "version": version})()


@pytest.fixture
def installed(monkeypatch):
    """Sets which distributions have which entry points and files."""

    def install(points, files):
        monkeypatch.setattr(metadata, "entry_points", lambda group: points)
        paths = {n: [metadata.PackagePath(f) for f in of or ()] for n, of in files.items()}
        monkeypatch.setattr(metadata, "files", paths.get)
        for cached in (component._provider, component._points, component._owners):
            cached.cache_clear()

    yield install
    monkeypatch.undo()
    for cached in (component._provider, component._points, component._owners):
        cached.cache_clear()


def in_module(name):
    return type("Thing", (), {"__module__": name})


def test_two_distributions_in_one_namespace_are_told_apart_by_their_files(installed):
    installed(
        [Point("acme.birds", "acme-birds"), Point("acme.fish", "acme-fish", "2.0")],
        {"acme-birds": ["acme/birds.py", "acme/wings/__init__.py"], "acme-fish": ["acme/fish.py"]},
    )
    assert provider(in_module("acme.birds")) == ("acme-birds", "1.0")
    assert provider(in_module("acme.wings")) == ("acme-birds", "1.0")
    assert provider(in_module("acme.fish")) == ("acme-fish", "2.0")


def test_an_editable_distribution_is_found_by_the_longest_package_it_shares(installed):
    installed(
        [Point("acme.birds.plugin", "acme-birds"), Point("acme.fish", "acme-fish")],
        {"acme-birds": ["__editable__.acme.pth"], "acme-fish": None},
    )
    assert provider(in_module("acme.birds.wings.left")).name == "acme-birds"
    assert provider(in_module("acme.fish.fins")).name == "acme-fish"
    assert provider(in_module("elsewhere.birds")) == ("unregistered", "0")


def test_what_an_interrupted_installation_left_provides_nothing(installed):
    left = [Point("acme.birds", None, None), Point("acme.fish", "acme-fish")]
    installed(left, {"acme-fish": ["acme/fish.py"]})
    assert provider(in_module("acme.fish")).name == "acme-fish"


def test_our_own_components_are_provided_by_us():
    from xbench.running.executors.local import LocalExecutor

    assert provider(LocalExecutor).name == "xbench-xai"
    assert provider(sys.modules[__name__].Ruler).name == "unregistered"
