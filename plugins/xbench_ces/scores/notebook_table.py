"""Concept scores as a table for notebooks: it carries its pictures and needs no style sheet."""

import base64
import io
from collections.abc import Iterable
from html import escape

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from xbench.figures import FAINT, RED
from xbench_ces.scores.chart import AGAINST, FOR, notes, picture_of, shown
from xbench_ces.scores.concept_scores import ConceptScores, ScoredConcept

_HALF = 110
"""Pixels of the longest bar."""
_CELL = "text-align:left;padding:1px 8px"


def scores_table(found: ConceptScores) -> str:
    """The strongest concepts of both signs with their pictures, bars and raw scores."""
    rows = "".join(_row(found, one) for one in shown(found))
    heads = ("", "concept", "family", "score", "change of P(y)", "rank")
    head = _cells(map(escape, heads), "th")
    warnings = "".join(f"<p style='color:{RED}'>{escape(text)}</p>" for text in notes(found))
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div><p>{escape(_said(found))}</p>{body}{warnings}</div>"


def _said(found: ConceptScores) -> str:
    images = f", mean over {found.images} images" if found.images > 1 else ""
    words = f"Class {found.label}: P(y) = {found.probability:.1%}{images}"
    return f"{words}; predicted class {found.predicted}; {len(found.concepts)} concepts scored."


def _row(found: ConceptScores, one: ScoredConcept) -> str:
    name, family = one.concept
    cells = [
        _image(picture_of(found, one, None)),
        escape(name),
        f"<span style='color:{FAINT}'>{escape(family)}</span>",
        _bar(one.normalised),
        f"{one.raw:+.3g}".replace("-", "−"),
        f"{float(found.ranks()[one.place]):g}",
    ]
    return f"<tr>{_cells(cells, 'td')}</tr>"


def _cells(contents: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag} style='{_CELL}'>{content}</{tag}>" for content in contents)


def _bar(score: float) -> str:
    """A bar to the right of the middle for a positive score, to the left for a negative one."""
    length = round(abs(score) * _HALF)
    start, colour = (_HALF, FOR) if score > 0 else (_HALF - length, AGAINST)
    bar = f"position:absolute;left:{start}px;width:{length}px;height:100%;background:{colour}"
    frame = f"position:relative;width:{2 * _HALF}px;height:14px;border:0"
    label = f"{score:+.2f}".replace("-", "−")
    return f"<div style='{frame}' title='{label}'><div style='{bar}'></div></div>"


def _image(picture: UInt8[Tensor, "3 s s"] | None) -> str:
    if picture is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f"<img alt='' width='36' height='36' src='data:image/png;base64,{data}'>"
