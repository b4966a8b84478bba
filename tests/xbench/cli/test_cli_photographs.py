"""Photographs without labels from the command line: what explains them, and what refuses them."""

import pytest
import torch
from PIL import Image

from command_line import records
from xbench import generator

pytestmark = pytest.mark.slow

SMALL = ("-p", "transform.resize=64", "-p", "transform.crop=64")
RANDOM = ("-p", "classifier.weights=", *SMALL)


@pytest.fixture
def photographs(tmp_path):
    """Three pictures of noise, one in a folder of its own."""
    source = generator("photographs")
    for name in ("cat.png", "dog.png", "trip/beach.png"):
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = torch.randint(0, 256, (70, 80, 3), generator=source, dtype=torch.uint8)
        Image.fromarray(pixels.numpy()).save(path)
    return tmp_path / "mine"


def test_an_explainer_is_scored_on_photographs_without_labels(xbench, photographs, tmp_path):
    of = ("-p", f"dataset.root={photographs}", "--explainer", "grad-cam", *RANDOM)
    few = ("-p", "protocol.steps=2", "-p", "protocol.draws=1", "--store", tmp_path / "store")
    report = tmp_path / "report"
    given = ("run", "--benchmark", "saliency-pixel-flipping-photographs", *of, *few)
    made = records(xbench(*given, "--json", "--report", report))
    assert {record.cases for record in made.values()} == {3}
    assert made["grad-cam"].scores[0].name == "symmetric gain"
    assert "Image 0" in (report / "index.html").read_text()


def test_a_training_and_a_protocol_that_read_labels_are_refused(xbench, photographs, tmp_path):
    of = ("--dataset", f"photographs:{photographs}", *RANDOM, "--store", tmp_path / "store")
    training = xbench("run", "--explainer", "grad-cam", *of, "-p", "training.epochs=1")
    assert training.code == 2
    assert "is to be trained, and dataset 'photographs' has no labels" in training.err
    protocol = xbench("run", "--benchmark", "explicable-imagenet", *of)
    assert protocol.code == 2
    assert "needs labels, which dataset 'photographs' does not have" in protocol.err
    assert not (tmp_path / "store").exists()
