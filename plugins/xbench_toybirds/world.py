"""Genera, classes and their attribute distributions: a pure function of a few numbers."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Int64

from xbench_toybirds import palette
from xbench_toybirds.hashing import integers, permutation

PARTS = (
    "back",
    "beak",
    "belly",
    "breast",
    "crown",
    "forehead",
    "eye",
    "leg",
    "wing",
    "nape",
    "tail",
    "throat",
)
GENERA = ("rubra", "cerula", "verda", "grisa")
SPECIES = ("prima", "secunda", "tertia", "quarta", "quinta")
CLASSES = tuple(f"{genus}-{species}" for genus in GENERA for species in SPECIES)


@dataclass(frozen=True)
class Attribute:
    """One attribute of one part, with the values that it can take."""

    part: int
    name: str
    values: tuple[str, ...]


_SECOND = {
    "back": ("pattern", palette.PATTERNS),
    "beak": ("shape", palette.BEAKS),
    "belly": ("pattern", palette.PATTERNS),
    "breast": ("pattern", palette.PATTERNS),
    "crown": ("shape", palette.CRESTS),
    "tail": ("pattern", palette.PATTERNS),
    "wing": ("pattern", palette.PATTERNS),
}


def _attributes() -> tuple[Attribute, ...]:
    attributes = []
    for part, name in enumerate(PARTS):
        attributes.append(Attribute(part, "colour", palette.COLOUR_NAMES))
        if name in _SECOND:
            attributes.append(Attribute(part, *_SECOND[name]))
    return tuple(attributes)


ATTRIBUTES = _attributes()
"""All attributes, ordered by part; the columns of attribute values."""

WIDEST = max(len(attribute.values) for attribute in ATTRIBUTES)

# Parts in which genera agree with one another: those in one group have one distribution.
# With them about a fifth of all (part, pair of classes) are alike, and the rest is not.
_AGREEING = {"beak": ((0, 1, 2), (3,)), "leg": ((0,), (1, 2, 3)), "eye": ((0, 1), (2, 3))}

# How parts divide the five species of a genus: species with one digit look alike in it.
# In each system, every two species differ in the same number of parts.
_SYSTEMS = {
    2: ("10000", "01000", "00100", "00010", "00001"),
    3: ("00011", "01201", "02110", "20101"),
    4: ("01221", "10122", "21012", "22101", "12210"),
}
_COMPOSED = {2: (2,), 3: (3,), 4: (4,), 5: (3, 2), 6: (3, 3), 7: (4, 3)}
NDIFF = tuple(_COMPOSED)
"""Numbers of parts in which any two species of a genus can differ."""


@dataclass(frozen=True)
class World:
    """What decides the classes: which parts differ, and how strictly a class keeps its looks."""

    seed: int
    ndiff: int
    colour_concentration: float
    shape_concentration: float
    kinship: float

    def forms(self) -> Int64[np.ndarray, "classes parts"]:
        """Which of its genus's three forms each class has in each part."""
        return _forms(self)

    def modes(self) -> Int64[np.ndarray, "classes attributes"]:
        """The most frequent value of each attribute in each class."""
        return _kin(self)[:, :, 0]

    def distributions(self) -> Float64[np.ndarray, "classes attributes values"]:
        """P(value | class) of each attribute, 0 beyond an attribute's own values."""
        return _distributions(self)

    def draw(
        self, labels: Int64[np.ndarray, " n"], uniforms: Float64[np.ndarray, "n attributes"]
    ) -> Int64[np.ndarray, "n attributes"]:
        """Attribute values of images of these classes, by inversion of the uniforms."""
        return self.draw_each(labels[:, None], uniforms)

    def draw_each(
        self,
        labels: Int64[np.ndarray, "#n #attributes"],
        uniforms: Float64[np.ndarray, "n attributes"],
    ) -> Int64[np.ndarray, "n attributes"]:
        """The same, where every attribute may be that of another class."""
        passed = _cumulated(self)[labels, np.arange(len(ATTRIBUTES))] <= uniforms[:, :, None]
        return passed.sum(axis=2)


def genus_of(label: int) -> int:
    """The genus of a class."""
    return label // len(SPECIES)


@cache
def _forms(world: World) -> Int64[np.ndarray, "classes parts"]:
    forms = np.zeros((len(CLASSES), len(PARTS)), dtype=np.int64)
    free = [part for part, name in enumerate(PARTS) if name not in _AGREEING]
    columns = [digits for system in _COMPOSED[world.ndiff] for digits in _SYSTEMS[system]]
    for genus, name in enumerate(GENERA):
        parts = permutation(world.seed, f"parts of {name}", len(free))
        species = permutation(world.seed, f"species of {name}", len(SPECIES))
        for digits, place in zip(columns, parts, strict=False):
            for rank, digit in enumerate(digits):
                forms[genus * len(SPECIES) + species[rank], free[place]] = int(digit)
    forms.flags.writeable = False
    return forms


@cache
def _kin(world: World) -> Int64[np.ndarray, "classes attributes 3"]:
    # The three values of its genus for each attribute, the class's own first.
    kin = np.zeros((len(CLASSES), len(ATTRIBUTES), 3), dtype=np.int64)
    for label in range(len(CLASSES)):
        for column, attribute in enumerate(ATTRIBUTES):
            owner = _owner(genus_of(label), attribute.part)
            stream = f"turn of {GENERA[owner]} {PARTS[attribute.part]} {attribute.name}"
            turn = int(integers(world.seed, [0], stream, [3])[0, 0])
            turn += int(world.forms()[label, attribute.part])
            triple = _triple(owner, len(attribute.values))
            kin[label, column] = [triple[(turn + k) % 3] for k in range(3)]
    kin.flags.writeable = False
    return kin


def _owner(genus: int, part: int) -> int:
    groups = _AGREEING.get(PARTS[part], tuple((g,) for g in range(len(GENERA))))
    return next(group[part % len(group)] for group in groups if genus in group)


def _triple(genus: int, values: int) -> list[int]:
    start = 3 * genus if values >= 3 * len(GENERA) else genus
    return [(start + k) % values for k in range(3)]


@cache
def _distributions(world: World) -> Float64[np.ndarray, "classes attributes values"]:
    distributions = np.zeros((len(CLASSES), len(ATTRIBUTES), WIDEST))
    for column, attribute in enumerate(ATTRIBUTES):
        concentration = world.colour_concentration
        if attribute.name != "colour":
            concentration = world.shape_concentration
        values = len(attribute.values)
        distributions[:, column, :values] = (
            (1.0 - concentration) * (1.0 - world.kinship) / (values - 3)
        )
        for label, (mode, *relatives) in enumerate(_kin(world)[:, column]):
            distributions[label, column, relatives] = (1.0 - concentration) * world.kinship / 2
            distributions[label, column, mode] = concentration
    distributions.flags.writeable = False
    return distributions


@cache
def _cumulated(world: World) -> Float64[np.ndarray, "classes attributes values"]:
    # The last value of an attribute ends at infinity: rounding can draw nothing beyond it.
    cumulated = np.cumsum(world.distributions(), axis=2)
    for column, attribute in enumerate(ATTRIBUTES):
        cumulated[:, column, len(attribute.values) - 1 :] = np.inf
    cumulated.flags.writeable = False
    return cumulated
