"""Concepts of toybirds as folders of pictures: a bank of few is learned soon."""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image

from xbench_toybirds.dataset import Toybirds


def drawn(root: Path, names: Sequence[str]) -> Path:
    """Twelve pictures with and twelve without each of these concepts, in a folder."""
    birds = Toybirds()
    for name in names:
        pair = birds.concept_examples(name, 12, torch.Generator().manual_seed(0))
        for kind, images in pair._asdict().items():
            folder = root / name / kind
            folder.mkdir(parents=True)
            for place, image in enumerate(images):
                Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{place}.png")
    return root


def bank_of(root: Path) -> str:
    """The sources of a bank that is learned from such a folder."""
    return f'[{{ name = "concept-folder", root = "{root}", size = 96 }}]'
