"""Galleries: explained images as one HTML file that needs nothing but the pictures beside it."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote


class GalleryPicture(NamedTuple):
    """A picture of an explained image, and what is said of it."""

    name: str
    explainer: str
    text: str
    """What it shows, for readers who cannot see it."""
    file: str
    size: tuple[float, float]
    """Width and height in CSS pixels; zero where they are not known."""
    classes: Sequence[tuple[str, str]]
    """The most probable classes, and how probable they are."""
    files: Sequence[str]
    """All files of it."""


def gallery_html(pictures: Sequence[GalleryPicture], remarks: Sequence[str], facts: str) -> str:
    """The page as HTML; every string in it is escaped. `facts` is the JSON file beside it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("xbench.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["address"] = quote
    images: dict[str, list[GalleryPicture]] = {}
    for picture in pictures:
        images.setdefault(picture.name, []).append(picture)
    template = environment.get_template("gallery.html")
    return template.render(images=images, remarks=remarks, facts=facts)
