"""What records say beside their scores: chance and published figures, from strangers."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from xbench.benchmark.published import Published
from xbench.results.board.standings.ranking import Figure
from xbench.results.board.standings.submitted import Submitted


def chance(entries: Sequence[Submitted], score: str) -> tuple[float, ...]:
    """The least and the most that guessing is expected to score, if that is known."""
    scores = [one.score(score) for one in entries]
    known = [of.chance for of in scores if of is not None and of.chance is not None]
    return (min(known), max(known)) if known else ()


def published(entries: Sequence[Submitted], score: str) -> tuple[str, tuple[Figure, ...]]:
    """The source of the published figures of a score, and the figures.

    They are what most records that hold some say: no single one can make them up.
    """
    headings = [one.record.heading for one in entries]
    trees = [of.published for of in headings if of is not None and of.published is not None]
    texts = Counter(json.dumps(tree, sort_keys=True) for tree in trees)
    if not texts:
        return "", ()
    (text, count), *others = texts.most_common(2)
    tie = others and others[0][1] == count
    return ("", ()) if tie else _figures(json.loads(text), score)


def _figures(tree: Any, score: str) -> tuple[str, tuple[Figure, ...]]:
    try:
        found = TypeAdapter(Published).validate_python(tree)
    except ValidationError:
        return "", ()
    if score not in found.scores:
        return "", ()
    place = found.scores.index(score)
    figures = [
        Figure(row.label, row.values[place], dict(enumerate(row.deviations)).get(place))
        for row in found.rows
        if len(row.values) == len(found.scores)
    ]
    return found.source, tuple(figures)
