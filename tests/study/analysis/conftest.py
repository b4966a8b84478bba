from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from xbench_study.analysis.answers import COLUMNS, read_answers
from xbench_study.designs.description import described
from xbench_study.material.item import Secret

SCHEMA = {
    "image": pa.int64(),
    "position": pa.int64(),
    "chosen": pa.list_(pa.string()),
    "unsure": pa.bool_(),
    "skipped": pa.bool_(),
    "ratings": pa.list_(pa.struct([("option", pa.string()), ("degree", pa.int64())])),
    "right": pa.bool_(),
    "seconds": pa.float64(),
}
PLAIN = {
    "participant": "p0",
    "condition": "maps",
    "item": "0" * 16,
    "image": 0,
    "category": "",
    "kind": "trial",
    "position": 0,
    "chosen": [],
    "unsure": False,
    "skipped": False,
    "ratings": None,
    "right": None,
    "seconds": 6.0,
    "excluded": "",
}


def table_of(rows):
    """A table as it is exported; what a row does not say is as in `PLAIN`."""
    return pa.table(
        {
            name: pa.array([{**PLAIN, **row}[name] for row in rows], SCHEMA.get(name, pa.string()))
            for name in COLUMNS
        }
    )


def answers_of(rows):
    return read_answers(table_of(rows))


def key(number):
    return f"{number:016x}"


def description_of(**tables):
    tree = {
        "design": "wrong-label-2",
        "title": "Wrong label",
        "conditions": [
            {"name": "maps", "title": "With maps", "shows": ["image", "grad-cam"]},
            {"name": "none", "title": "Without maps", "shows": ["image"]},
        ],
        "question": {"text": "What did the model take it for?", "minimum_seconds": 5.0},
        "assignment": {"trials": 20, "answers": 5},
        "texts": {"instructions": "Guess.", "debriefing": "Thanks."},
    }
    return described({**tree, **tables}, "study")


def wrong_label(seed=0, *, images=30, people=12, gap=0.3):
    """Answers of a study whose people are right less often with maps, and the items' secrets."""
    rng = np.random.default_rng(seed)
    rows, secrets = [], {}
    for image in range(images):
        options = {key(1000 + 5 * image + place): (7 * image + place) % 20 for place in range(5)}
        right = next(iter(options))
        secrets[key(image)] = Secret(
            item=key(image),
            image=image,
            right=[right],
            category=f"C{image % 3 + 1}",
            classes=options,
        )
        for place, condition in enumerate(("maps", "none")):
            for person in rng.choice(people // 2, 4, replace=False) + place * people // 2:
                good = bool(rng.random() < 0.5 + gap * place)
                rows.append(
                    {
                        "participant": f"p{person}",
                        "condition": condition,
                        "item": key(image),
                        "image": image,
                        "category": f"C{image % 3 + 1}",
                        "chosen": [right if good else list(options)[rng.integers(1, 5)]],
                        "right": good,
                        "seconds": float(rng.lognormal(2)),
                    }
                )
    return rows, secrets


@pytest.fixture
def study():
    """What tests build exports with."""
    return SimpleNamespace(
        table=table_of,
        answers=answers_of,
        description=description_of,
        key=key,
        wrong_label=wrong_label,
        Secret=Secret,
    )
