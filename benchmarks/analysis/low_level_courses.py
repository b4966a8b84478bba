"""What the scores of `low-level-perturbation` do in each image, from the rows of a record.

python benchmarks/analysis/low_level_courses.py STORE RECORD

prints for each repeat, and each image that is scored, the probability of the class in the image
as it is and at the last step, the score of the matching concept at both, raw and as a change of
log P, with its rank correlation ρ with the steps, and which concept rises most in log P; then in
how many images the matching one does. STORE is a folder, RECORD the path of a record in it.
"""

import json
import sys
from pathlib import Path

import pyarrow as pa
from jaxtyping import Float64
from numpy import ndarray

from xbench import Store
from xbench_ces.low_level.rows import Course, Target, courses
from xbench_ces.low_level.summary import (
    Scoring,
    course_judgement,
    rank_correlation,
    reason_not_scored,
)


def main(store: str, path: str) -> None:
    """Print one line for each image, repeat by repeat."""
    record = json.loads(Path(path).read_text())
    parameters = record["protocol"]["parameters"]
    targets = tuple(
        Target(target["class_name"], target["concept"], tuple(target.get("alike", ())))
        for target in parameters["targets"]
    )
    scoring = Scoring(
        targets,
        parameters["perturbation"],
        "log",
        parameters["minimum_probability"],
        parameters["correlation"],
    )
    for repeat, keys in enumerate(record["rows"]):
        tables = [table for key in keys if (table := Store(store).rows(key)) is not None]
        scored_courses = [
            course
            for course in courses(pa.concat_tables(tables))
            if not reason_not_scored(course, scoring)
        ]
        classes = [
            course.class_name
            for course in scored_courses
            if course_judgement(course, scoring, "log").most
        ]
        print(
            f"repeat {repeat}: the matching concept rises most in {len(classes)} of "
            f"{len(scored_courses)}"
        )
        for course in scored_courses:
            remark = "" if course.class_name in classes else "   (not the matching one)"
            print(f"  {line(course)}{remark}")


def line(course: Course) -> str:
    """One image."""
    place = course.concepts.index(course.matching)
    rises = course.logarithmic[-1] - course.logarithmic[0]
    before, after = course.probability[[0, -1]]
    return (
        f"{course.class_name} ({course.matching}): P {before:.3f} → {after:.4f}; "
        f"raw {score(course.raw[:, place])}; log P {score(course.logarithmic[:, place])}; "
        f"most: {course.concepts[int(rises.argmax())]}"
    )


def score(values: Float64[ndarray, " steps"]) -> str:
    """From the first to the last step."""
    return f"{values[0]:+.3f} → {values[-1]:+.3f}, ρ {rank_correlation(values):+.2f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
