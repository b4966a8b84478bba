"""Insecurities are kept, loaded, masked and drawn."""

from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from xbench import (
    Batch,
    ImageSet,
    MismatchError,
    ParameterError,
    UsageError,
    load_explanations,
    save_explanations,
)
from xbench_deliberative.explanations.figure import highlighted
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.explanations.shared_parts import (
    SharedPart,
    SharedParts,
    example_of,
    visible_points,
)


def some(count: int, seed: int = 0) -> Insecurities:
    source = torch.Generator().manual_seed(seed)
    maps = torch.rand(count, 5, 5, generator=source)
    pairs = torch.tensor([[0, place + 1] for place in range(count)]).reshape(count, 2)
    strengths = torch.arange(count, 0, -1, dtype=torch.float64)
    return Insecurities(maps, pairs, strengths, (20, 20))


@pytest.mark.parametrize("coverage", [0.0, 0.01, 0.1, 0.335, 0.9, 1.0])
def test_masks_cover_exactly_the_stated_area(coverage: float) -> None:
    masks = some(4).masks(coverage)
    assert masks.shape == (4, 20, 20)
    assert masks.sum((1, 2)).tolist() == [round(coverage * 400)] * 4


def test_maps_of_zeros_have_masks_of_the_stated_area_too() -> None:
    flat = Insecurities(
        torch.zeros(1, 5, 5), torch.tensor([[0, 1]]), torch.ones(1).double(), (20, 20)
    )
    assert int(flat.masks(0.25).sum()) == 100


@pytest.mark.parametrize("coverage", [-0.1, 1.5])
def test_impossible_coverages_are_refused(coverage: float) -> None:
    with pytest.raises(ParameterError, match=f"between 0 and 1, not {coverage}"):
        some(1).masks(coverage)


def test_explanations_survive_saving_and_loading(tmp_path: Path) -> None:
    path = tmp_path / "explanations.safetensors"
    saved = [some(3), some(0), some(12, seed=1)]
    save_explanations(path, saved)
    loaded = load_explanations(path, Insecurities)
    assert [len(one) for one in loaded] == [3, 0, 12]
    for before, after in zip(saved, loaded, strict=True):
        assert after.size == before.size
        for name, tensor in before.tensors().items():
            assert torch.equal(after.tensors()[name], tensor)
            assert after.tensors()[name].dtype == tensor.dtype


def test_an_empty_list_survives_saving_and_loading(tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    save_explanations(path, [])
    assert load_explanations(path, Insecurities) == []


class Other(Insecurities):
    """Another kind of explanation."""

    name = "other"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "explanations.safetensors"
    save_explanations(path, [some(1)])
    with pytest.raises(MismatchError, match="holds insecurities, not explanations of kind 'other'"):
        load_explanations(path, Other)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "explanations.safetensors"
    path.write_bytes(b"no safetensors")
    with pytest.raises(
        UsageError, match=r"explanations.safetensors cannot be read as explanations"
    ):
        load_explanations(path, Insecurities)


def texts(figure: Figure) -> set[str]:
    found = {text.get_text() for ax in figure.axes for text in ax.texts}
    found |= {ax.get_title(loc="left") for ax in figure.axes}
    return found | {text.get_text() for text in figure.texts}


def test_the_picture_names_classes_and_shared_parts(images: ImageSet, tmp_path: Path) -> None:
    names = images.dataset.class_names()
    batch = images.batch(images.ids()[:1])
    figure = some(3).draw(batch, ImageSet(images.dataset, "train"), names)
    assert {"class 0", "class 1", "class 2", "class 3"} <= texts(figure)
    shared = SharedParts.of(images.dataset)
    assert shared is not None
    expected = {part.name for pair in ((0, 1), (0, 2), (0, 3)) for part in shared.between(*pair)}
    shown = {text.partition(":")[0] for text in texts(figure)}
    assert expected <= shown
    figure.savefig(tmp_path / "figure.png", dpi=40)
    assert (tmp_path / "figure.png").stat().st_size > 2000


def test_the_picture_does_without_examples_labels_and_annotations(tmp_path: Path) -> None:
    batch = Batch(torch.rand(1, 3, 20, 20), (7,))
    figure = some(2).draw(batch, None, ("a", "b", "c"))
    assert {"Insecurities", "a\nor b?", "a\nor c?"} <= texts(figure)
    figure.savefig(tmp_path / "figure.png", dpi=40)


def test_the_picture_says_when_there_is_no_insecurity(images: ImageSet) -> None:
    figure = some(0).draw(images.batch(images.ids()[:1]), images, images.dataset.class_names())
    assert "The network has no insecurity about this image." in texts(figure)


def test_the_image_keeps_its_colours_inside_the_region_only() -> None:
    image, mask = torch.rand(4, 4, 3), torch.eye(4, dtype=torch.bool)
    shown = highlighted(image, mask)
    assert torch.equal(shown[mask], image[mask])
    assert not torch.isclose(shown[~mask], image[~mask]).all()
    assert ((shown >= 0) & (shown <= 1)).all()


def test_examples_are_of_the_class_and_not_the_explained_image(images: ImageSet) -> None:
    ids = images.ids()
    first = example_of(images, 2, None)
    assert first is not None
    assert int(images.dataset.labels([first])) == 2
    other = example_of(images, 2, first)
    assert other is not None
    assert other > first
    assert example_of(images, 99, ids[0]) is None


def test_hidden_parts_get_no_dot(images: ImageSet) -> None:
    image = images.ids()[0]
    parts = [SharedPart(k, f"part {k}", ()) for k in range(4)]
    visible = images.part_points([image])[0][:, 2] > 0
    assert set(visible_points(images, image, parts)) == set(visible.nonzero()[:, 0].tolist())


def test_shared_values_are_those_that_both_classes_show_most(images: ImageSet) -> None:
    shared = SharedParts.of(images.dataset)
    assert shared is not None
    part = next(p for b in range(1, 6) for p in shared.between(0, b))
    attributes = [a for a in images.dataset.class_attributes() if a.part == part.place]
    assert len(part.values) == len(attributes)
    assert all(v in a.values for v, a in zip(part.values, attributes, strict=True))
