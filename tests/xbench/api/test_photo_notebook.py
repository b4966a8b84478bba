"""A notebook explains a photo in at most three lines and shows what came of it."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

SETUP = """
import os
os.environ["XBENCH_HOME"] = FOLDER
os.chdir(FOLDER)
import torch
from PIL import Image
from torch import nn
torch.manual_seed(0)
network = nn.Sequential(
    nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)
)
Image.effect_noise((640, 480), 90).convert("RGB").save("photo.jpg")
"""
PHOTO = """import xbench
xbench.explain(network, "photo.jpg")"""
PHOTOS = """import xbench
network = xbench.load_classifier("torchvision:squeezenet1_1", weights=WEIGHTS)
xbench.explain(network, PHOTOS)"""


@pytest.fixture(scope="module")
def outputs_of(tmp_path_factory):
    """Runs a cell in the one kernel of all tests here, and gives its outputs."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")

    def run(source):
        notebook.cells.append(nbformat.v4.new_code_cell(source))
        client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
        return notebook.cells[-1].outputs

    with client.setup_kernel():
        run(SETUP.replace("FOLDER", repr(str(folder))))
        yield run
    nbformat.write(notebook, folder / "photo.ipynb")


def shown(outputs):
    """What the one output of a cell is as HTML."""
    (output,) = outputs  # a warning on standard error would be another one
    assert output.output_type == "execute_result"
    return output["data"]["text/html"]


@pytest.mark.slow
def test_two_lines_explain_a_photo(outputs_of):
    html = shown(outputs_of(PHOTO))
    (text,) = re.findall('<img src="data:image/png;base64,[^"]{1000,}" alt="([^"]*)"', html)
    assert text.startswith("grad-cam of photo.jpg, seen as ")
    assert html.startswith("<p>assumed: images of 224 px, mean 0.485/")


@pytest.mark.realdata
@pytest.mark.slow
def test_three_lines_explain_three_photos_by_a_real_network(outputs_of, realdata):
    weights = realdata / "squeezenet1_1" / "squeezenet1_1_torchvision_keys.npz"
    photos = sorted((realdata / "imagenet_sample").glob("*.jpg"))[:3]
    cell = PHOTOS.replace("WEIGHTS", repr(str(weights)))
    html = shown(outputs_of(cell.replace("PHOTOS", repr([str(photo) for photo in photos]))))
    seen = re.findall('alt="grad-cam of ([^,]*), seen as ([^"]*?) [0-9.]+ %', html)
    names = ("tench", "goldfish", "great white shark")
    assert seen == [(photo.name, name) for photo, name in zip(photos, names, strict=True)]
    assert "assumed" not in html
