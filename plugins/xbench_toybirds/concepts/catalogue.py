"""Concepts in four families, and images that show them or do not."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Int64, UInt8

from xbench import Concept, UnknownNameError
from xbench_toybirds import palette
from xbench_toybirds.concepts.qualities import QUALITIES, with_quality
from xbench_toybirds.concepts.textures import TEXTURES, texture
from xbench_toybirds.drawing.anatomy import STROKES
from xbench_toybirds.drawing.contexts import CONTEXTS
from xbench_toybirds.drawing.render import render
from xbench_toybirds.drawing.scene import FRAME, USUAL, Scenes, draw_scenes
from xbench_toybirds.hashing import integers
from xbench_toybirds.world import ATTRIBUTES, CLASSES, PARTS, World

FAMILIES = ("objects and parts", "settings", "textures", "image qualities")

_Ids = Int64[np.ndarray, " n"]
_Images = UInt8[np.ndarray, "n h w 3"]


class Depiction(ABC):
    """How images with and without a concept come about."""

    family: str

    @abstractmethod
    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Images that show the concept, or that do not."""


def _birds(world: World, ids: _Ids) -> Scenes:
    labels = integers(world.seed, ids, "bird of a concept", [len(CLASSES)])[:, 0]
    return draw_scenes(world, ids, labels, USUAL)


def _uncovered(scenes: Scenes) -> Scenes:
    return scenes._replace(occluders=scenes.occluders * _KEEP_NO_LENGTH)


_KEEP_NO_LENGTH = np.array((1, 1, 0, 1, 1, 1), dtype=np.float32)


def _pixels(scenes: Scenes) -> _Images:
    return render(scenes).pixels


def _choices(world: World, ids: _Ids, options: list[int], stream: str) -> Int64[np.ndarray, " n"]:
    return np.array(options)[integers(world.seed, ids, stream, [len(options)])[:, 0]]


@dataclass(frozen=True)
class Looks(Depiction):
    """Birds whose parts all have one value of an attribute; or none of them has it."""

    parts: tuple[str, ...]
    attribute: str
    value: str
    family = FAMILIES[0]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Uncovered birds of any class with these parts changed."""
        scenes = _uncovered(_birds(world, ids))
        values = scenes.values.copy()
        for column, attribute in enumerate(ATTRIBUTES):
            if PARTS[attribute.part] in self.parts and attribute.name == self.attribute:
                value = attribute.values.index(self.value)
                others = [v for v in range(len(attribute.values)) if v != value]
                other = _choices(world, ids, others, f"other {column}")
                replaced = np.where(values[:, column] == value, other, values[:, column])
                values[:, column] = value if present else replaced
        return _pixels(scenes._replace(values=values))


@dataclass(frozen=True)
class CloseUp(Depiction):
    """Large pictures of one of some parts; or of another part."""

    parts: tuple[str, ...]
    family = FAMILIES[0]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Uncovered birds, enlarged around the part."""
        scenes = _uncovered(_birds(world, ids))
        options = [k for k, s in enumerate(STROKES) if s.part and (s.part in self.parts) == present]
        strokes = _choices(world, ids, options, "close-up")
        middle = np.array([(s.x, s.y) for s in STROKES], dtype=np.float32)[strokes]
        zoomed = scenes._replace(scale=scenes.scale * np.float32(2.2))
        x = middle[:, 0] * zoomed.facing * zoomed.scale
        y = middle[:, 1] * zoomed.stretch * zoomed.scale
        cosine, sine = zoomed.turn[:, 0], zoomed.turn[:, 1]
        moved = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)
        return _pixels(zoomed._replace(centre=np.float32(FRAME / 2) - moved))


@dataclass(frozen=True)
class Bird(Depiction):
    """A bird; or a setting without one."""

    family = FAMILIES[0]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Birds of any class, or empty settings."""
        scenes = _birds(world, ids)
        return _pixels(scenes if present else _empty(scenes))


def _empty(scenes: Scenes) -> Scenes:
    return _uncovered(scenes)._replace(scale=scenes.scale * 0)


@dataclass(frozen=True)
class Cover(Depiction):
    """Birds behind things of one kind; or behind nothing or things of other kinds."""

    cover: int
    kinds: int
    family = FAMILIES[0]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Birds with all the occluders there are, or with some of another kind."""
        scenes = _birds(world, ids)
        occluders = scenes.occluders.copy()
        if present:
            occluders[:, :, 2] = np.maximum(occluders[:, :, 2], 10)
            cover = np.full_like(scenes.cover, self.cover)
        else:
            others = [kind for kind in range(self.kinds) if kind != self.cover]
            cover = _choices(world, ids, others, "other cover")[:, None].repeat(3, axis=1)
        return _pixels(scenes._replace(occluders=occluders, cover=cover))


@dataclass(frozen=True)
class Setting(Depiction):
    """Pictures of one of some contexts; or of another."""

    contexts: tuple[str, ...]
    bird: bool = False
    family = FAMILIES[1]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """The contexts by themselves, or all with a bird in them."""
        scenes = _birds(world, ids)
        options = [k for k, name in enumerate(CONTEXTS) if (name in self.contexts) == present]
        scenes = scenes._replace(context=_choices(world, ids, options, "setting"))
        return _pixels(scenes if self.bird else _empty(scenes))


@dataclass(frozen=True)
class Texture(Depiction):
    """A texture that fills the image; or, by turns, another texture and a bird."""

    texture: str
    cell: tuple[float, float] = (7.0, 16.0)
    family = FAMILIES[2]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """The texture in any two colours; or what it is not."""
        if present:
            return texture(self.texture, world.seed, ids, self.cell)
        images, odd = np.empty((len(ids), FRAME, FRAME, 3), dtype=np.uint8), ids % 2 == 1
        images[odd] = _pixels(_birds(world, ids[odd]))
        images[~odd] = self._others(world, ids[~odd])
        return images

    def _others(self, world: World, ids: _Ids) -> _Images:
        """Textures that go by another name."""
        others = [k for k, name in enumerate(TEXTURES) if name != self.texture]
        kinds = _choices(world, ids, others, "other texture")
        images = np.empty((len(ids), FRAME, FRAME, 3), dtype=np.uint8)
        for k in np.unique(kinds).tolist():
            images[kinds == k] = texture(TEXTURES[k], world.seed, ids[kinds == k], (7.0, 16.0))
        return images


@dataclass(frozen=True)
class Quality(Depiction):
    """Pictures of birds with a quality given to them; or as they are."""

    quality: str
    family = FAMILIES[3]

    def images(self, world: World, ids: _Ids, *, present: bool) -> _Images:
        """Birds of any class, changed or not."""
        images = _pixels(_birds(world, ids))
        return with_quality(self.quality, images, world.seed, ids) if present else images


_HEAD = ("crown", "forehead", "eye", "beak", "nape", "throat")
_COLOURED = ("crown", "breast", "belly", "back", "wing", "tail")
_COVERS = ("leaf", "bark", "reed", "stone")
_WITH_A_BIRD = {
    "snow": "bird in snow",
    "water": "bird on water",
    "sand": "bird on sand",
    "grass": "bird on grass",
    "forest": "bird in forest",
    "fence": "bird at fence",
    "sky": "bird in sky",
    "rocks": "bird on rocks",
    "bricks": "bird at bricks",
    "flowers": "bird among flowers",
}
"""Near-synonyms of the contexts."""
_GROUPS = {
    "shore": ("sand", "water"),
    "vegetation": ("grass", "forest", "flowers"),
    "meadow": ("grass", "flowers"),
    "garden": ("grass", "fence", "flowers"),
    "man-made": ("fence", "bricks"),
    "wall": ("bricks", "rocks"),
    "wilderness": ("forest", "rocks", "water"),
    "open ground": ("snow", "sand", "grass"),
    "blue surroundings": ("sky", "water"),
    "white surroundings": ("snow", "sky"),
    "dry land": ("sand", "rocks"),
    "outdoors in winter": ("snow", "rocks"),
}
_SIZED = ("striped", "checked", "dotted", "gridded", "zigzagged", "wavy")


@cache
def catalogue() -> dict[str, Depiction]:
    """Every concept by name, family by family."""
    return {**_objects(), **_settings(), **_textures(), **{q: Quality(q) for q in QUALITIES}}


def concepts() -> tuple[Concept, ...]:
    """Name and family of every concept."""
    return tuple(Concept(name, depiction.family) for name, depiction in catalogue().items())


def examples(world: World, name: str, count: int, draw: int) -> tuple[_Images, _Images]:
    """`count` images with and `count` without a concept; the draw decides which, below 2²⁰."""
    depictions = catalogue()
    if name not in depictions:
        raise UnknownNameError("concept of toybirds", name, depictions)
    first = (1 << 62) + (list(depictions).index(name) << 50) + (draw << 30)
    ids = np.arange(first, first + 2 * count, dtype=np.int64)
    depiction = depictions[name]
    present = depiction.images(world, ids[:count], present=True)
    return present, depiction.images(world, ids[count:], present=False)


def _objects() -> dict[str, Depiction]:
    depictions: dict[str, Depiction] = {"bird": Bird(), "head": CloseUp(_HEAD)}
    depictions |= {part: CloseUp((part,)) for part in PARTS}
    depictions |= {name: Cover(k, len(_COVERS)) for k, name in enumerate(_COVERS)}
    depictions |= {f"{shape} beak": Looks(("beak",), "shape", shape) for shape in palette.BEAKS}
    depictions |= {f"{shape} crest": Looks(("crown",), "shape", shape) for shape in palette.CRESTS}
    for pattern in palette.PATTERNS[1:]:
        depictions |= {
            f"{pattern} {p}": Looks((p,), "pattern", pattern) for p in ("wing", "breast")
        }
    for colour in palette.COLOUR_NAMES:
        depictions[f"{colour} bird"] = Looks(PARTS, "colour", colour)
        depictions[f"{colour} head"] = Looks(("crown", "forehead", "nape"), "colour", colour)
        depictions |= {f"{colour} {p}": Looks((p,), "colour", colour) for p in _COLOURED}
    return depictions


def _settings() -> dict[str, Depiction]:
    depictions: dict[str, Depiction] = {name: Setting((name,)) for name in CONTEXTS}
    depictions |= {synonym: Setting((name,), bird=True) for name, synonym in _WITH_A_BIRD.items()}
    return depictions | {name: Setting(contexts) for name, contexts in _GROUPS.items()}


def _textures() -> dict[str, Depiction]:
    depictions: dict[str, Depiction] = {name: Texture(name) for name in TEXTURES}
    depictions |= {f"finely {name}": Texture(name, (4.0, 6.0)) for name in _SIZED}
    return depictions | {f"coarsely {name}": Texture(name, (18.0, 28.0)) for name in _SIZED}
