"""A browser that looks at pages: what axe-core finds of them, and whether they fit a window."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Of the programs that will do."""
GRAVE = ("serious", "critical")
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
"""Pixels, of a desk and of a phone."""


class Seen(NamedTuple):
    """What a browser makes of a page at one width, in one colour scheme."""

    faults: list[str]
    """The serious and critical ones of axe-core, each with where it is."""
    width: int
    """Pixels that the page takes."""
    broken: list[str]
    """Pictures that cannot be shown."""


def program() -> str:
    """The path of a browser; the test is skipped without one, or fails where it is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = f"no browser ({', '.join(NAMES)}) on PATH; install one, such as apt's chromium"
    if os.environ.get("XBENCH_TEST_BROWSER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser of playwright's that runs without a window."""
    from playwright.sync_api import sync_playwright

    path = program()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def seen(opened: Any, file: Path, width: int, scheme: str) -> Seen:
    """How a browser shows a page with all that is folded away opened."""
    from axe_playwright_python.sync_playwright import Axe

    page = opened.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(file.resolve().as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate("document.querySelectorAll('img').forEach(i => { i.loading = 'eager' })")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    broken = "[...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    violations = Axe().run(page).response["violations"]
    faults = [_fault(of) for of in violations if of["impact"] in GRAVE]
    taken = page.evaluate("document.documentElement.scrollWidth")
    look = Seen(faults, taken, page.evaluate(broken))
    page.close()
    return look


def _fault(violation: dict[str, Any]) -> str:
    places = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
    return f"{violation['id']} ({violation['impact']}): {violation['help']}, at {places}"
