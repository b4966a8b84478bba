"""Templates filled in: every string is escaped, and a name that is missing is an error."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from xbench_study.designs.description import Description
from xbench_study.material.study import Study
from xbench_study.pages.words import filled, paragraphs

FOLDER = Path(__file__).parent
STATIC = {"style.css": "text/css", "icon.svg": "image/svg+xml"}
"""Files that every page may ask for, and their types."""
REASONS = {404: "not_found", 405: "not_found", 413: "too_large", 429: "too_many", 500: "broken"}
"""Which text says why there is no page; `refused` says the rest."""


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(FOLDER / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters.update(paragraphs=paragraphs, filled=filled)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment


def page(template: str, description: Description, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of a study; `mark` is a sentence that stands above all of it."""
    known: dict[str, Any] = {
        "study": description,
        "texts": description.texts,
        "mark": "",
        "home": "",
    }
    known["hours"] = f"{description.assignment.resume_hours:g}"
    text = _environment().get_template(f"{template}.html").render(known | values)
    return HTMLResponse(text, status)


def error_page(
    study: Study, status: int, *, mark: str = "", root: str = "", back: str = ""
) -> HTMLResponse:
    """The page of a status, which says what happened and no more; `back` is where to go on."""
    reason = getattr(study.description.texts, REASONS.get(status, "refused"))
    values = {"reason": reason, "shown": status, "mark": mark, "root": root, "back": back}
    return page("error", study.description, status, **values)
