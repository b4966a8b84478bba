"""`xbench explain PHOTO`: photos with a network, without any dataset."""

import io
import subprocess
import sys
import types

import pytest
import torch
from PIL import Image

from awkward_networks import plain

WEIGHTS = "squeezenet1_1/squeezenet1_1_torchvision_keys.npz"
PHOTOS = ("n07742313_Granny_Smith.jpg", "n09472597_volcano.jpg", "n02510455_giant_panda.jpg")

WATCHED = """
import atexit, pathlib, sys
from xbench.cli import main
status = pathlib.Path("/proc/self/status")
atexit.register(lambda: print(status.read_text(), file=sys.stderr))
main()
"""
"""A program that says its own peak: what the system keeps of a child has its parent's in it."""


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "apple.png"
    Image.effect_noise((60, 40), 90).convert("RGB").save(path)
    return path


@pytest.fixture
def mine(monkeypatch, tmp_path):
    """A network of one's own with five classes, and its weights in a file."""
    module = types.ModuleType("of_mine")
    module.make = plain
    monkeypatch.setitem(sys.modules, "of_mine", module)
    torch.manual_seed(0)
    torch.save(plain(5).state_dict(), tmp_path / "weights.pt")
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\ndog\neel\n")
    return (
        *("--classifier", "module:of_mine:make", "--weights", tmp_path / "weights.pt"),
        *("--classes", tmp_path / "names.txt", "--size", 16),
    )


def test_a_photo_gets_its_classes_a_picture_facts_and_a_page(xbench, photo, mine, tmp_path):
    out = tmp_path / "out"
    called = xbench("explain", photo, *mine, "--out", out)
    assert called.code == 0, called.err
    first, assumed, last = called.out.splitlines()
    assert first.startswith("apple.png: ")
    assert first.count(" %") == 3
    assert assumed.startswith("assumed: images of 16 px")
    assert last == f"wrote 4 files; look at {out / 'index.html'}"
    assert called.err == ""  # piped, it shows no progress
    names = {path.name for path in out.iterdir()}
    assert names == {"apple.png", "apple.safetensors", "explanations.json", "index.html"}


def test_nothing_is_trained_or_stored(xbench, photo, mine, tmp_path):
    store = tmp_path / "store"
    assert xbench("explain", photo, *mine, "--store", store, "--out", tmp_path / "out").code == 0
    assert not store.exists()


def test_several_photos_and_explainers_and_a_target(xbench, photo, mine, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (30, 30), "red").save(folder / "pear.jpg")
    called = xbench(
        *("explain", photo, folder, *mine, "--json", "--out", tmp_path / "out"),
        *("--explainer", "grad-cam", "--explainer", "deliberative", "--target", "cat"),
    )
    assert called.code == 0, called.err
    facts = called.json()
    assert [(one["name"], one["explainer"]["name"]) for one in facts["images"]] == [
        ("apple.png", "grad-cam"),
        ("apple.png", "deliberative"),
        ("pear.jpg", "grad-cam"),
        ("pear.jpg", "deliberative"),
    ]
    assert facts["images"][0]["explainer"]["target"] == 2
    kinds = [path.rpartition(".")[2] for path in facts["files"]]
    assert [kinds.count(kind) for kind in ("png", "safetensors", "json", "html")] == [4, 4, 1, 1]


def test_parameters_are_given_as_everywhere(xbench, photo, mine, tmp_path):
    changes = ("-p", "explainer.relu=false", "-p", "classifier.mean=[0.5, 0.5, 0.5]")
    called = xbench("explain", photo, *mine, *changes, "--json", "--out", tmp_path / "out")
    assert called.code == 0, called.err
    assert called.json()["images"][0]["explainer"]["relu"] is False
    assert "mean 0.5/0.5/0.5" in called.json()["remarks"][0]


def test_a_photo_comes_on_standard_input(xbench, photo, mine, tmp_path, monkeypatch):
    content = types.SimpleNamespace(buffer=io.BytesIO(photo.read_bytes()))
    monkeypatch.setattr(sys, "stdin", content)
    called = xbench("explain", "-", *mine, "--out", tmp_path / "out")
    assert called.code == 0, called.err
    assert called.out.startswith("standard input: ")
    assert (tmp_path / "out" / "standard-input.png").is_file()


def test_mistakes_are_told_in_one_line_before_anything_is_written(
    xbench, photo, mine, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty").mkdir()
    (tmp_path / "none.txt").write_text("\n")
    short = tmp_path / "short.txt"
    short.write_text("ant\nbee\n")
    torch.save(plain(5, channels=1).state_dict(), tmp_path / "grey.pt")
    mistakes = {
        ("pear.jpg", *mine): "there is no photo 'pear.jpg'",
        ("text.jpg", *mine): "photo: text.jpg does not decode as an image",
        ("empty", *mine): "folder empty has no images",
        (photo, *mine, "--classes", "no.txt"): "class names 'no.txt' cannot be read",
        (photo, *mine, "--classes", "none.txt"): "'none.txt' has no class names",
        (photo, *mine, "--classes", photo): "cannot be read: 'utf-8' codec",
        (photo, *mine, "--classes", short): "there are 2 class names, and module:of_mine:make has",
        (photo, *mine, "--target", "beee"): "did you mean 'bee'?",
        (photo, *mine, "--target", "17"): "target is 17, and the network has the classes 0 to 4",
        (photo, *mine, "--weights", "no.pt"): "there is no weights file 'no.pt'",
        (photo, *mine, "--weights", "grey.pt"): "do not fit Sequential: 1 of another shape",
        (photo, *mine, "--weights", "text.jpg"): "'text.jpg' holds more than tensors",
        (photo, *mine, "--explainer", "grad-kam"): "did you mean 'grad-cam'?",
        (photo, *mine, "--explainer", "ces"): "give it a bank: --bank FILE",
        (photo, *mine, "--bank", "b.pt"): "grad-cam takes no bank",
        (photo, *mine, "--explainer", "ces", "--bank", "b.pt"): "there is no concept bank 'b.pt'",
        (photo, *mine, "--device", "tpu"): "device 'tpu' cannot be used",
        (photo, "--classifier", "small-cnn"): "small-cnn has no weights in a library",
        (photo, "--classifier", "rsnet50"): "unknown classifier 'rsnet50'",
        (photo, "--weights", "w.pt"): "--weights is for photos with a --classifier",
        (photo, "--no-fit"): "--no-fit is for photos with a --classifier",
        ("--id", 2000000, "--target", "x"): "--target is for photos with a --classifier",
    }
    for arguments, message in mistakes.items():
        called = xbench("explain", *arguments, "--out", "out")
        assert called.code == 2, arguments
        assert message in called.err
        assert called.err.startswith("error: "), arguments
        assert called.err.count("\n") == 1, arguments
    assert not (tmp_path / "out").exists()


def test_without_a_network_the_demo_says_what_it_is(xbench, photo, quick, tmp_path):
    Image.new("RGB", (4000, 3000), "red").save(photo)  # fitted to the network, it takes no memory
    named = xbench("explain", photo, "--store", tmp_path / "s", "--out", tmp_path / "o", *quick)
    assert named.code == 0, named.err
    line = named.err.splitlines()[0]
    assert line.startswith("this is the demo: its network knows the 20 classes of toybirds")
    assert line.endswith("--classifier torchvision:resnet50")


@pytest.mark.slow
@pytest.mark.realdata
def test_real_photos_with_real_weights_take_little_memory(realdata, tmp_path):
    photos = [realdata / "imagenet_sample" / name for name in PHOTOS]
    large = tmp_path / "phone.jpg"  # 48 megapixels, lying on its side
    exif = Image.Exif()
    exif[0x0112] = 6
    small = Image.open(photos[0]).convert("RGB")
    small.resize((8000, 6000), Image.Resampling.NEAREST).save(large, exif=exif)
    command = (sys.executable, "-c", WATCHED, "explain", *photos, large, "--classifier")
    options = ("torchvision:squeezenet1_1", "--weights", realdata / WEIGHTS, "--out", tmp_path)
    ended = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    first, second, third, fourth, *_ = ended.stdout.splitlines()
    assert first.startswith("n07742313_Granny_Smith.jpg: Granny Smith ")
    assert second.startswith("n09472597_volcano.jpg: volcano ")
    assert third.startswith("n02510455_giant_panda.jpg: giant panda ")
    assert fourth.startswith("phone.jpg: ")
    kib = dict(line.split()[:2] for line in ended.stderr.splitlines() if line.endswith(" kB"))
    # libraries are mapped files: how much of them is in memory is up to torch and the system
    assert int(kib["VmHWM:"]) - int(kib["RssFile:"]) < 1024**2
