"""Concept scores as a table for notebooks: it carries its pictures and needs no style sheet."""

import base64
import io
from collections.abc import Iterable
from html import escape

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from xbench.figures import FAINT, RED, share_text
from xbench_ces.scores.chart import AGAINST, FOR, picture_of, strongest_scores, warning_lines
from xbench_ces.scores.concept_scores import ConceptScores, ScoredConcept

_HALF = 110
"""Pixels of the longest bar."""
_CELL = "text-align:left;padding:1px 8px"


def scores_table(scores: ConceptScores) -> str:
    """The strongest concepts of both signs with their pictures, bars and raw scores."""
    rows = "".join(_row(scores, score) for score in strongest_scores(scores))
    heads = ("", "concept", "family", "score", "change of P(y)", "rank")
    head = _cells(map(escape, heads), "th")
    warnings = "".join(
        f"<p style='color:{RED}'>{escape(text)}</p>" for text in warning_lines(scores)
    )
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<div><p>{escape(_summary(scores))}</p>{body}{warnings}</div>"


def _summary(scores: ConceptScores) -> str:
    images = f", mean over {scores.images} images" if scores.images > 1 else ""
    words = f"Class {scores.label}: P(y) = {share_text(scores.probability)}{images}"
    return f"{words}; predicted class {scores.predicted}; {len(scores.concepts)} concepts scored."


def _row(scores: ConceptScores, score: ScoredConcept) -> str:
    name, family = score.concept
    cells = [
        _image(picture_of(scores, score, None)),
        escape(name),
        f"<span style='color:{FAINT}'>{escape(family)}</span>",
        _bar(score.normalised),
        f"{score.raw:+.3g}".replace("-", "−"),
        f"{float(scores.ranks()[score.place]):g}",
    ]
    return f"<tr>{_cells(cells, 'td')}</tr>"


def _cells(contents: Iterable[str], tag: str) -> str:
    return "".join(f"<{tag} style='{_CELL}'>{content}</{tag}>" for content in contents)


def _bar(value: float) -> str:
    """A bar to the right of the middle for a positive score, to the left for a negative one."""
    length = round(abs(value) * _HALF)
    start, colour = (_HALF, FOR) if value > 0 else (_HALF - length, AGAINST)
    bar = f"position:absolute;left:{start}px;width:{length}px;height:100%;background:{colour}"
    frame = f"position:relative;width:{2 * _HALF}px;height:14px;border:0"
    label = f"{value:+.2f}".replace("-", "−")
    return f"<div style='{frame}' title='{label}'><div style='{bar}'></div></div>"


def _image(picture: UInt8[Tensor, "3 s s"] | None) -> str:
    if picture is None:
        return ""
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "PNG")
    data = base64.b64encode(file.getvalue()).decode()
    return f"<img alt='' width='36' height='36' src='data:image/png;base64,{data}'>"
