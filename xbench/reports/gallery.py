"""Galleries: explained images as one HTML file that needs nothing but the pictures beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from xbench.reports.page import Picture, rendered


class GalleryPicture(NamedTuple):
    """A picture of an explained image, and what is said of it."""

    name: str
    explainer: str
    text: str
    """What it shows, for readers who cannot see it."""
    size: tuple[float, float]
    """Width and height in CSS pixels."""
    classes: Sequence[tuple[str, str]]
    """The most probable classes, and how probable they are."""
    files: Sequence[str]
    """All files of it, which differ in their endings alone; the page shows the first."""


def gallery_html(pictures: Sequence[GalleryPicture], remarks: Sequence[str], facts: str) -> str:
    """The page as HTML; every string in it is escaped. `facts` is the JSON file beside it."""
    images: dict[str, list[GalleryPicture]] = {}
    for picture in pictures:
        images.setdefault(picture.name, []).append(picture)
    shown = [(name, own[0].classes, list(map(_picture, own))) for name, own in images.items()]
    return rendered("gallery.html", images=shown, remarks=remarks, facts=facts)


def _picture(of: GalleryPicture) -> Picture:
    stem = quote(Path(of.files[0]).stem)
    suffixes = tuple(Path(file).suffix.removeprefix(".") for file in of.files)
    return Picture(stem, of.explainer, "", of.text, of.size, suffixes)
