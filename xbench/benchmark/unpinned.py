"""Pinned weights in trees: where their files lie, and trees without those of another training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xbench.components.specification import overlay
from xbench.interfaces.component import Tree

OF_TRAINING = ("classifier", "loss", "training")
"""What trained weights depend on, beside the dataset."""


def unpinned(tree: Tree, changes: Tree) -> Tree:
    """The tree; without pinned weights where the changes make them those of another training.

    Where the network is cut has no part in that.
    """
    if "weights" not in tree:
        return tree
    changed = overlay(tree, {key: changes[key] for key in OF_TRAINING if key in changes})
    same = all(_trained(changed.get(key, {})) == _trained(tree.get(key, {})) for key in OF_TRAINING)
    return tree if same else {key: value for key, value in tree.items() if key != "weights"}


def _trained(part: Any) -> Tree:
    """A classifier, loss or training as a table, as far as trained weights depend on it."""
    table = part if isinstance(part, Mapping) else {"name": part}
    return {key: value for key, value in table.items() if key != "layer"}


def beside(tree: Any, folder: Path) -> Any:
    """A benchmark file's tree in which files of weights are found from the file's own folder."""
    if isinstance(tree, list):
        return [beside(item, folder) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    placed = {key: beside(value, folder) for key, value in tree.items()}
    pins = placed.get("weights")
    if isinstance(pins, Mapping) and isinstance(pins.get("files"), list):
        placed["weights"] = {**pins, "files": [_placed(file, folder) for file in pins["files"]]}
    if isinstance(pins, str) and (folder / pins).is_file():  # what a classifier starts from
        placed["weights"] = str(folder / pins)
    return placed


def _placed(file: Any, folder: Path) -> Any:
    if isinstance(file, str):
        return str(folder / Path(file).expanduser())
    if isinstance(file, Mapping) and isinstance(file.get("path"), str):
        return {**file, "path": _placed(file["path"], folder)}
    return file
