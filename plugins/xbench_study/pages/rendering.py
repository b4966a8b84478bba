"""Templates filled in: every string is escaped, and a name that is missing is an error."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from starlette.responses import HTMLResponse
from xbench_study.designs.description import Description
from xbench_study.pages.words import filled, paragraphs

FOLDER = Path(__file__).parent
STYLE = FOLDER / "style.css"


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(FOLDER / "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.filters.update(paragraphs=paragraphs, filled=filled)
    environment.trim_blocks = environment.lstrip_blocks = True
    return environment


def page(
    template: str, description: Description, status: int = 200, **values: Any
) -> HTMLResponse:
    """A page of a study; `mark` is a sentence that stands above all of it."""
    known = {"study": description, "texts": description.texts, "mark": "", "leave": ""}
    text = _environment().get_template(f"{template}.html").render(known | values)
    return HTMLResponse(text, status)
