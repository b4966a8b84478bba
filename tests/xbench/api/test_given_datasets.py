"""Datasets that are made of what somebody holds, and those that have names."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from small_networks import Linear
from sure import Sure
from xbench.api.datasets import dataset_from, load_dataset
from xbench.api.running import run
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.errors import DatasetError, ParameterError, UnknownNameError
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.training import Training
from xbench.testing.conformance.suite import check_component
from xbench_zoo.losses import CrossEntropy

SIDE = 8


def pixels(place):
    source = torch.Generator().manual_seed(place)
    return torch.randint(0, 256, (3, SIDE, SIDE), generator=source).to(torch.uint8)


def picture(place):
    return Image.fromarray(pixels(place).permute(1, 2, 0).numpy())


FORMS = {
    "bytes": pixels,
    "floats": lambda place: pixels(place) / 255,
    "array": lambda place: pixels(place).permute(1, 2, 0).numpy(),
    "picture": picture,
    "with alpha": lambda place: picture(place).convert("RGBA"),
}


class Pairs(TorchDataset):
    """Images of two classes in a form; what has a lambda cannot be pickled."""

    def __init__(self, form=pixels, count=12, label=lambda place: place % 2):
        self.form, self.count, self.of = form, count, label

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        return self.form(place), self.of(place)


class ClassLabel:
    """As Hugging Face's feature of this name."""

    names = ("cat", "dog")


class Rows:
    """A small double of a Hugging Face dataset: rows with named columns of certain types."""

    def __init__(self, count=12, image="photo", label="animal"):
        self.count, self.names = count, (image, label)
        self.features = {image: type("Image", (), {})(), label: ClassLabel(), "id": object()}
        self.column_names = list(self.features)

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        image, label = self.names
        return {image: picture(place), label: place % 2, "id": place}


def all_ids(dataset):
    return [image for split in dataset.splits() for image in dataset.ids(split)]


@pytest.mark.parametrize("form", FORMS)
def test_images_of_every_form_are_the_same_bytes(form):
    dataset = dataset_from(Pairs(FORMS[form]))
    ids = sorted(all_ids(dataset))
    assert ids == list(range(12))
    for image, found in zip(ids, dataset.images(ids), strict=True):
        assert torch.equal(found, pixels(image))
    assert dataset.labels(ids).tolist() == [image % 2 for image in ids]
    assert dataset.fingerprint() == dataset_from(Pairs()).fingerprint()


def test_it_keeps_the_contract_of_datasets():
    check_component(dataset_from(Pairs(count=24)))


def test_grey_images_get_three_equal_channels():
    dataset = dataset_from(Pairs(lambda place: pixels(place)[0]))
    (image,) = dataset.images([3])
    assert torch.equal(image, pixels(3)[:1].expand(3, -1, -1))


def test_the_splits_are_drawn_from_the_seed_and_are_apart():
    dataset = dataset_from(Pairs(), test=0.25, seed=1)
    train, test = set(dataset.ids("train")), set(dataset.ids("test"))
    assert (len(train), len(test), train & test) == (9, 3, set())
    again, other = dataset_from(Pairs(), seed=1), dataset_from(Pairs(), seed=2)
    assert dataset == again
    assert hash(dataset) == hash(again)
    assert dataset != other


def test_splits_that_are_given_have_their_names_and_ids_of_their_own():
    dataset = dataset_from({"train": Pairs(count=4), "validation": Pairs(count=2)})
    assert dataset.splits() == ("train", "validation")
    assert (dataset.ids("train"), dataset.ids("validation")) == ((0, 1, 2, 3), (4, 5))
    assert torch.equal(dataset.images([5])[0], pixels(1))
    with pytest.raises(UnknownNameError, match="split of the given dataset 'test'"):
        dataset.ids("test")


@pytest.mark.parametrize(
    "change",
    [
        {"count": 11},
        {"label": lambda place: 1 - place % 2},
        {"form": lambda place: pixels(place + (place == 7))},
    ],
)
def test_its_content_is_in_its_key(change):
    assert dataset_from(Pairs(**change)).fingerprint() != dataset_from(Pairs()).fingerprint()
    assert (
        dataset_from(Pairs(), classes=["a", "b"]).fingerprint()
        != dataset_from(Pairs()).fingerprint()
    )


def test_classes_are_those_that_are_known_given_or_found():
    assert dataset_from(Pairs()).class_names() == ("class 0", "class 1")
    assert dataset_from(Pairs(), classes=["a", "b", "c"]).class_names() == ("a", "b", "c")
    words = dataset_from(Pairs(label=lambda place: "dog" if place % 2 else "cat"))
    assert words.class_names() == ("cat", "dog")
    assert words.labels([0, 1]).tolist() == [0, 1]
    tensors = TensorDataset(torch.rand(4, 3, SIDE, SIDE), torch.tensor([0, 1, 2, 0]))
    assert len(dataset_from(tensors).class_names()) == 3


def test_an_image_folder_and_a_part_of_it_have_its_classes(tmp_path):
    for place in range(8):
        folder = tmp_path / ("wren" if place % 2 else "finch")
        folder.mkdir(exist_ok=True)
        picture(place).save(folder / f"{place}.png")
    folder = ImageFolder(
        tmp_path, transform=v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    )
    dataset = dataset_from(folder)
    assert dataset.class_names() == ("finch", "wren")
    assert torch.equal(dataset.images([0])[0], pixels(0))
    assert dataset_from(Subset(folder, [0, 1, 6, 7])).class_names() == ("finch", "wren")


def test_rows_with_typed_columns_are_read_as_hugging_face_writes_them():
    dataset = dataset_from({"train": Rows(), "test": Rows(4)})
    assert dataset.class_names() == ("cat", "dog")
    assert dataset.labels([1, 12]).tolist() == [1, 0]
    assert torch.equal(dataset.images([13])[0], pixels(1))


def test_datasets_of_hugging_face_themselves_are_read():
    datasets = pytest.importorskip("datasets", reason="the package datasets is not installed")
    columns = {"image": [picture(place) for place in range(6)], "label": [0, 1] * 3}
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
    rows = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    dataset = dataset_from(datasets.DatasetDict({"train": rows, "test": rows}))
    assert dataset.class_names() == ("cat", "dog")
    assert torch.equal(dataset.images([8])[0], pixels(2))


class Endless(IterableDataset):
    """Without a length."""

    def __iter__(self):
        return iter(())


class NoPairs(TorchDataset):
    """Images alone."""

    def __len__(self):
        return 3

    def __getitem__(self, place):
        return pixels(place)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (Endless(), {}, "Endless has no items by number"),
        (NoPairs(), {}, "item 0 is Tensor, not a pair"),
        (Pairs(lambda _: torch.rand(3, 4, 4)), {}, "another one each time it is read"),
        (Pairs(lambda place: pixels(place) / 50 - 2), {}, "leave normalising transforms out"),
        (Pairs(lambda _: "path.jpg"), {}, "image 0 is str, no PIL image, array or tensor"),
        (Pairs(lambda _: torch.zeros(5, 4, 4)), {}, r"the shape \(5, 4, 4\)"),
        (Pairs(label=lambda _: [0, 1]), {}, "not one class"),
        (Pairs(label=lambda _: 0.5), {}, "not one class"),
        (Pairs(), {"classes": ["a"]}, "label 1 is none of 1 classes"),
        (Pairs(label=str), {"classes": ["a"]}, "label '0' is none of the classes"),
        (Pairs(count=1), {}, "1 images cannot be split"),
        ({}, {}, "the dictionary of splits is empty"),
        (Rows(), {"image": "picture"}, "no column 'picture' among photo, animal, id"),
    ],
)
def test_what_is_no_dataset_is_refused_in_a_line(given, options, message):
    with pytest.raises(DatasetError, match=message) as caught:
        dataset_from(given, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("test", [0, 1, 1.5, True])
def test_the_share_of_the_test_split_is_a_share(test):
    with pytest.raises(ParameterError, match=r"the share of the split in \(0, 1\)"):
        dataset_from(Pairs(), test=test)


def test_a_benchmark_runs_on_what_cannot_be_pickled(tmp_path):
    dataset = dataset_from(Pairs())
    sets = {role: ImageSet(dataset, role) for role in ("train", "test")}
    parts = {"classifier": Linear(), "loss": CrossEntropy(), "training": Training(epochs=0)}
    line = Line("one", "entry", None, **parts)
    about = {"name": "given", "version": "1", "title": "", "seed": 0, "repeats": 1}
    benchmark = Benchmark(
        **about, protocol=Sure(), datasets=sets, lines=(line,), contrasts=(), **parts
    )
    (record,) = run(benchmark, store=tmp_path, quiet=True, device="cpu").records
    assert record.cases == 3
    assert dataset.fingerprint() in str(record.datasets)


def test_a_dataset_of_a_name_is_checked_and_has_its_parameters():
    dataset = load_dataset("toybirds", train=20, test=10)
    assert isinstance(dataset, Dataset)
    images = load_dataset("toybirds", split="test", train=20, test=10)
    assert len(images.ids()) == 10
    with pytest.raises(UnknownNameError, match="split of dataset toybirds 'val'"):
        load_dataset("toybirds", split="val")
    with pytest.raises(UnknownNameError, match="did you mean 'toybirds'"):
        load_dataset("toybird")
    with pytest.raises(DatasetError, match="folder"):
        load_dataset("folder", root="/nowhere")
    assert not isinstance(dataset, Mapping)
    assert np.array_equal(images.batch(images.ids()[:1]).ids, [images.ids()[0]])
