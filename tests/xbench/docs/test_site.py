"""The docs as a site: every link and anchor leads somewhere."""

import shutil
import subprocess
import sys
import tomllib

import pytest

from documented import blocks, pages


@pytest.fixture
def sources(project, tmp_path):
    """A copy of all that the site is made of."""
    copy = tmp_path / "sources"
    for name in ("docs", "tools"):
        shutil.copytree(project / name, copy / name)
    for name in ("README.md", "mkdocs.yml"):
        shutil.copy(project / name, copy / name)
    return copy


def build(sources):
    """Build the site into a folder beside its sources; with --quiet warnings would not count."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", "../site"]
    return subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)


def test_the_site_is_built_without_a_complaint(sources):
    built = build(sources)
    assert built.returncode == 0, built.stderr


def test_the_readme_stands_on_the_site_and_its_links_lead_to_pages(sources):
    build(sources)
    text = (sources.parent / "site" / "repository" / "index.html").read_text(encoding="utf-8")
    assert 'href="../records.html"' in text
    assert 'src="../images/explanation.png"' in text
    assert "docs/" not in text.partition("<h1")[2].partition("pip install")[0]


@pytest.mark.parametrize(
    "link", ["records.md#nowhere", "nowhere.md", "../NOWHERE.md", "../README.md#nowhere"]
)
def test_a_link_to_nothing_is_found(sources, link):
    with (sources / "docs" / "index.md").open("a", encoding="utf-8") as page:
        page.write(f"\n[a link]({link})\n")
    built = build(sources)
    assert built.returncode != 0
    assert "nowhere" in built.stderr.lower()


def test_a_page_that_no_menu_has_is_found(sources):
    (sources / "docs" / "lost.md").write_text("# Lost\n")
    assert "lost.md" in build(sources).stderr


def test_nothing_is_fetched_from_elsewhere(sources):
    build(sources)
    for page in (sources.parent / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert '<script src="http' not in text
        assert 'rel="stylesheet" href="http' not in text


def test_every_table_that_a_page_shows_is_toml(project):
    shown = [block for page in pages(project) for block in blocks(page) if block.language == "toml"]
    assert len(shown) > 10
    for block in shown:
        assert tomllib.loads(block.text), f"{block.page}:{block.line}"
