"""The benchmark of MetaShift, run on drawn pictures under an index of the released form."""

import pickle

import pytest
from PIL import Image

from xbench.results.record import read_record
from xbench_toybirds.dataset import Toybirds

pytestmark = pytest.mark.slow

SUBSETS = (("dog", 0, "snow"), ("dog", 1, "grass"), ("cat", 5, "snow"), ("cat", 6, "grass"))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Dogs and cats, which are birds, in two settings; and pictures of neither."""
    root, birds = tmp_path_factory.mktemp("metashift"), Toybirds(train=3000)
    (root / "images").mkdir()
    index, number = {}, 0
    for animal, label, context in SUBSETS:
        ids = [i for i in birds.ids("train") if i % 20 == label][:30]
        for image in birds.images(ids):
            picture = Image.fromarray(image.permute(1, 2, 0).numpy())
            picture.save(root / "images" / f"{number}.jpg")
            index.setdefault(f"{animal}({context})", set()).add(str(number))
            number += 1
    (root / "full-candidate-subsets.pkl").write_bytes(pickle.dumps(index))
    return root


def given(root, context):
    qualities = 'qualities = ["redness", "darkness", "blur", "noise", "contrast"]'
    concepts = f'[{{ name = "image-qualities", of = "toybirds", size = 96, {qualities} }}]'
    return (
        *("run", "--benchmark", "ces-spurious-metashift", "-q", "--json"),
        *("-p", f"dataset.root={root}", "-p", 'dataset.classes=["cat", "dog"]'),
        *(
            "-p",
            "classifier.weights=",
            "-p",
            "training.epochs=1",
            "-p",
            "training.crop_scale=[1,1]",
        ),
        *("-p", "transform.resize=96", "-p", "transform.crop=96"),
        *("-p", 'protocol.classes=["cat", "dog"]', "-p", "protocol.training_images=8"),
        *("-p", "protocol.validation_images=2", "-p", "protocol.images=3"),
        *("-p", f'protocol.scenarios=[{{ class_name = "dog", context = "{context}" }}]'),
        *("-p", f"explainer.concepts={concepts}", "-p", "explainer.examples=10"),
        *("-p", "explainer.threshold=0.3"),
    )


def test_models_are_trained_and_the_published_figure_stands_beside_ours(xbench, root, tmp_path):
    called = xbench(*given(root, "snow"), "--store", tmp_path)
    assert called.code == 0, called.err
    found = {r.label: r for r in map(read_record, called.json())}
    assert set(found) == {"paper", "authors' code", "control model", "random concepts"}
    layers = {r.label: r.components["classifier"]["parameters"]["layer"] for r in found.values()}
    assert layers["paper"] == "features.10"
    assert layers["authors' code"] == "features.12"
    assert found["paper"].datasets["test"]["dataset"]["name"] == "metashift"
    scored = {score.name for score in found["paper"].scores}
    assert "recovery at 3@dog(snow)" in scored


def test_a_context_without_photographs_of_the_class_is_refused(xbench, root, tmp_path):
    called = xbench(*given(root, "sofa"), "--store", tmp_path / "store")
    assert called.code == 2
    assert "sofa" in called.err
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
