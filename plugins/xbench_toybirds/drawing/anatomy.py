"""The shape of a bird: ellipses in the order in which they are painted."""

from dataclasses import dataclass
from typing import Literal

from xbench_toybirds.world import PARTS


@dataclass(frozen=True)
class Stroke:
    """An ellipse of a bird that looks to the right, in units, x to the beak and y down."""

    part: str
    """The part it belongs to, "" for none."""
    x: float
    y: float
    length: float
    """Half axis along the stroke."""
    width: float
    """Half axis across the stroke."""
    tilt: float = 0.0
    """Tangent of half the angle by which the stroke turns clockwise."""
    outline: Literal["ellipse", "beak", "crest"] = "ellipse"
    rim: bool = True
    """Whether its edge is darker."""

    @property
    def label(self) -> int:
        """Index of the part, −1 for none."""
        return PARTS.index(self.part) if self.part else -1


STROKES = (
    Stroke("crown", 0.58, -1.22, 0.46, 0.46, outline="crest"),
    Stroke("beak", 1.44, -0.60, 0.42, 0.34, outline="beak"),
    Stroke("tail", -1.28, 0.10, 0.58, 0.24, -0.12),
    Stroke("leg", -0.10, 1.10, 0.10, 0.42, rim=False),
    Stroke("leg", 0.28, 1.10, 0.10, 0.42, rim=False),
    Stroke("", -0.05, 0.20, 0.98, 0.66, -0.08, rim=False),
    Stroke("belly", -0.02, 0.60, 0.62, 0.34, -0.05),
    Stroke("breast", 0.66, 0.24, 0.36, 0.50, 0.12),
    Stroke("back", -0.34, -0.26, 0.74, 0.30, 0.10),
    Stroke("nape", 0.26, -0.52, 0.30, 0.40, 0.15),
    Stroke("", 0.74, -0.62, 0.58, 0.52, rim=False),
    Stroke("throat", 0.90, -0.20, 0.36, 0.22, -0.12),
    Stroke("wing", -0.32, 0.18, 0.62, 0.31, -0.12),
    Stroke("crown", 0.60, -0.98, 0.42, 0.26, -0.08),
    Stroke("forehead", 1.10, -0.88, 0.22, 0.26, 0.25),
    Stroke("eye", 0.84, -0.58, 0.20, 0.20),
)
