"""The files that a study was made for: what people say, as similarities and datasets read it."""

from collections.abc import Sequence
from pathlib import Path

from xbench import ParameterError
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.collected import write_labels, write_ratings
from xbench_study.designs.design import Collected
from xbench_study.material.study import Study

RATINGS, LABELS = "ratings.csv", "labels.csv"
"""What similarity `chl` and dataset `label-table` read."""


def write_collected(
    study: Study, collects: Collected, answers: Answers, folder: Path
) -> list[Path]:
    """Write what a design collects, of answers that count; the files, none for most designs."""
    counted = answers.trials().counted()
    if collects == "ratings":
        path = folder / RATINGS
        write_ratings(path, counted, study.secrets, class_names(study))
        return [path]
    if collects == "labels":
        path = folder / LABELS
        write_labels(path, counted, study.secrets, class_names(study))
        return [path]
    return []


def class_names(study: Study) -> Sequence[str]:
    """The names of the classes that options stand for, by index; "" for those of no option."""
    names: dict[int, str] = {}
    for item in study.items.values():
        classes = study.secrets[item.key].classes
        for option in item.options:
            label = classes.get(option.key, -1)
            if names.setdefault(label, option.text) != option.text:
                raise ParameterError(
                    f"{study.folder}: options of class {label} are called {names[label]!r} and "
                    f"{option.text!r}; make the study again with `xbench study new`"
                )
    return [names.get(label, "") for label in range(max(names, default=-1) + 1)]
