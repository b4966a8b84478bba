"""Records made by hand: of few fields, with the numbers that a test is about."""

from types import SimpleNamespace

from xbench import DifferenceRecord, IntervalRecord, Record, ScoreRecord

INTERVALS = IntervalRecord(level=0.95, resamples=10, seed=0)


def scored(name, value, low=None, high=None, **changes):
    """A score, a headline unless something else is said; its interval is ±0.01 if not given."""
    if value is not None:
        low, high = (value - 0.01 if low is None else low), (value + 0.01 if high is None else high)
    usual = {"direction": "higher", "headline": True, "n": 10, "n_unscored": 0, "deviation": None}
    return ScoreRecord(name=name, value=value, low=low, high=high, **{**usual, **changes})


def difference(score, minus, value, width=0.02, **changes):
    """A paired difference whose interval is so wide to each side."""
    ends = (None, None) if value is None else (value - width, value + width)
    usual = {"minus_key": "k", "n": 10, "paired": True, "low": ends[0], "high": ends[1]}
    return DifferenceRecord(score=score, minus=minus, value=value, **{**usual, **changes})


def record(label, *scores, role="entry", differences=(), **changes):
    """A record of these scores and differences."""
    usual = {
        "benchmark": "made",
        "benchmark_version": "1",
        "cases": 10,
        "limited_to": None,
        "awaited": 0,
        "artefact_facts": [],
        "intervals": INTERVALS,
        "key": f"key of {label}",
        "status": "complete",
        "times": SimpleNamespace(finished="2026-05-01T12:00:00+00:00"),
        "heading": None,
        "datasets": {},
        "components": {},
        "rows": [[]],
    }
    parts = {"scores": list(scores), "differences": list(differences)}
    return Record.model_construct(label=label, role=role, **parts, **{**usual, **changes})


def compared(*lines, name="hits", direction="higher", width=0.02, unit="share"):
    """Records of one score each, `(label, role, value)`, with the differences of all pairs."""
    return [
        record(
            label,
            scored(name, value, direction=direction, ranking=True, unit=unit),
            role=role,
            differences=[
                difference(name, other, value - theirs, width, unit=unit)
                for other, _, theirs in lines
                if other != label
            ],
        )
        for label, role, value in lines
    ]


def benchmark(**changes):
    """What results ask of a benchmark."""
    protocol = SimpleNamespace(case="image", terms=dict)
    test = SimpleNamespace(dataset=SimpleNamespace(name="pictures"))
    usual = {
        "name": "made",
        "title": "By hand",
        "protocol": protocol,
        "datasets": {"test": test},
        "contrasts": (),
        "published": None,
        "lines": (),
        "repeats": 1,
        "varied": (),
        "notices": (),
    }
    return SimpleNamespace(**{**usual, **changes})
