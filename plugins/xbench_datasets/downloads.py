"""Where downloads of a dataset go."""

from dataclasses import replace
from pathlib import Path

from xbench import Download


def put_into(download: Download, root: str) -> Download:
    """The download, for the root where one is named, else for the data folder."""
    if not root:
        return download
    return replace(download, target=str(Path(root).expanduser().absolute()))
