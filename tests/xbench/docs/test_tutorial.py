"""The tutorial works from its first block to its last, in order, in one folder."""

import re
import shlex
import subprocess
import sys

import pytest

from documented import blocks
from strangers import forget, installed_here
from xbench.cli import main

SMALL = ["-p", "dataset.train=80", "-p", "dataset.test=40", "-p", "training.epochs=1", "--quiet"]
LESS = {"run": [*SMALL, "--limit", "8", "--pictures", "1", "--repeats", "1"], "explain": SMALL}
"""What is added to a verb, so that it has less to do."""
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
FLAGS = ("--no-build-isolation", "--disable-pip-version-check")


@pytest.fixture
def site(tmp_path):
    """Where a reader installs plugins; what is installed there is so in this process."""
    (tmp_path / "site").mkdir()
    with installed_here(tmp_path / "site"):
        yield tmp_path / "site"


@pytest.fixture
def follow(tmp_path, site, monkeypatch, capsys):
    """Does what a line says as a reader would in a folder; what `xbench` printed."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")

    def line(text):
        program, verb, *arguments = shlex.split(text)
        if program == "pip":
            subprocess.run([*PIP, *FLAGS, "--target", str(site), *arguments], check=True)
            forget()
            return ""
        assert program == "xbench", text
        with pytest.raises(SystemExit) as ended:
            main([verb, *arguments, *LESS.get(verb, ())])
        printed = capsys.readouterr()
        assert not ended.value.code, f"{text}\n{printed.out}{printed.err}"
        return printed.out

    return line


@pytest.mark.slow
def test_the_tutorial_works_block_by_block(project, follow, tmp_path):
    folder, printed = tmp_path / "work", ""
    for block in blocks(project / "docs" / "tutorial.md"):
        if block.language == "toml":
            (folder / block.text.split("\n")[0].removeprefix("# ")).write_text(block.text)
        elif not block.needs:
            printed += "".join(map(follow, block.text.split("\n")))
    for said in ("'entropy'", "'hesitancy'", "my-score"):
        assert said in printed
    for file in ("first/index.html", "second/index.html", "pictures/toybirds-2000003.png"):
        assert (folder / file).exists(), file


def test_its_words_stand_in_the_glossary(project):
    text = (project / "docs" / "tutorial.md").read_text(encoding="utf-8")
    glossary = (project / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = set(re.findall(r"(?<!\*)\*(\w+)\*(?!\*)", text)) - {"there", "italics"}
    assert {"insecurities", "coverage", "floor"} <= words
    for word in words:
        assert f"| {re.sub('ies$', 'y', word)} |" in glossary, word


def test_the_glossary_has_each_word_once_and_in_order(project):
    glossary = (project / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| (.+?) \|", glossary, re.MULTILINE)[1:]
    assert words == sorted(set(words), key=str.lower)
