"""Files of pictures that a page shows: as light as a page of many pictures needs them."""

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
