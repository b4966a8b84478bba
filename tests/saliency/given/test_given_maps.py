"""Maps that were made elsewhere: read from a file, checked, and given in an explainer's place."""

import numpy as np
import pytest
import torch

from xbench import MismatchError, ParameterError, UsageError, generator
from xbench.testing import check_component, tiny_batch, tiny_network
from xbench_saliency.cams.grad_cam import GradCam
from xbench_saliency.given.given_maps import GivenMaps
from xbench_saliency.given.maps_file import NEEDED


def written(path, **changes):
    """A file of Grad-CAM's maps of the tiny batch; some arrays are others, or left out by None."""
    batch = tiny_batch()
    made = GradCam().explain(tiny_network(), batch, {}, generator(0), {})
    arrays = {
        "maps": np.stack([one.values.numpy() for one in made]),
        "ids": np.array(batch.ids),
        "classes": np.array([one.label for one in made]),
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return str(path)


def read(path):
    return GivenMaps(path).explain(tiny_network(), tiny_batch(), {}, generator(0), {})


def test_it_keeps_the_contract_of_explainers(tmp_path):
    check_component(GivenMaps(written(tmp_path / "maps.npz")))


def test_what_is_read_is_what_the_method_made(tmp_path):
    found = read(written(tmp_path / "maps.npz"))
    made = GradCam().explain(tiny_network(), tiny_batch(), {}, generator(0), {})
    for one, other in zip(found, made, strict=True):
        assert torch.equal(one.values, other.values)
        assert (one.label, one.size, one.against) == (other.label, other.size, None)
        assert one.probability == pytest.approx(other.probability)


def test_the_order_of_a_file_does_not_matter_but_its_content_does(tmp_path):
    batch = tiny_batch()
    one = written(tmp_path / "one.npz")
    arrays = {name: array[::-1] for name, array in np.load(one).items()}
    np.savez(tmp_path / "other.npz", **arrays)
    other = str(tmp_path / "other.npz")
    for first, second in zip(read(one), read(other), strict=True):
        assert torch.equal(first.values, second.values)
    same = written(tmp_path / "same.npz")
    assert GivenMaps(one).tree() == GivenMaps(same).tree() != GivenMaps(other).tree()
    assert len(read(one)) == len(batch.ids)


def test_a_contrast_is_read_where_there_is_one(tmp_path):
    count = len(tiny_batch().ids)
    against = np.array([-1] + [0] * (count - 1))
    found = read(written(tmp_path / "maps.npz", against=against))
    assert [one.against for one in found] == [None] + [0] * (count - 1)


MISTAKES = {
    "no maps": ({"maps": None}, MismatchError, "has no array 'maps'"),
    "no classes": ({"classes": None}, MismatchError, "has no array 'classes'"),
    "flat": ({"maps": np.zeros((3, 4))}, MismatchError, "maps is 3 × 4; it needs images × height"),
    "words": ({"maps": np.full((9, 2, 2), "a")}, MismatchError, "not numbers"),
    "not finite": ({"maps": np.full((9, 2, 2), np.nan)}, MismatchError, r"maps\[0\] holds NaN"),
    "too few": ({"ids": np.zeros(1, int)}, MismatchError, "ids is 1, but there are"),
    "shares": ({"classes": np.zeros(99)}, MismatchError, "classes is 99, but there are"),
    "twice": (
        {name: np.zeros((9, 2, 2) if name == "maps" else 9, int) for name in NEEDED},
        MismatchError,
        "ids has image 0 more than once",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_is_no_file_of_maps_is_refused(tmp_path, mistake):
    changes, error, text = MISTAKES[mistake]
    with pytest.raises(error, match=text):
        read(written(tmp_path / "maps.npz", **changes))


def test_what_is_no_file_of_maps_is_refused_when_its_key_is_asked_for(tmp_path):
    explainer = GivenMaps(written(tmp_path / "flat.npz", maps=np.zeros((3, 4))))
    with pytest.raises(MismatchError, match="maps is 3 × 4"):
        explainer.parameters()


def test_missing_images_classes_out_of_range_and_missing_files_are_named(tmp_path):
    batch = tiny_batch()
    other = written(tmp_path / "other.npz", ids=np.arange(len(batch.ids)) + 900_000)
    with pytest.raises(MismatchError, match=f"has no map of image {batch.ids[0]}"):
        read(other)
    beyond = written(tmp_path / "beyond.npz", classes=np.full(len(batch.ids), 99))
    with pytest.raises(
        ParameterError, match=r"classes\[0\] is 99, and the network has the classes"
    ):
        read(beyond)
    with pytest.raises((UsageError, OSError), match=r"nowhere\.npz"):
        read(str(tmp_path / "nowhere.npz"))
