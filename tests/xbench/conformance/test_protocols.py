"""Mistakes of protocols are found, and named by rule."""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from xbench.errors import MismatchError, PluginError
from xbench.interfaces.bench import Request
from xbench.interfaces.data.annotation import Annotation, PartPoints
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.protocol import CaseScores, Protocol
from xbench.testing.conformance.suite import check_component
from xbench.training.recipe import subject_of, weights_recipe

COUNTS = Counter()


class Hits(Protocol):
    """The share of images that are classified as they should be."""

    scores = None

    def needs(self):
        return (PartPoints,)

    def artefacts(self, entry):
        return {"weights": weights_recipe(entry)}

    def cases(self, entry, artefacts):
        return [Case("test", image) for image in entry.datasets["test"].ids()]

    def requests(self, entry, cases):
        ids = tuple(case.id for case in cases)
        return [Request(None, subject_of(entry), entry.datasets["test"], ids)]

    def evaluate(self, entry, cases, artefacts, bench):
        (request,) = Hits.requests(self, entry, cases)
        logits = bench.predictions(request.subject, request.images, request.ids)
        right = logits.argmax(1) == request.images.dataset.labels(request.ids)
        return pa.table({"case": case_column(cases), "right": right.double().numpy()})

    def summarise(self, rows):
        return {label: [hits(table)] for label, table in rows.items()}


def hits(table, name="hits", **options):
    values = np.asarray(table["right"], dtype=np.float64)
    return CaseScores(name, "higher", case_places(table).rows, values, headline=True, **options)


def rows(change):
    return {
        "evaluate": lambda self, entry, cases, a, bench: change(
            Hits.evaluate(self, entry, cases, a, bench)
        )
    }


def counted(table):
    COUNTS["rows"] += 1
    return table.append_column("count", pa.array([COUNTS["rows"]] * table.num_rows))


def turned(self, entry, artefacts):
    COUNTS["cases"] += 1
    cases = Hits.cases(self, entry, artefacts)
    return cases[COUNTS["cases"] % 3 :]


def other_rows(table):
    names = ["test/99999", *table["case"].to_pylist()[1:]]
    return table.set_column(0, "case", pa.array(names))


def summary(change):
    return {"summarise": lambda self, tables: {n: change(t) for n, t in tables.items()}}


def foreign(self, entry, cases):
    (request,) = Hits.requests(self, entry, cases)
    return [request._replace(ids=(-7,))]


def refusing(self, entry, cases, artefacts, bench):
    raise MismatchError("needs other classes")


MISTAKES = {
    "needs that are words": ({"needs": lambda self: ("points",)}, "declared", "needs 'points'"),
    "needs that are no annotations": ({"needs": lambda self: (dict,)}, "declared", "no kind of"),
    "scores of something": ({"scores": dict}, "declared", "which kind of explanation it `scores`"),
    "no word for a case": ({"case": ""}, "declared", "no word for a `case`"),
    "terms that are a list": ({"terms": lambda self: ["share"]}, "terms", "terms as a list, not"),
    "a term without a sentence": (
        {"terms": lambda self: {"share": "what hits"}},
        "terms",
        "explains 'share' by 'what hits', which is no sentence on one line",
    ),
    "a term that is none": ({"terms": lambda self: {"": "It."}}, "terms", "'', which is no term"),
    "empty shards": ({"shard_size": 0}, "declared", "shards of 0 cases"),
    "artefacts that are none": (
        {"artefacts": lambda self, entry: {"weights": 3}},
        "artefacts",
        "'weights' a int, not a Recipe",
    ),
    "ids for cases": (
        {"cases": lambda self, entry, a: [3, 4], "evaluate": lambda *given: pa.table({"case": []})}
        | {"requests": lambda self, entry, cases: ()},
        "cases",
        "cases that are no Case",
    ),
    "cases that change": ({"cases": turned}, "cases", "other cases when it is asked again"),
    "a case twice": (
        {"cases": lambda self, entry, a: 2 * Hits.cases(self, entry, a)[:2]},
        "cases",
        "has a case twice",
    ),
    "other cases for a quick run": (
        {"limited": lambda self, entry, cases, limit: [Case("train", 20)]}
        | {"evaluate": lambda self, e, c, a, b: pa.table({"case": case_column(c)})},
        "cases",
        "none of its cases",
    ),
    "images that there are not": ({"requests": foreign}, "requests", "their set does not have"),
    "a request that is none": (
        {"requests": lambda self, entry, cases: [entry]},
        "requests",
        "asks for a Entry, not by a Request",
    ),
    "rows without cases": (rows(lambda t: t.drop(["case"])), "rows", "no table with a column"),
    "rows that are a list": (rows(pa.Table.to_pylist), "rows", "no table with a column"),
    "a case without rows": (rows(lambda t: t[1:]), "rows", "no rows of case 'test/0'"),
    "rows of another case": (rows(other_rows), "rows", "rows of 'test/99999', for which it was"),
    "rows that change": (rows(counted), "repeatable", "other rows of the same cases"),
    "a summary that loses an entry": (
        {"summarise": lambda self, tables: dict([next(iter(Hits().summarise(tables).items()))])},
        "summary",
        "summarises entries ['one'] where there are ['one', 'other']",
    ),
    "a summary of numbers": (summary(lambda t: [0.5]), "summary", "no CaseScores"),
    "two scores of one name": (summary(lambda t: 2 * [hits(t)]), "summary", "two scores of one"),
    "two scores that rank": (
        summary(lambda t: [hits(t, "a", ranking=True), hits(t, "b", ranking=True)]),
        "summary",
        "two scores that rank",
    ),
    "notes that lose an entry": ({"notes": lambda self, tables: {}}, "notes", "of entries []"),
    "an error": (rows(lambda t: t.nothing), "evaluated", "raises AttributeError"),
    "an error in its summary": (summary(lambda t: 1 / 0), "summary", "raises ZeroDivisionError"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_a_protocol_is_named(planted, told, name):
    methods, rule, text = MISTAKES[name]
    assert told(planted(Hits, methods), "protocol", rule, text)


def test_a_protocol_that_is_right_has_no_faults(planted):
    assert planted(Hits, {}) == []


def test_a_protocol_of_other_data_is_not_at_fault(planted):
    class Elsewhere(Annotation):
        """What the tiny dataset does not have."""

    assert planted(Hits, {"needs": lambda self: (Elsewhere,)}) == []
    assert planted(Hits, {"evaluate": refusing}) == []


class Brightness(Explanation):
    """One map."""

    name = "brightness-map"

    def __init__(self, values):
        self.values = values

    def tensors(self):
        return {"values": self.values}

    @classmethod
    def from_tensors(cls, tensors):
        return cls(tensors["values"])

    def draw(self, batch, examples, class_names):
        return None


@dataclass(frozen=True)
class Bright(Explainer):
    """The brightness of each image."""

    name: ClassVar[str] = "bright"
    makes: ClassVar[type[Explanation]] = Brightness

    def explain(self, network, batch, artefacts, generator, given):
        return [Brightness(image.mean(0)) for image in batch.images]


def mean_brightness(self, entry, cases, artefacts, bench):
    ids = [case.id for case in cases]
    subject, images = subject_of(entry), entry.datasets["test"]
    made = bench.explanations(entry.required_explainer, subject, images, ids)
    means = [float(one.values.mean()) for one in made]
    return pa.table({"case": case_column(cases), "right": means})


OF_MAPS = {"scores": Brightness, "evaluate": mean_brightness, "requests": lambda *given: ()}


def test_a_protocol_is_tried_with_an_explainer_of_its_kind(planted, told):
    assert planted(Hits, OF_MAPS, explainer=Bright) == []
    wrong = {**OF_MAPS, "notes": lambda self, tables: {}}
    assert told(planted(Hits, wrong, explainer=Bright), "protocol", "notes", "of entries []")
    assert planted(Hits, wrong) == []  # nothing is there to be scored


def test_a_protocol_can_be_checked_with_an_explainer_beside_it():
    @dataclass(frozen=True)
    class Maps(Hits):
        """The brightness of maps."""

        name: ClassVar[str] = "maps"
        scores: ClassVar[type[Explanation] | None] = Brightness

        evaluate, requests = mean_brightness, OF_MAPS["requests"]

        def summarise(self, rows):
            return {}

    check_component(Maps())
    with pytest.raises(PluginError, match=r"^protocol 'maps': \[summary\] summarises entries \[\]"):
        check_component(Maps(), [Bright()])
