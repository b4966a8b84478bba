"""What each column of an export means, as a page in Markdown."""

from collections.abc import Iterator, Mapping

from xbench_study.designs.description import Description
from xbench_study.material.study import Study

ANSWERS = {
    "participant": "who answered: a hash that only the study's secret can make",
    "condition": "the condition in which the item was shown",
    "item": "the item's key",
    "image": "the image's id in its dataset",
    "category": "the error's category: agreed by two researchers, settled, or the key's",
    "kind": "`training`, `practice`, `check` or `trial`; only trials are analysed",
    "position": "which of the participant's trials it was, from 0, all kinds counted alike",
    "order": "keys of the options in the order in which this participant saw them",
    "order_classes": "the classes that these options stand for, where they stand for classes",
    "reply": "`chosen`, `unsure` (don't know), `rated`, `cannot-tell` or `skipped`",
    "option": "the key of what was chosen, several parted by blanks, or of the option rated",
    "option_class": "the class, or classes, that this option stands for",
    "degree": "of a rating: the degree of the scale, from 0",
    "right": "whether the reply is right, as the study's key has it; empty if nothing is right",
    "seconds": "from when the item was first shown to when the answer came; the server's clock",
    "state": "the participant's state: see below",
    "excluded": "the rules that leave the participant out, parted by blanks; empty for none",
}
PARTICIPANTS = {
    "participant": "the same hash as among the answers",
    "condition": "the participant's condition; empty where each meets all of them",
    "state": "`finished`, `taking-part` (not done, or stayed away), `left` (stopped, and kept the "
    "answers) or `failed` (the comprehension questions)",
    "trials": "how many trials were laid out, all kinds",
    "answered": "how many trials of kind `trial` were answered, skipped ones among them",
    "skipped": "how many of those were skipped",
    "checks": "how many checks were answered",
    "checks_right": "how many of those rightly",
    "comprehension_attempts": "how often the comprehension questions were answered",
    "median_seconds": "the median of the seconds of trials of kind `trial`",
    "minutes": "from consent to the end, of those who finished",
    "excluded": "the rules that leave the participant out, parted by blanks; empty for none",
    "platform_hash": "a keyed hash of what the platform calls the participant, where asked for",
}


def codebook(study: Study, people: int) -> str:
    """The page: what the files hold, the rules, and each column."""
    return "\n".join(_lines(study, people)) + "\n"


def _lines(study: Study, people: int) -> Iterator[str]:
    description = study.description
    yield f"# Codebook: {_inline(description.title)}"
    yield ""
    yield f"Design `{description.design}`, version {_inline(description.version)}, study"
    yield f"`{study.identity}`; {people} participants, those of the pilot left out."
    yield "In CSV files, an apostrophe stands before text that a spreadsheet would run."
    yield ""
    yield from _asked(description)
    yield from _rules(description)
    facts = sorted({name for secret in study.secrets.values() for name in secret.facts})
    known = {f"fact_{_inline(name)}": "what the design knows of the item" for name in facts}
    yield from _columns("answers", {**ANSWERS, **known})
    yield from _columns("participants", PARTICIPANTS)


def _asked(description: Description) -> Iterator[str]:
    question = description.question
    yield f"Question: {_inline(question.text)}"
    yield ""
    for degree, words in enumerate(question.scale):
        yield f"- degree {degree}: {_inline(words)}"
    for condition in description.conditions:
        shows = ", ".join(map(_inline, condition.shows))
        yield f"- condition `{condition.name}`: {_inline(condition.title)} (shows {shows})"
    yield ""


def _rules(description: Description) -> Iterator[str]:
    checks = description.checks
    yield "## Who is left out"
    yield ""
    yield "- `comprehension`: the comprehension questions were not answered rightly in "
    yield f"  {checks.attempts} attempts"
    yield f"- `checks`: fewer than {checks.right:.0%} of the checks were answered rightly"
    yield f"- `too-fast`: trials took less than {checks.fastest_seconds:g} s in the median"
    yield ""


def _columns(name: str, columns: Mapping[str, str]) -> Iterator[str]:
    yield f"## {name}.csv, {name}.parquet"
    yield ""
    yield "| column | meaning |"
    yield "|---|---|"
    for column, meaning in columns.items():
        yield f"| {column} | {meaning} |"
    yield ""


def _inline(text: str) -> str:
    """Text within a line and a cell of Markdown."""
    return " ".join(text.split()).replace("|", "\\|")
