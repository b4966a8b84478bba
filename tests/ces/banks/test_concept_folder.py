"""Folders of positive and negative images are concepts of one's own."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xbench import Concept, DatasetError, Transform, UnknownNameError, generator
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.concept_folder import ConceptFolder
from xbench_ces.banks.learning import LearnedBank

COLOURS = {"positive": (220, 40, 40), "negative": (90, 120, 140)}


def paint(folder: Path, count: int, colour, size=(30, 24), seed=0) -> None:
    """Noisy pictures of a colour."""
    folder.mkdir(parents=True)
    noise = np.random.default_rng(seed)
    for number in range(count):
        pixels = np.array(colour) + noise.integers(-30, 30, (*size[::-1], 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")


def concept(root: Path, name: str, counts=(12, 14)) -> Path:
    for seed, (kind, count) in enumerate(zip(COLOURS, counts, strict=True)):
        paint(root / name / kind, count, COLOURS[kind], seed=seed)
    return root / name


@pytest.fixture
def root(tmp_path):
    concept(tmp_path / "concepts", "settings/red")
    concept(tmp_path / "concepts", "settings/warm", (10, 10))
    concept(tmp_path / "concepts", "alone", (11, 12))
    return tmp_path / "concepts"


@pytest.fixture
def folder(root):
    return ConceptFolder(str(root), size=20)


def test_concepts_have_the_families_of_their_folders(folder):
    folder.check()
    assert folder.concepts() == (
        Concept("alone", ""),
        Concept("red", "settings"),
        Concept("warm", "settings"),
    )
    assert folder.class_names() == ("alone", "red", "warm")


def test_its_images_are_the_positive_ones(folder):
    ids = folder.ids("all")
    assert folder.splits() == ("all",)
    assert folder.labels(ids).bincount().tolist() == [11, 12, 10]
    images = folder.images(ids)
    assert images.shape == (33, 3, 20, 20)
    assert images.dtype == torch.uint8
    assert set(folder.sizes(ids)) == {(20, 20)}
    assert torch.all(images[:, 0].float().mean((1, 2)) > 150)
    with pytest.raises(UnknownNameError, match="unknown split of"):
        folder.ids("train")


def test_examples_are_drawn_without_repetition_up_to_the_count(folder):
    pair = folder.concept_examples("red", 5, generator("draw"))
    assert pair.positive.shape == pair.negative.shape == (5, 3, 20, 20)
    assert torch.all(pair.positive[:, 0].float().mean((1, 2)) > 150)
    assert torch.all(pair.negative[:, 0].float().mean((1, 2)) < 150)
    whole = folder.concept_examples("red", 100, generator("draw"))
    assert (len(whole.positive), len(whole.negative)) == (12, 14)
    assert len(whole.positive.flatten(1).unique(dim=0)) == 12
    assert torch.equal(whole.positive[:5], pair.positive)
    other = folder.concept_examples("red", 5, generator("other draw"))
    assert not torch.equal(other.positive, pair.positive)


def test_images_are_resized_and_their_middle_is_cut_out(tmp_path):
    wide = np.zeros((20, 60, 3), dtype=np.uint8)
    wide[:, 20:40] = 255
    for kind in COLOURS:
        (tmp_path / "middle" / kind).mkdir(parents=True)
        for number in range(10):
            Image.fromarray(wide).save(tmp_path / "middle" / kind / f"{number}.png")
    pair = ConceptFolder(str(tmp_path), size=10).concept_examples("middle", 1, generator(0))
    assert pair.positive[0, :, :, 1:-1].min() >= 250


def test_an_unknown_concept_is_refused(folder, root):
    with pytest.raises(UnknownNameError) as caught:
        folder.concept_examples("rde", 5, generator(0))
    assert str(caught.value) == (
        f"unknown concept of {root} 'rde'; did you mean 'red'? Known: alone, red, warm."
    )


def test_photographs_are_turned_upright(root):
    photo = root / "alone" / "positive" / "00.png"
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    pixels[:10] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(photo, exif=exif)
    folder = ConceptFolder(str(root), size=20)
    image = folder.images(folder.ids("all")[:1])[0]
    assert image[:, :, :9].max() == 0
    assert image[:, :, 11:].min() == 255


def test_a_bank_can_be_learned_from_it(folder, make_weights, provider):

    weights = make_weights()
    recipe = LearnedBank(weights, weights.plan.classifier, (folder,), Transform())
    bank = ConceptBank.from_artefact(provider.one(recipe))
    assert bank.names == ("alone", "red", "warm")
    assert bank.accuracies.tolist() == [1.0, 1.0, 1.0]
    assert bank.facts["details"]["red"]["held_out"] == 6


def test_the_fingerprint_changes_with_every_image(folder, root):
    before = folder.fingerprint()
    assert ConceptFolder(str(root), size=20).fingerprint() == before
    (root / "alone" / "negative" / "00.png").unlink()
    Image.new("RGB", (30, 24), (1, 2, 3)).save(root / "alone" / "negative" / "00.png")
    after = folder.fingerprint()
    assert after != before
    (root / "alone" / "negative" / "01.png").unlink()
    assert folder.fingerprint() not in (before, after)


def refused(root, **fields) -> str:
    with pytest.raises(DatasetError) as caught:
        ConceptFolder(str(root), **fields).check()
    return str(caught.value)


def test_too_few_images_are_refused(root):
    for path in sorted((root / "settings" / "red" / "positive").iterdir())[9:]:
        path.unlink()
    assert refused(root) == (
        "dataset 'concept-folder': concept 'red' has 9 images in its folder 'positive'; at least "
        "10 are needed"
    )


def test_an_empty_folder_is_refused(root):
    for path in (root / "alone" / "negative").iterdir():
        path.unlink()
    assert "concept 'alone' has 0 images in its folder 'negative'" in refused(root)


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_a_missing_sub_folder_is_refused(root, kind):
    folder = root / "alone" / kind
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert refused(root) == (
        f"dataset 'concept-folder': {root / 'alone'} has no sub-folder {kind!r}; expected "
        "root/concept/positive and root/concept/negative, or root/family/concept/…"
    )


def test_the_same_images_in_both_folders_are_refused(root):
    inside = root / "alone"
    for path in (inside / "negative").iterdir():
        path.unlink()
    for place, path in enumerate(sorted((inside / "positive").iterdir(), reverse=True)):
        os.link(path, inside / "negative" / f"copy {place}.png")
    assert refused(root) == (
        "dataset 'concept-folder': the folders 'positive' and 'negative' of concept 'alone' hold "
        "the same images"
    )


def test_images_that_lie_elsewhere_are_refused(root):
    Image.new("RGB", (8, 8)).save(root / "alone" / "stray.png")
    message = refused(root)
    assert message.startswith(f"dataset 'concept-folder': {root / 'alone' / 'stray.png'} lies in")
    assert "no folder 'positive' or 'negative' of a concept" in message


def test_two_concepts_of_one_name_are_refused(root):
    concept(root, "textures/red")
    assert refused(root) == (
        "dataset 'concept-folder': families 'settings' and 'textures' both have a concept 'red'; "
        "rename one of them"
    )


def test_a_folder_that_is_none_is_refused(tmp_path):
    assert "needs a folder" in refused("")
    assert f"{tmp_path / 'none'} is no folder" in refused(tmp_path / "none")
    assert "no image was found" in refused(tmp_path)


def test_damaged_images_are_named(folder, root):
    assert folder.verify() == []
    damaged = root / "alone" / "negative" / "03.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    assert [line.partition(": ")[0] for line in folder.verify()] == ["damaged"]
    with pytest.raises(DatasetError, match="does not decode as an image"):
        folder.concept_examples("alone", 100, generator(0))


def test_an_impossible_size_is_refused(root):
    with pytest.raises(ValueError, match="size should be at least 1, got 0"):
        ConceptFolder(str(root), size=0)


def test_it_is_a_component(folder):
    from xbench.testing import check_component

    check_component(folder)
