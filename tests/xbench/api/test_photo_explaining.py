"""Explaining images with a network alone: every kind of network, of image and of explainer."""

import json
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import xbench.api.photos.explaining as engine
from awkward_networks import Dictionary, grey, plain
from xbench.api.photos.explaining import explain
from xbench.api.photos.given_networks import load_classifier
from xbench.errors import MismatchError, UsageError, XbenchError
from xbench.testing import TinyClassifier
from xbench_saliency.cams.grad_cam import GradCam

CLASSES = 5
NAMES = ("ant", "bee", "cat", "dog", "eel")


@pytest.fixture(autouse=True)
def _drawn() -> None:
    torch.manual_seed(0)


@pytest.fixture
def network():
    return plain(CLASSES)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "apple.png"
    Image.effect_noise((60, 40), 90).convert("RGB").save(path)
    return path


def maps(result):
    return torch.stack([one.explanation.values for one in result])


def test_a_bare_network_and_a_photo_are_all_it_takes(network, photo):
    result = explain(network, photo, classes=NAMES)
    assert len(result) == 1
    assert result[0].name == "apple.png"
    assert result[0].image.shape == (3, 224, 224)
    assert sum(one.probability for one in result[0].classes) < 1
    shares = [one.probability for one in result[0].classes]
    assert shares == sorted(shares, reverse=True)
    (remark,) = result.remarks
    assert remark == (
        "assumed: images of 224 px, mean 0.485/0.456/0.406, std 0.229/0.224/0.225; "
        "size=…, mean=…, std=…, transform=… and classes=… say otherwise"
    )
    assert repr(result[0]).startswith("<grad-cam of apple.png: ")


def test_without_names_numbers_stand_for_classes_and_a_line_says_so(network, photo):
    result = explain(network, photo)
    assert result[0].classes[0].name.isdigit()
    assert "numbers for classes" in result.remarks[0]


def test_the_network_stays_as_it_is(network, photo):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    explain(network, photo)
    assert network.training
    assert all(one.requires_grad for one in network.parameters())
    assert not network._forward_hooks
    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())


def test_a_network_is_explained_alike_whether_images_are_normalised_before_or_inside(network):
    images = torch.rand(3, 3, 32, 32)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    scaled = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    inside = explain(network, images, mean=mean, std=std)
    before = explain(network, scaled, mean=mean, std=std)
    torch.testing.assert_close(maps(before), maps(inside), rtol=1e-4, atol=1e-7)
    assert [one.classes[0].label for one in before] == [one.classes[0].label for one in inside]
    assert any("normalised already" in line for line in before.remarks)
    assert not any("normalised already" in line for line in inside.remarks)
    torch.testing.assert_close(before[0].image, images[0])


def test_tensors_keep_their_size_and_photos_are_fitted(network, photo):
    assert explain(network, torch.rand(3, 17, 23), size=32)[0].image.shape == (3, 17, 23)
    assert explain(network, photo, size=32)[0].image.shape == (3, 32, 32)
    assert explain(network, photo, size=32, fit=False)[0].image.shape == (3, 40, 60)


def test_a_transform_of_ones_own_is_used(network, photo):
    def transform(image):
        return torch.full((3, 12, 12), image.width / 100)

    result = explain(network, photo, transform=transform)
    assert torch.equal(result[0].image, torch.full((3, 12, 12), 0.6))
    with pytest.raises(MismatchError, match="the transform made str of apple"):
        explain(network, photo, transform=lambda image: "image")


def test_a_data_loader_gives_batches_and_labels(network):
    images, labels = torch.rand(5, 3, 16, 16), torch.tensor([0, 1, 2, 3, 4])
    data = torch.utils.data.TensorDataset(images, labels)
    result = explain(network, torch.utils.data.DataLoader(data, batch_size=2), classes=NAMES)
    assert [one.label for one in result] == [0, 1, 2, 3, 4]
    assert [one.name for one in result] == [f"image {n}" for n in range(1, 6)]
    torch.testing.assert_close(maps(result), maps(explain(network, images)))


def test_labels_that_the_network_lacks_are_refused(network):
    with pytest.raises(MismatchError, match="image 1 has the label 9"):
        explain(network, (torch.rand(1, 3, 16, 16), torch.tensor([9])))


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_images_of_several_sizes_come_back_in_order(network, batch_size):
    images = [torch.rand(3, side, side) for side in (16, 20, 20, 16)]
    result = explain(network, images, batch_size=batch_size)
    assert [one.image.shape[-1] for one in result] == [16, 20, 20, 16]
    assert [one.place for one in result] == [0, 1, 2, 3]


def test_several_explainers_explain_each_image(network):
    result = explain(network, torch.rand(2, 3, 16, 16), ["grad-cam", GradCam(relu=False)])
    assert [(one.place, one.explainer.relu) for one in result] == [
        (0, True),
        (0, False),
        (1, True),
        (1, False),
    ]


def test_deliberative_explanations_need_no_data(network):
    result = explain(network, torch.rand(3, 16, 16), "deliberative")
    assert result[0].explanation.name == "insecurities"
    result[0].figure()


def test_parameters_come_as_a_table(network):
    result = explain(network, torch.rand(3, 16, 16), {"name": "grad-cam", "relu": False})
    assert result[0].to_json()["explainer"] == {
        "name": "grad-cam",
        "target": "predicted",
        "relu": False,
        "against": "",
    }


@pytest.mark.parametrize("target", [3, "3", "dog", "DOG"])
def test_a_target_is_a_name_or_a_number(network, target):
    result = explain(network, torch.rand(3, 16, 16), classes=NAMES, target=target)
    assert result[0].explanation.label == 3


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (7, "target is 7, and the network has the classes 0 to 4"),
        ("dogg", "'dogg' is no class of the network; did you mean 'dog'?"),
        ("zebra", "'zebra' is no class of the network. Give one of its names"),
    ],
)
def test_an_unknown_target_is_refused_in_one_line(network, target, message):
    with pytest.raises(UsageError) as refused:
        explain(network, torch.rand(3, 16, 16), classes=NAMES, target=target)
    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_a_target_for_an_explainer_without_one_is_refused(network):
    with pytest.raises(UsageError, match="deliberative takes no target"):
        explain(network, torch.rand(3, 16, 16), "deliberative", target=1)


def test_what_needs_a_dataset_says_so(network):
    with pytest.raises(MismatchError, match=r"ces needs more than a network and .*--bank"):
        explain(network, torch.rand(3, 16, 16), "ces")


def test_names_of_another_count_are_refused(network, photo):
    with pytest.raises(MismatchError, match="4 class names, and Sequential has 5 outputs"):
        explain(network, photo, classes=NAMES[:4])


def test_unknown_explainers_and_networks_are_refused_in_one_line(network, photo):
    with pytest.raises(XbenchError, match="unknown explainer 'grad-camm'; did you mean 'grad-cam'"):
        explain(network, photo, "grad-camm")
    with pytest.raises(XbenchError, match="int is no network"):
        explain(3, photo)
    with pytest.raises(XbenchError, match="unknown classifier 'resnet5000'"):
        explain("resnet5000", photo)


def test_images_that_a_network_does_not_take_are_refused_in_one_line():
    layers = (nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, CLASSES))
    fixed = nn.Sequential(*layers)
    with pytest.raises(MismatchError) as refused:
        explain(fixed, torch.rand(3, 20, 20))
    assert str(refused.value).startswith("Sequential fails on images of 20×20 pixels")
    assert "it takes 16×16" in str(refused.value)


def test_what_networks_give_is_understood(photo):
    assert len(load_classifier(Dictionary(CLASSES)).class_names) == CLASSES
    one = load_classifier(plain(1))
    assert len(one.class_names) == 2
    assert "one logit z" in one.remarks[0]
    assert explain(grey(CLASSES), photo, size=16)[0].image.shape[0] == 3
    halved = explain(plain(CLASSES).half(), photo, size=16)
    assert halved[0].image.dtype == torch.float32


def test_a_component_with_weights_of_a_file_is_explained(tmp_path, photo):
    classifier = TinyClassifier()
    torch.save(classifier.module(CLASSES).state_dict(), tmp_path / "weights.pt")
    loaded = load_classifier(classifier, weights=tmp_path / "weights.pt")
    assert len(loaded.class_names) == CLASSES  # as many as the weights have
    result = explain(loaded, photo, classes=NAMES)
    assert {one.name for one in result[0].classes} <= set(NAMES)
    assert not any("random" in line for line in loaded.remarks)


def test_a_function_without_a_count_is_called_as_it_is(photo, monkeypatch):
    module = types.ModuleType("of_mine")
    module.make, module.counted = lambda: plain(7), plain
    monkeypatch.setitem(sys.modules, "of_mine", module)
    loaded = load_classifier("module:of_mine:make", size=16)
    assert len(loaded.class_names) == 7
    assert "the weights of module:of_mine:make are random" in loaded.remarks[0]
    assert len(load_classifier("module:of_mine:counted", size=16).class_names) == 1000
    named = load_classifier("module:of_mine:counted", size=16, classes=NAMES)
    assert named.class_names == NAMES


def test_random_weights_come_by_name_only_and_a_line_says_so(photo):
    loaded = load_classifier("squeezenet1_1", weights="random")
    assert loaded.class_names[948] == "Granny Smith"
    assert loaded.remarks[0] == "squeezenet1_1 is torchvision's"
    assert "are random, so its classes mean nothing" in loaded.remarks[1]
    with pytest.raises(XbenchError, match="small-cnn has no weights in a library; give it those"):
        load_classifier("small-cnn")


def test_a_loaded_network_takes_other_names_and_no_other_weights(network, photo):
    loaded = load_classifier(network)
    assert explain(loaded, photo, classes=NAMES)[0].classes[0].name in NAMES
    with pytest.raises(UsageError, match="loaded already"):
        explain(loaded, photo, size=32)


def test_a_batch_is_no_larger_than_memory(network, monkeypatch):
    seen = []
    original = engine.explained

    def noting(explainer, network, batch, artefacts, source):
        seen.append(len(batch.ids))
        return original(explainer, network, batch, artefacts, source)

    monkeypatch.setattr(engine, "explained", noting)
    cut = load_classifier(network, size=16).network.cut()
    per_pixel = engine.bytes_per_pixel(cut, 16, inside=True)
    free = int(per_pixel * 16 * 16 * 2.5 / 0.7)
    monkeypatch.setattr(engine, "available_bytes", lambda device: free)
    explain(network, torch.rand(5, 3, 16, 16), size=16)
    assert seen == [2, 2, 1]
    with pytest.raises(UsageError, match="one image of 200×100 pixels needs about"):
        explain(network, torch.rand(3, 100, 200), size=16)


def test_the_same_twice_is_the_same(network):
    images = torch.rand(2, 3, 16, 16)
    assert torch.equal(maps(explain(network, images)), maps(explain(network, images)))


def test_images_of_bytes_are_photos(network):
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    of_array = explain(network, pixels, size=32)
    of_photo = explain(network, Image.fromarray(pixels), size=32)
    assert torch.equal(of_array[0].image, of_photo[0].image)
    assert of_array[0].image.shape == (3, 32, 32)


def test_facts_are_plain_values(network, photo):
    facts = json.loads(json.dumps(explain(network, photo, classes=NAMES).to_json()))
    assert facts["images"][0]["path"] == str(photo)
    assert len(facts["images"][0]["classes"]) == 3
