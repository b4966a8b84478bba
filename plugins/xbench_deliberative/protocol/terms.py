"""What the words of the part-ambiguity protocol mean."""

from collections.abc import Mapping
from typing import Literal

INSECURITY = (
    "a region of the image and a pair of classes that, the method says, are hard to tell apart "
    "there."
)
AMBIGUOUS = "a part of the object that looks much the same in both classes: the right answer."
COVERAGE = "how much of the image the region takes; an average is over 10, 20, 30, 40 and 50 %."
POINTS = {
    "precision": "of the parts that the region holds, the share that is ambiguous.",
    "recall": "of the ambiguous parts that can be seen, the share that the region holds.",
}
MASKS = {
    "largest": "what the region and the ambiguous part that it covers most have in common, "
    "as a share of what both cover.",
    "union": "what the region and all ambiguous parts have in common, as a share of what both "
    "cover.",
}


def meanings(
    parts: Literal["points", "masks"], overlap: Literal["largest", "union"]
) -> Mapping[str, str]:
    """A sentence for each word that the scores need."""
    measures = POINTS if parts == "points" else {"IoU": MASKS[overlap]}
    words = {"insecurity": INSECURITY, "ambiguous part": AMBIGUOUS}
    return {**words, **measures, "coverage": COVERAGE}
