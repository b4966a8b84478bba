"""`xbench run --report` from end to end, small."""

import json
import re

import pytest

from browser import SCHEMES, WIDTHS, browser, seen
from xbench.cli import main

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the tests of this module share, so that they train once."""
    return tmp_path_factory.mktemp("store")


def test_a_run_writes_a_page_with_curves_and_pictures(xbench, quick, store, tmp_path):
    folder = tmp_path / "report"
    options = ("--store", store, "-q", "--report", folder, "--pictures", 2)
    called = xbench("run", *options, *quick)
    assert called.code == 0, called.err
    assert called.out.splitlines()[-1] == f"report {folder / 'index.html'}"
    text = (folder / "index.html").read_text()
    for stem in ("precision-recall", "precision", "recall"):
        assert (folder / f"{stem}.svg").exists()
        assert (folder / f"{stem}.png").exists()
        assert f'src="{stem}.svg"' in text
    assert len(re.findall(r'src="image-\d+\.webp"', text)) == 2
    command = re.search(r"<dt>Command</dt><dd><code>(.*)</code>", text)[1]
    assert command.startswith("xbench run --store ")
    assert command.endswith("-p protocol.images=24")


def test_the_page_has_the_tables_that_are_printed(xbench, quick, store, tmp_path):
    folder = tmp_path / "report"
    options = ("--store", store, "-q", "--report", folder, "--pictures", 0)
    printed = xbench("run", *options, "--full", "--format", "md", *quick).out
    text = (folder / "index.html").read_text()
    titles = re.findall(r"^\*\*(.*)\*\*$", printed, re.MULTILINE)
    assert len(titles) == 5
    for title in titles[1:]:
        assert f">{title}</h3>" in text
    row = re.findall(r"^\| deliberative \| (.*) \|$", printed, re.MULTILINE)[1]
    for cell in row.split(" | "):
        value, interval = cell.split(" ")
        assert re.search(rf"{value}\s*<small>{interval}</small>", text), cell


def test_with_json_only_records_are_printed_and_the_report_is_there(xbench, quick, store, tmp_path):
    options = ("--store", store, "--json", "--report", tmp_path, "--pictures", 0)
    called = xbench("run", *options, *quick)
    assert len(called.json()) == 7
    assert json.loads((tmp_path / "manifest.json").read_text())["files"][-1] == "index.html"


def test_a_folder_with_other_files_is_refused_before_anything_is_run(xbench, quick, tmp_path):
    folder, store = tmp_path / "mine", tmp_path / "store"
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")
    called = xbench("run", "--store", store, "--report", folder, *quick)
    assert called.code == 2
    assert called.err.startswith("error: report folder")
    assert "thesis.tex" in called.err
    assert not store.exists()


def test_several_repeats_give_one_curve_each_with_all_their_images(xbench, quick, store, tmp_path):
    folder = tmp_path / "report"
    options = ("--store", store, "-q", "--repeats", 2, "--report", folder)
    called = xbench("run", *options, "--pictures", 1, *quick)
    assert called.code == 0, called.err
    text = (folder / "index.html").read_text()
    assert "2, seed 0, 1" in text
    assert "±" in text


@pytest.fixture(scope="module")
def page(store, quick, tmp_path_factory):
    """The page of a small run of the default benchmark, with six pictures."""
    folder = tmp_path_factory.mktemp("page")
    options = ("--store", store, "-q", "--report", folder)
    with pytest.raises(SystemExit) as ended:
        main(["run", *map(str, options), *quick])
    assert not ended.value.code
    return folder / "index.html"


def test_a_report_with_six_pictures_is_light(page):
    weights = {path.name: path.stat().st_size for path in page.parent.iterdir()}
    assert len([name for name in weights if name.startswith("image-")]) == 6
    assert max(weights.values()) <= 0.2 * MEGABYTE
    assert sum(weights.values()) <= 2 * MEGABYTE


@pytest.fixture(scope="module")
def chromium():
    with browser() as opened:
        yield opened


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_browser_finds_no_grave_fault_and_the_page_fits(chromium, page, width, scheme):
    look = seen(chromium, page, width, scheme)
    assert not look.faults
    assert not look.broken
    assert look.width == width
