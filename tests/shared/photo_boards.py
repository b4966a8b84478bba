"""A benchmark of seconds on photographs in a folder, with a network whose weights lie in a file."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from xbench_zoo.small import SmallCnn

PHOTOS = """\
name = "photo-board"
extends = "default"
version = "3"
title = "A small board of photographs"
splits = { train = "train", test = "test" }
training = { epochs = 0 }

[dataset]
name = "image-qualities"
of = "folder"
share = 0.5
size = 48
qualities = ["redness", "blueness"]

[classifier]
name = "small-cnn"
weights = "library"

[protocol]
name = "low-level-perturbation"
steps = 2
minimum_probability = 0.0
targets = [
    { class_name = "coot", concept = "redness" },
    { class_name = "gull", concept = "blueness" },
]

[[entries]]
label = "largest margin"
explainer = { name = "ces", examples = 10, threshold = 0.0 }
"""
SIDE = 48


class Places(NamedTuple):
    """Where the parts of the benchmark lie, each a path."""

    file: object
    root: object
    weights: object

    @property
    def data(self):
        """Where the photographs lie, nested as `-p` paths are."""
        return {"dataset": {"of": {"root": str(self.root)}}}

    @property
    def tree(self):
        """Data and weights, nested as `-p` paths are."""
        return {**self.data, "classifier": {"weights": str(self.weights)}}

    @property
    def options(self):
        """The same for the command line."""
        of = (f"dataset.of.root={self.root}", f"classifier.weights={self.weights}")
        return tuple(part for path in of for part in ("-p", path))


def photo_board(folder, text=PHOTOS):
    """The benchmark's file, its photographs and weights for its network."""
    file = folder / "photo-board.toml"
    file.write_text(text)
    draw = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("coot", "gull"):
            photos = folder / "photos" / split / name
            photos.mkdir(parents=True)
            for place in range(12):
                pixels = draw.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(photos / f"{place}.png")
    return Places(file, folder / "photos", weights_file(folder / "weights.npz", 1))


def weights_file(path, seed):
    """Random weights in a file."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = SmallCnn().module(2).state_dict()
    np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    return path
