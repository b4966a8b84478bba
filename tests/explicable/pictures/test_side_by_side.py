"""Grad-CAM of two classifiers side by side."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from named_cases import named
from small_entries import entry_of
from xbench import (
    Case,
    ImageSet,
    LiveModuleWeights,
    PinnedWeights,
    UnknownNameError,
    WeightsFile,
)
from xbench.networks import blank_module
from xbench_datasets.packed.dataset import PackedImages
from xbench_explicable.pictures.paired_answers import PairedAnswer
from xbench_explicable.pictures.side_by_side import answer_groups, maps_of, side_by_side
from xbench_saliency.cams.grad_cam import GradCam
from xbench_toybirds.dataset import Toybirds
from xbench_zoo.cifar.resnet import CifarResnet
from xbench_zoo.small import SmallCnn

BIRDS = Toybirds(train=4, test=9, shifted=3)
NETWORK = SmallCnn((4, 4, 6, 6, 6))
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def entry(label, seed=1):
    sets = {role: ImageSet(BIRDS, role) for role in ("train", "test", "shifted")}
    weights = LiveModuleWeights(NETWORK, 20, blank_module(NETWORK, 20, seed))
    return entry_of(NETWORK, sets, label=label, weights=weights)


def answer(case, a, b, similarity=(0.0, 0.0), label=0):
    return PairedAnswer(Case("test", case), "test", case, label, (a, b), similarity)


def rows(predicted, similarity=(0.5,) * 12):
    """Rows of all birds; predicted is an offset to the label."""
    ids = [("test", i) for i in BIRDS.ids("test")] + [("shifted", i) for i in BIRDS.ids("shifted")]
    labels = BIRDS.labels([image for _, image in ids]).numpy()
    return pa.table(
        {
            "case": [f"{name}/{image}" for name, image in ids],
            "set": pa.array([name for name, _ in ids]).dictionary_encode(),
            "image": [image for _, image in ids],
            "label": labels,
            "predicted": (labels + np.array(predicted)) % 20,
            "similarity": list(similarity),
        }
    )


def words(drawing):
    return [text.get_text() for text in drawing.figure.texts]


def test_images_are_grouped_by_who_is_right():
    some = [
        answer(0, 1, 2, (0.1, 0.3)),  # both wrong, b nearer
        answer(1, 2, 1, (0.3, 0.1)),  # both wrong, a nearer
        answer(2, 1, 1, (0.1, 0.1)),  # both wrong, the same
        answer(3, 1, 0, (0.1, 0.6)),  # b right
        answer(4, 0, 1, (0.6, 0.1)),  # a right
        answer(5, 0, 0, (0.6, 0.6)),  # both right
    ]
    groups = answer_groups(some, 5)
    assert [[one.case.id for one in group.answers] for group in groups] == [[0], [3], [5]]
    titles = ["Both wrong, b nearer to the truth", "b right, a wrong", "Both right"]
    assert [group.title for group in groups] == titles


def test_where_b_is_nowhere_nearer_all_mistakes_of_both_are_shown():
    some = [answer(1, 2, 1, (0.3, 0.1)), answer(2, 1, 1, (0.1, 0.1), label=3)]
    first = answer_groups(some, 5)[0]
    assert first.title == "Both wrong"
    assert [one.case.id for one in first.answers] == [1, 2]


def test_maps_are_those_of_the_predicted_class_whatever_the_batches(bench):
    shown = [
        PairedAnswer(Case(name, image), name, image, 0, (0, 0), (0.0, 0.0))
        for name, image in [
            *(("test", i) for i in BIRDS.ids("test")[:3]),
            ("shifted", BIRDS.ids("shifted")[2]),
        ]
    ]
    one = entry("a", seed=3)
    found = maps_of(one, shown, bench)
    assert list(found) == [answer.case for answer in shown]
    network = bench.network(NETWORK, bench.provider.one(one.weights))
    for case in found:
        batch = one.datasets[case.role].batch([case.id])
        (alone,) = GradCam().explain(network, batch, {}, one.source(), {})
        assert alone.label == int(network.logits(batch.images).argmax())
        torch.testing.assert_close(found[case].values, alone.values, rtol=1e-3, atol=1e-6)


def test_a_picture_shows_each_image_with_two_maps(bench):
    entries = {"plain": entry("plain", 1), "weighted": entry("weighted", 2)}
    made = {
        "plain": rows([1] * 6 + [0] * 6, [0.1] * 6 + [0.6] * 6),
        "weighted": rows([2] * 3 + [0] * 8 + [3], [0.2] * 3 + [0.6] * 8 + [0.1]),
    }
    drawing = side_by_side(entries, made, bench, a="plain", b="weighted", count=2)
    names, told = BIRDS.class_names(), words(drawing)
    assert len(drawing.figure.axes) == 3 * (2 + 2 + 2)
    assert told[0] == "a: plain,   b: weighted"
    assert [text for text in told if text.endswith("images")] == [
        "3 images",
        "3 images",
        "5 images",
    ]
    label = int(BIRDS.labels([BIRDS.ids("test")[0]])[0])
    assert {names[label], names[(label + 1) % 20], names[(label + 2) % 20]} <= set(told)
    assert {"wrong · 0.100", "wrong · 0.200", "right · 0.600"} <= set(told)
    assert drawing.text.startswith(
        "a is plain, b is weighted. Both wrong, b nearer to the truth, 3"
    )
    assert drawing.title == "Where plain and weighted look"
    shapes = {ax.images[0].get_array().shape for ax in drawing.figure.axes}
    assert shapes == {(192, 192, 3)}
    drawing.figure.canvas.draw()


def test_maps_of_two_classifiers_differ_and_those_of_one_do_not(bench):
    made = {"a": rows([0] * 12), "b": rows([0] * 12)}
    for seed, same in ((1, True), (2, False)):
        entries = {"a": entry("a", 1), "b": entry("b", seed)}
        drawing = side_by_side(entries, made, bench, a="a", b="b", count=1)
        _, first, second = (ax.images[0].get_array() for ax in drawing.figure.axes)
        assert np.array_equal(first, second) == same


def test_groups_without_images_say_so(bench):
    entries = {"a": entry("a", 1), "b": entry("b", 2)}
    made = {"a": rows([0] * 12), "b": rows([0] * 12)}
    drawing = side_by_side(entries, made, bench, a="a", b="b", count=1)
    assert words(drawing).count("no such image") == 2
    none = {label: table.slice(0, 0) for label, table in made.items()}
    empty = side_by_side(entries, none, bench, a="a", b="b")
    assert words(empty).count("no such image") == 3
    empty.figure.canvas.draw()


def test_unknown_entries_are_named(bench):
    entries = {label: entry(label) for label in ("plain", "weighted")}
    made = {label: rows([0] * 12) for label in entries}
    with pytest.raises(UnknownNameError, match=r"'palin'.*plain"):
        side_by_side(entries, made, bench, a="palin", b="weighted")


@pytest.mark.realdata
def test_real_networks_on_real_images_can_be_compared(realdata, bench):
    images = PackedImages(
        root=str(realdata / "cifar10"),
        files=("train=train_first4000_lossless.npz", "test=test_jpeg.npz"),
        classes=CIFAR,
    )
    entries, made = {}, {}
    for depth, file in ((20, "resnet20-12fca82f.th"), (56, "resnet56-4bfd9763.th")):
        label, classifier = f"ResNet-{depth}", CifarResnet(depth)
        sets = {role: ImageSet(images, role) for role in ("train", "test")}
        source = WeightsFile(str(realdata / "cifar10_resnets" / file))
        weights = PinnedWeights(classifier, 10, source)
        entries[label] = entry_of(classifier, sets, label=label, weights=weights)
        network = bench.network(classifier, bench.provider.one(weights))
        ids = list(images.ids("test"))[:60]
        batch = entries[label].datasets["test"].batch(ids)
        predicted = network.logits(batch.images).argmax(1)
        made[label] = pa.table(
            {
                "case": named(ids),
                "set": ["test"] * 60,
                "image": ids,
                "label": batch.labels.numpy(),
                "predicted": predicted.numpy(),
                "similarity": (predicted == batch.labels).double().numpy(),
            }
        )
    a, b = entries
    drawing = side_by_side(entries, made, bench, a=a, b=b, count=2)
    told, some = words(drawing), made[a].to_pylist()[:10]
    seen = [(Case.parse(row["case"]), "test", row["image"]) for row in some]
    shown = [PairedAnswer(*whose, 0, (0, 0), (0, 0)) for whose in seen]
    for label, one in entries.items():
        found = maps_of(one, shown, bench)
        said = made[label]["predicted"].to_pylist()
        assert [found[seen.case].label for seen in shown] == said[: len(shown)]
    assert sum(text.startswith("test ") for text in told) >= 4
    assert {ax.images[0].get_array().shape for ax in drawing.figure.axes} == {(192, 192, 3)}
