"""Trees whose pinned weights would be those of another training, without them."""

from collections.abc import Mapping
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
