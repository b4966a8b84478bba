"""Names of networks that libraries offer, read from their sources: importing them takes seconds."""

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

REGISTERED = re.compile(r"^@register_model\b", re.MULTILINE)
FUNCTION = re.compile(
    r"^@register_model\b[^\n]*\n"  # the decorator, on one line
    r"(?:@[^\n]*\n(?:[ )][^\n]*\n)*)*"  # others, on one line or on several
    r"def (\w+)\(",
    re.MULTILINE,
)


def torchvision_names() -> Sequence[str]:
    """Names of torchvision's networks; none where its sources are not understood."""
    return _registered("torchvision")


def timm_names() -> Sequence[str]:
    """Names of timm's networks; none where its sources are not understood."""
    return _registered("timm")


def _registered(library: str) -> list[str]:
    """Names of the functions that the library's folder `models` registers, if all are found."""
    specification = find_spec(library)
    if specification is None or specification.origin is None:
        return []
    files = sorted(Path(specification.origin).with_name("models").glob("*.py"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    names = [name for text in texts for name in FUNCTION.findall(text)]
    whole = len(names) == sum(len(REGISTERED.findall(text)) for text in texts)
    return sorted(set(names)) if whole else []
