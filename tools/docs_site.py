"""Pages of the repository that lie outside docs/, as part of the site: a hook of mkdocs.

A page says `../README.md`, which is right where the repository is read. On the site every file
that is linked so lies below `repository/`, and links are turned there.
"""

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).resolve().parents[1]
DOCS, PLACE = "docs", "repository"
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=(?:#[^)\s]*)?\))")
"""The path of a link in Markdown."""


def on_files(files: Any, config: Any) -> Any:
    """Add what pages link to and docs/ does not hold."""
    waiting = [source for page in files.documentation_pages() if (source := _source(page))]
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            if target not in seen and not _inside(target):
                seen.add(target)
                files.append(_outside(target, config))
                waiting += [target] if target.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to where their files lie on the site."""
    source = _source(page.file)
    return LINK.sub(lambda found: _turned(found[1], source), markdown) if source else markdown


def _outside(target: Path, config: Any) -> File:
    """A file of the repository, as one of the site's that stands in no menu."""
    uri, path = f"{PLACE}/{target.as_posix()}", str(ROOT / target)
    return File.generated(config, uri, abs_src_path=path, inclusion=InclusionLevel.NOT_IN_NAV)


def _source(file: Any) -> Path | None:
    """The file in the repository that a page is made of."""
    return Path(file.abs_src_path).relative_to(ROOT) if file.abs_src_path else None


def _targets(page: Path) -> list[Path]:
    """Files of the repository that a page links to."""
    if page.suffix != ".md":
        return []
    found = (_target(link, page) for link in LINK.findall((ROOT / page).read_text("utf-8")))
    return [target for target in found if (ROOT / target).is_file()]


def _target(link: str, page: Path) -> Path:
    return Path(os.path.normpath(page.parent / link))


def _inside(target: Path) -> bool:
    return target.parts[0] == DOCS


def _turned(link: str, page: Path) -> str:
    """The link as it has to be on the site; one to nothing stays, and mkdocs says so."""
    target = _target(link, page)
    if not (ROOT / target).is_file():
        return link
    return os.path.relpath(_on_site(target), _on_site(page).parent)


def _on_site(file: Path) -> PurePosixPath:
    """Where a file of the repository lies on the site."""
    return PurePosixPath(file.relative_to(DOCS) if _inside(file) else Path(PLACE) / file)
