"""What explaining images gives: explanations with the classes that the network sees."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, overload

from jaxtyping import Float
from torch import Tensor

from xbench.errors import UsageError
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.explanation import Explainer, Explanation, save_explanations
from xbench.reports.gallery import GalleryPicture, gallery_html
from xbench.reports.header import with_header
from xbench.reports.picture_files import css_size, light_copy
from xbench.results.numbers import share_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = ("png", "svg", "pdf")
VALUES = ("json", "safetensors")
_FINE, _INLINE = 150, 100
"""Pixels an inch: of files, and of pictures in a notebook."""


class ClassProbability(NamedTuple):
    """A class with its probability."""

    name: str
    label: int
    probability: float

    def __str__(self) -> str:
        return f"{self.name} {share_text(self.probability)}"


@dataclass(frozen=True, eq=False)
class ExplainedImage:
    """One image, explained by one explainer."""

    name: str
    classes: tuple[ClassProbability, ...]
    """The most probable ones, at most three."""
    explanation: Explanation
    explainer: Explainer = field(repr=False)
    image: Float[Tensor, "3 h w"] = field(repr=False)
    """As the network got it, in [0, 1]."""
    class_names: tuple[str, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()
    label: int | None = field(default=None, repr=False)
    """The image's class, where that was given."""
    path: str = field(default="", repr=False)
    network: str = field(default="", repr=False)
    place: int = field(default=0, repr=False)
    """Which of the images it is."""

    def __repr__(self) -> str:
        return f"<{self.explainer.name} of {self.name}: {self.summary}>"

    @property
    def summary(self) -> str:
        """The most probable classes in one line."""
        return ", ".join(map(str, self.classes))

    def figure(self) -> "Figure":
        """A matplotlib figure: the explanation's own, below the name and the classes."""
        import torch

        labels = None if self.label is None else torch.tensor([self.label])
        batch = Batch(self.image[None], (0,), labels)
        figure = self.explanation.draw(batch, None, self.class_names)
        seen_by = f" by {self.network}" if self.network else ""
        summary = self.summary.replace(" %", "\u00a0%")  # a line may end before a share only
        return with_header(figure, self.name, f"Seen{seen_by}: {summary}")

    def save(self, path: str | Path) -> list[Path]:
        """Write the picture (.png, .svg, .pdf), the values (.safetensors) or all facts (.json).

        A folder gets all of these and a page. Nothing is overwritten: returned is what was
        written.
        """
        return Explained((self,)).save(path)

    def to_json(self) -> Tree:
        """Everything but pixels and values, as plain values."""
        parameters = {"name": self.explainer.name, **self.explainer.parameters()}
        return {
            "name": self.name,
            "path": self.path,
            "size": [self.image.shape[-2], self.image.shape[-1]],
            "network": self.network,
            "classes": [one._asdict() for one in self.classes],
            "label": self.label,
            "explainer": parameters,
            "explanation": self.explanation.name,
            "remarks": list(self.remarks),
        }

    def png(self, dots: int = _INLINE) -> bytes:
        """The picture as the bytes of a PNG."""
        return _picture_bytes(self.figure(), "png", dots)

    def _repr_html_(self) -> str:
        encoded = base64.b64encode(self.png()).decode("ascii")
        text = escape(self.alternative, quote=True)
        return f'<img src="data:image/png;base64,{encoded}" alt="{text}" style="max-width:100%">'

    @property
    def alternative(self) -> str:
        """What the picture shows, for readers who cannot see it."""
        return f"{self.explainer.name} of {self.name}, seen as {self.summary}"


@dataclass(frozen=True, eq=False)
class Explained(Sequence[ExplainedImage]):
    """Explained images: for each image one of each explainer, in the order they were given."""

    items: tuple[ExplainedImage, ...]
    remarks: tuple[str, ...] = ()
    """What was assumed of network and images, one line each."""

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> ExplainedImage: ...
    @overload
    def __getitem__(self, place: slice) -> "Explained": ...
    def __getitem__(self, place: int | slice) -> "ExplainedImage | Explained":
        """One, or some of them."""
        if isinstance(place, slice):
            return Explained(self.items[place], self.remarks)
        return self.items[place]

    def __repr__(self) -> str:
        shown = "\n ".join(map(repr, self.items[:5]))
        more = f"\n … and {len(self) - 5} more" if len(self) > 5 else ""
        return f"[{shown}{more}]"

    def lines(self) -> list[str]:
        """Of each image its name and its most probable classes."""
        seen: dict[int, str] = {one.place: f"{one.name}: {one.summary}" for one in self.items}
        return list(seen.values())

    def figure(self) -> "Figure":
        """One picture: of a single image its own, of several all of them below each other."""
        if len(self) == 1:
            return self.items[0].figure()
        from xbench.reports.header import stacked

        return stacked([one.png(_FINE) for one in self.items], _FINE)

    def save(self, path: str | Path, format: str = "png") -> list[Path]:  # noqa: A002 - a kind of file
        """Write to a file, by its ending, or a gallery with everything into a folder.

        Pictures and values of several images get a file each. Nothing is overwritten: names are
        made unique, and returned is what was written.
        """
        place = Path(path).expanduser()
        kind = place.suffix.removeprefix(".").lower()
        if not kind or place.is_dir():
            return self._save_gallery(place, format)
        if kind not in (*PICTURES, *VALUES):
            known = ", ".join(f".{one}" for one in (*PICTURES, *VALUES))
            raise UsageError(f"{place} has an unknown ending; known are {known}, or give a folder")
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "json":
            return [written(place, _json_bytes(self.to_json()))]
        return [_save_one(one, place, kind) for one in self.items]

    def to_json(self) -> Tree:
        """Everything but pixels and values, as plain values."""
        return {
            "images": [one.to_json() for one in self.items],
            "remarks": list(self.remarks),
        }

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in self.remarks)
        pictures = "".join(f"<div>{one._repr_html_()}</div>" for one in self.items)
        return lines + pictures

    def _save_gallery(self, folder: Path, format_: str) -> list[Path]:
        """Pictures, values, facts and a page that shows them."""
        if format_ not in PICTURES:
            raise UsageError(f"format is {format_!r}; known are {', '.join(PICTURES)}")
        folder.mkdir(parents=True, exist_ok=True)
        files = [self._files(one, folder, format_) for one in self.items]
        entries = [
            {**one.to_json(), "files": [path.name for path in own]}
            for one, own in zip(self.items, files, strict=True)
        ]
        facts = written(
            folder / "explanations.json", _json_bytes({**self.to_json(), "images": entries})
        )
        pictures = [_shown(one, own) for one, own in zip(self.items, files, strict=True)]
        text = gallery_html(pictures, self.remarks, facts.name)
        page = written(folder / "index.html", text.encode())
        return [path for own in files for path in own] + [facts, page]

    def _files(self, one: ExplainedImage, folder: Path, format_: str) -> list[Path]:
        """The files of one image, all of one stem that none has yet."""
        several = len({item.explainer.name for item in self.items}) > 1
        stem = Path(one.name).stem if one.path else one.name.replace(" ", "-")
        stem = f"{stem}-{one.explainer.name}" if several else stem
        kinds = list(dict.fromkeys(("png", format_) if format_ == "pdf" else (format_,)))
        place = unique(folder / f"{stem}.{kinds[0]}", (*kinds, "webp", "safetensors"))
        made = [_save_one(one, place.with_suffix(f".{kind}"), kind) for kind in kinds]
        light = light_copy(made[0])
        values = _save_one(one, place.with_suffix(".safetensors"), "safetensors")
        return [*([light] if light else []), *made, values]


def _save_one(one: ExplainedImage, place: Path, kind: str) -> Path:
    if kind == "json":
        return written(place, _json_bytes(one.to_json()))
    if kind == "safetensors":
        path = unique(place)
        save_explanations(path, [one.explanation])
        return path
    return written(place, _picture_bytes(one.figure(), kind, _FINE))


def written(place: Path, content: bytes) -> Path:
    """The content in a new file: of this name, or of the next that is free."""
    while True:
        path = unique(place)
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:  # somebody else took it
            continue
        return path


def unique(path: Path, kinds: Sequence[str] = ()) -> Path:
    """The path, or the next of `apple-2.png`, `apple-3.png`, … that no file has.

    No file of the same stem and another of these endings is there either.
    """
    endings = [f".{kind}" for kind in kinds] or [path.suffix]
    count, stem = 1, path.stem
    while any(path.with_name(f"{stem}{ending}").exists() for ending in endings):
        count += 1
        stem = f"{path.stem}-{count}"
    return path.with_name(f"{stem}{path.suffix}")


def _picture_bytes(figure: "Figure", kind: str, dots: int) -> bytes:
    from xbench.reports.figures import figure_bytes

    return figure_bytes(figure, kind, dots=dots)


def _json_bytes(tree: Tree) -> bytes:
    return (json.dumps(tree, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def _shown(one: ExplainedImage, files: Sequence[Path]) -> GalleryPicture:
    classes = tuple((entry.name, share_text(entry.probability)) for entry in one.classes)
    names = tuple(path.name for path in files)
    size = css_size(next(path for path in files if path.suffix in (".png", ".svg")))
    return GalleryPicture(one.name, one.explainer.name, one.alternative, size, classes, names)
