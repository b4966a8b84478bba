"""The tutorial works from its first block to its last, in order, in one folder."""

import os
import re
import subprocess
import sys

import pytest

from documented import blocks

SMALL = "-p dataset.train=80 -p dataset.test=40 -p training.epochs=1"
XBENCH = f"""#!/bin/sh
case "$1" in
    run) exec {sys.executable} -m xbench "$@" {SMALL} --limit 8 --pictures 1 --quiet ;;
    explain) exec {sys.executable} -m xbench "$@" {SMALL} --quiet ;;
    *) exec {sys.executable} -m xbench "$@" ;;
esac
"""
"""What is called `xbench` here: the same with less to do."""
PIP = f"""#!/bin/sh
shift
exec {sys.executable} -m pip install --quiet --no-deps --no-index --no-build-isolation \
    --disable-pip-version-check --target "$PYTHONPATH" "$@"
"""
"""What is called `pip` here: it installs into a folder of its own."""


@pytest.fixture
def reader(tmp_path):
    """The folder and the environment of somebody who has installed xbench."""
    for name in ("bin", "site", "home", "work"):
        (tmp_path / name).mkdir()
    for name, text in (("xbench", XBENCH), ("pip", PIP)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    ours = {"PYTHONPATH": str(tmp_path / "site"), "XBENCH_HOME": str(tmp_path / "home")}
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return tmp_path / "work", {**os.environ, **ours, "PATH": path}


@pytest.mark.slow
def test_the_tutorial_works_block_by_block(project, reader):
    folder, environment = reader
    where = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    printed = ""
    for block in blocks(project / "docs" / "tutorial.md"):
        if block.language == "toml":
            (folder / block.text.split("\n")[0].removeprefix("# ")).write_text(block.text)
        elif not block.needs:
            called = subprocess.run(["sh", "-ec", block.text], check=False, **where)  # noqa: S607
            assert called.returncode == 0, f"{block.text}\n{called.stdout}{called.stderr}"
            printed += called.stdout
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
