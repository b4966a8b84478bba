"""The page on photos: what it shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "photos.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the source tree is not here")
def test_the_program_on_the_page_prints_what_stands_there(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    _, program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (printed,) = re.findall(r"^    (2 torch\.Size.*)$", page, re.MULTILINE)
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == printed
