"""Structures in MATLAB 5 files, against SciPy's reader and writer."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat, savemat

from xbench import DatasetError
from xbench_datasets.matlab import read_struct

FIELDS = {"names": "texts", "numbers": "numbers", "flags": "nonzero"}
TYPES = st.sampled_from(["u1", "i2", "u2", "i4", "f4", "f8"])


def written(folder: Path, *, compressed: bool = True, **content: object) -> Path:
    path = folder / "some.mat"
    savemat(path, content, do_compression=compressed)
    return path


def texts(*values: str) -> np.ndarray:
    return np.array(values, object)


@given(
    names=st.lists(st.text(st.characters(codec="utf-16", exclude_characters="\0"), max_size=9)),
    numbers=TYPES.flatmap(lambda kind: arrays(kind, (3, 2), elements=st.integers(0, 99))),
    flags=TYPES.flatmap(lambda kind: arrays(kind, (4, 5), elements=st.integers(0, 3))),
    compressed=st.booleans(),
)
def test_fields_are_read_as_they_were_written(
    tmp_path_factory, names, numbers, flags, compressed
) -> None:
    index = {"skipped": flags, "names": texts(*names), "numbers": numbers, "flags": flags}
    content = {"before": np.arange(3), "index": index, "after": "x"}
    path = written(tmp_path_factory.mktemp("mat"), compressed=compressed, **content)
    found = read_struct(path, "index", FIELDS)
    assert list(found) == list(FIELDS)
    assert found["names"] == names
    assert np.array_equal(found["numbers"], numbers)
    assert found["flags"].dtype == bool
    assert np.array_equal(found["flags"], flags != 0)


def test_numbers_so_few_that_they_lie_in_their_tag(tmp_path: Path) -> None:
    index = {"numbers": np.array([[7]], np.uint8), "flags": np.array([[0, 2]], np.uint8)}
    found = read_struct(
        written(tmp_path, index=index), "index", {"numbers": "numbers", "flags": "nonzero"}
    )
    assert found["numbers"].tolist() == [[7]]
    assert found["flags"].tolist() == [[False, True]]


def told(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_struct(path, "index", FIELDS)
    beginning = (
        f"{path} should be a MATLAB 5 file with a structure 'index' that has names, numbers, flags:"
    )
    assert str(caught.value).startswith(beginning)
    return str(caught.value).removeprefix(beginning).strip()


def test_other_files_are_refused(tmp_path: Path) -> None:
    good = {"names": texts("a"), "numbers": np.eye(2), "flags": np.eye(3)}
    path = tmp_path / "text.mat"
    path.write_text("no such file" * 30)
    assert told(path) == "its header is another"
    assert "No such file" in told(tmp_path / "nowhere.mat")
    assert told(written(tmp_path, other=good)) == "no 'index'"
    assert told(written(tmp_path, index=np.eye(2))) == "no 'index'"
    assert told(written(tmp_path, index={"names": good["names"]})) == "no 'numbers'"
    assert (
        told(written(tmp_path, index={**good, "names": np.eye(2)})) == "names is of another class"
    )
    assert told(written(tmp_path, index={**good, "flags": good["names"]})) == (
        "flags is of another class"
    )
    twice = np.array([(1,), (2,)], [("names", object)])
    assert told(written(tmp_path, index=twice)) == "there are 2 structures"


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_that_ends_early_or_is_damaged_is_refused(tmp_path: Path, compressed) -> None:
    index = {"names": texts("a", "b"), "numbers": np.eye(30), "flags": np.eye(40)}
    path = written(tmp_path, compressed=compressed, index=index)
    whole = path.read_bytes()
    for length in (130, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:length])
        assert told(path)
    path.write_bytes(whole[:140] + b"\xff" * 60 + whole[200:])
    assert told(path)


@pytest.mark.realdata
def test_the_real_index_is_read_as_scipy_reads_it(realdata: Path) -> None:
    path = realdata / "ade20k/index_2016/meta_file/ade20k/index_ade20k.mat"
    kinds = {"scene": "texts", "objectnames": "texts", "objectPresence": "nonzero"}
    found = read_struct(path, "index", kinds)
    known = loadmat(path, squeeze_me=True)["index"]
    assert found["scene"] == [str(scene) for scene in known["scene"].item()]
    assert found["objectnames"] == [str(name) for name in known["objectnames"].item()]
    assert np.array_equal(found["objectPresence"], known["objectPresence"].item() > 0)
