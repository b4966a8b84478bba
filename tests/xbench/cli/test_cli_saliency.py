"""Saliency maps from the command line: scored by the protocol that fits, by a suite, from files."""

import numpy as np
import pytest

from command_line import records
from xbench import ImageSet, explained, generator, load_classifier
from xbench.benchmark.declaration import benchmark_folder
from xbench_saliency.cams.grad_cam import GradCam
from xbench_toybirds.dataset import Toybirds

pytestmark = pytest.mark.slow

FEW = ("-q", "--repeats", 1, "-p", "dataset.validation=20", "-p", "protocol.images=6")
FLIPPING = "saliency-pixel-flipping-toybirds"
MEMBERS = (
    "saliency-part-deletion-toybirds",
    FLIPPING,
    "saliency-localisation-toybirds",
    "saliency-randomisation-toybirds",
)
QUICK = ("-q", "-p", "protocol.images=6", "-p", "protocol.steps=4", "-p", "protocol.draws=1")


def test_an_explainer_alone_is_scored_by_the_protocol_that_fits_and_the_others_are_named(
    xbench, tmp_path
):
    called = xbench("run", "--explainer", "grad-cam", *FEW, "--store", tmp_path)
    assert called.code == 0, called.err
    assert "rank correlation" in called.out
    assert "6 images" in called.out
    for other in ("pixel-flipping", "pointing-game", "parameter-randomisation"):
        assert other in called.out, other


def test_a_suite_has_a_table_for_each_protocol_and_no_average(xbench, tmp_path):
    given = ("--benchmark", "saliency-toybirds", "--variant", "smoke", "--explainer", "grad-cam")
    called = xbench("run", *given, *FEW[:-2], "-p", "protocol.images=3", "--store", tmp_path)
    assert called.code == 0, called.err
    for name in MEMBERS:
        assert f"benchmark {name} 1" in called.out, name
    assert "average over" not in called.out


@pytest.fixture
def maps(tmp_path):
    """A file of Grad-CAM's maps of six test images, made without a benchmark."""
    images = ImageSet(Toybirds(), "test")
    weights = benchmark_folder() / "weights" / "small-cnn-0.safetensors"
    names = images.dataset.class_names()
    loaded = load_classifier("small-cnn", weights=weights, classes=names, size=96)
    ids = [images.ids()[place * 1000 // 6] for place in range(6)]
    made = explained(GradCam(), loaded.network, images.batch(ids), {}, generator(0))
    values, classes = [one.values.numpy() for one in made], [one.label for one in made]
    np.savez(tmp_path / "maps.npz", maps=np.stack(values), ids=ids, classes=classes)
    return tmp_path / "maps.npz"


def test_maps_from_elsewhere_score_what_their_explainer_does(xbench, maps, tmp_path):
    of = ("--benchmark", FLIPPING, *QUICK, "--store", tmp_path / "store", "--json")
    ran = records(xbench("run", *of, "--repeats", 1, "--explainer", "grad-cam"))
    given = records(xbench("score", maps, *of))
    assert list(given) == ["maps", "random map", "centre", "edges", "brightness"]
    for one, other in zip(given["maps"].scores, ran["grad-cam"].scores, strict=True):
        assert (one.name, one.value) == (other.name, pytest.approx(other.value, abs=1e-6))
    assert given["maps"].components["explainer"]["name"] == "given-maps"
    assert str(tmp_path) not in given["maps"].model_dump_json()


def test_files_that_are_no_maps_and_benchmarks_that_read_none_are_refused(xbench, maps, tmp_path):
    store = ("--store", tmp_path / "store")
    other = tmp_path / "other.npz"
    np.savez(other, maps=np.zeros((1, 4, 4)), ids=[2_000_001], classes=[0])
    for arguments, message in (
        ((other, "--benchmark", FLIPPING, *QUICK), "has no map of image 2000000"),
        ((other, "--benchmark", MEMBERS[0], *QUICK[:3]), "has no map of image 2000000"),
        ((maps, "--benchmark", MEMBERS[-1]), "which mistakes are near"),
        ((maps, "--benchmark", FLIPPING, "--split", "test"), "--split is for predictions"),
        ((maps, "--benchmark", FLIPPING, "--label", "centre"), "calls a floor 'centre'"),
        ((tmp_path / "none.npz", "--benchmark", FLIPPING), "none.npz"),
    ):
        called = xbench("score", *arguments, *store)
        assert called.code in {1, 2}, called.out
        assert message in called.err, called.err
