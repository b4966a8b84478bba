"""The script that builds the bundled nouns."""

import gzip
import importlib.util

import pytest
from click.testing import CliRunner

from xbench_explicable.wordnet.files import DATA


@pytest.fixture
def script(project):
    path = project / "tools" / "wordnet_nouns.py"
    if not path.is_file():
        pytest.skip("the source tree is not here")
    spec = importlib.util.spec_from_file_location("wordnet_nouns", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    """The bundled nouns as the files of a full WordNet."""
    made = tmp_path / "full"
    made.mkdir()
    for name in ("data.noun", "index.noun", "noun.exc"):
        text = gzip.decompress((DATA / f"{name}.gz").read_bytes())
        (made / name).write_bytes(b"  1 A licence.  \n" + text)
    return made


def _built(script, folder, tmp_path, *classes):
    (tmp_path / "classes.txt").write_text("\n".join(classes))
    to = tmp_path / "made"
    to.mkdir(exist_ok=True)
    given = [str(folder), "--classes", str(tmp_path / "classes.txt"), "--to", str(to)]
    ended = CliRunner().invoke(script.main, given, catch_exceptions=False)
    assert ended.exit_code == 0
    texts = {path.name: gzip.decompress(path.read_bytes()).decode() for path in to.glob("*.gz")}
    rows = texts["data.noun.gz"].splitlines()
    lines = {int(row[:8]): script.line_of(row) for row in rows}
    senses = dict(script.senses_of(row) for row in texts["index.noun.gz"].splitlines())
    return lines, senses


def test_classes_come_with_all_that_is_above_them(script, folder, tmp_path):
    lines, _ = _built(script, folder, tmp_path, "n02084071")
    assert 2084071 in lines
    assert 1740 in lines
    for line in lines.values():
        assert all(offset in lines for offset in line.hypernyms)


def test_pointers_lead_to_what_was_kept(script, folder, tmp_path):
    lines, _ = _built(script, folder, tmp_path, "n02084071")
    assert all(offset in lines for line in lines.values() for _, offset, _, _ in line.pointers)


def test_first_senses_of_words_for_a_class_and_what_is_above_it_are_kept(script, folder, tmp_path):
    lines, senses = _built(script, folder, tmp_path, "n01503061")
    assert all(senses[word][0] in lines for word in lines[1503061].words)


def test_all_senses_of_a_noun_are_kept(script, folder, tmp_path):
    lines, senses = _built(script, folder, tmp_path, "otter")
    assert set(senses["otter"]) <= set(lines)


def test_the_same_classes_make_the_same_files(script, folder, tmp_path):
    _built(script, folder, tmp_path, "n02084071")
    first = (tmp_path / "made" / "data.noun.gz").read_bytes()
    _built(script, folder, tmp_path, "n02084071")
    assert (tmp_path / "made" / "data.noun.gz").read_bytes() == first


def test_the_licence_is_taken_from_the_files(script, folder, tmp_path):
    _built(script, folder, tmp_path, "n02084071")
    assert (tmp_path / "made" / "LICENSE.wordnet").read_text() == "A licence.\n"
