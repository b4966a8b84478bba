"""Files of pictures that a page shows: as light as a page of many pictures needs them."""

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from xbench.reports.figures import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

MOST = 200_000
"""Bytes of a picture's file."""
QUALITIES = (85, 70, 50, 30, 10)
"""Of a picture with photographs, from the first on until it is light enough."""
CSS_DOTS = 96
"""Pixels an inch, of a page."""
_POINTS = 72
"""Points an inch, in which an SVG says how large it is."""


class PictureFiles(NamedTuple):
    """In which files a picture lies, and how large it is."""

    size: tuple[float, float]
    """Width and height in CSS pixels."""
    suffixes: tuple[str, ...]
    """Of its files; the page shows the first."""


def write_picture(figure: "Figure", place: Path, *, title: str, dots: int) -> PictureFiles:
    """Write a figure as `<place>.png`, and as SVG, which is shown, where it draws lines alone.

    Where a PNG would be heavy, as photographs make it, there is one WebP instead; a heavy SVG is
    left out.
    """
    from PIL import Image

    raster = _file(place, "png")
    save_figure(figure, raster, title=title, dots=dots)
    with Image.open(raster) as image:
        size = image.width * CSS_DOTS / dots, image.height * CSS_DOTS / dots
        if raster.stat().st_size > MOST:
            _file(place, "webp").write_bytes(_light(image.convert("RGB")))
            raster.unlink()
            return PictureFiles(size, ("webp",))
    vector = _file(place, "svg")
    save_figure(figure, vector, title=title, dots=dots)
    if vector.stat().st_size > MOST:
        vector.unlink()
        return PictureFiles(size, ("png",))
    photographs = any(ax.images for ax in figure.axes)
    return PictureFiles(size, ("png", "svg") if photographs else ("svg", "png"))


def light_copy(picture: Path) -> Path | None:
    """A WebP beside a PNG that is too heavy for a page; None where it is light.

    Colours of a map mean values: a PNG of few colours would change them.
    """
    from PIL import Image

    if picture.suffix != ".png" or picture.stat().st_size <= MOST:
        return None
    copy = picture.with_suffix(".webp")
    with Image.open(picture) as image, copy.open("xb") as file:
        file.write(_light(image.convert("RGB")))
    return copy


def css_size(picture: Path) -> tuple[float, float]:
    """Width and height in CSS pixels of a PNG that says how fine it is, or of an SVG."""
    from PIL import Image

    if picture.suffix == ".svg":
        said = re.search(r'<svg[^>]* width="([\d.]+)pt" height="([\d.]+)pt"', _start(picture))
        width, height = map(float, said.groups()) if said else (0.0, 0.0)
        return width * CSS_DOTS / _POINTS, height * CSS_DOTS / _POINTS
    with Image.open(picture) as image:
        across, down = image.info["dpi"]
        return image.width * CSS_DOTS / across, image.height * CSS_DOTS / down


def _start(picture: Path) -> str:
    with picture.open(encoding="utf-8") as file:
        return file.read(2000)


def _light(image: "Image") -> bytes:
    """The image as WebP: as good as its weight allows."""
    encoded = b""
    for quality in QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=6)
        encoded = buffer.getvalue()
        if len(encoded) <= MOST:
            break
    return encoded


def _file(place: Path, suffix: str) -> Path:
    return place.with_name(f"{place.name}.{suffix}")
