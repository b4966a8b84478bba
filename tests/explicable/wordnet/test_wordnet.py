"""WordNet's nouns, and distances between them."""

import gzip
import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import ParameterError, UnknownNameError
from xbench_explicable.kernels.paths import common_heights, path_lengths
from xbench_explicable.wordnet.files import DATA, EXCEPTIONS, digest
from xbench_explicable.wordnet.nouns import nouns, path_similarities, synset_named, synset_of
from xbench_explicable.wordnet.senses import imagenet

PAPER = {
    ("automobile", "truck"): 3,
    ("bird", "frog"): 4,
    ("cat", "dog"): 5,
    ("airplane", "ship"): 6,
    ("airplane", "automobile"): 9,
    ("airplane", "cat"): 19,
}
# Steps in the full WordNet 3.0, printed by tools/wordnet_nouns.py --verify.
FULL = [
    ("n01639765", "n02807133", 13),
    ("n01768244", "n02364673", 10),
    ("n04509417", "n02108422", 12),
    ("n02790996", "n02489166", 17),
    ("n03584254", "n01772222", 14),
    ("n04090263", "n02100583", 17),
    ("n03876231", "n01514668", 12),
    ("n02454379", "n02834397", 13),
    ("n03690938", "n02402425", 17),
    ("n01976957", "n02442845", 12),
    ("n02508021", "n02093991", 7),
    ("n01580077", "n02134084", 10),
]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A folder as that of a full WordNet 3.0, with the bundled nouns in it."""
    folder = tmp_path_factory.mktemp("wordnet")
    for name in ("data.noun", "index.noun", "noun.exc"):
        text = gzip.decompress((DATA / f"{name}.gz").read_bytes())
        head = b"  14 WordNet 3.0 Copyright 2006 by Princeton University.  \n"
        (folder / name).write_bytes(text if name == "noun.exc" else head + text)
    return folder


def slow_lengths(up):
    """The least sum over common nodes, pair by pair."""
    steps = up.tolist()
    return [
        [min(a + b for a, b in zip(one, other, strict=True)) for other in steps] for one in steps
    ]


def slow_heights(up):
    """The least height of a common node, pair by pair."""
    steps, inf = up.tolist(), float("inf")
    tops = [max((row[k] for row in steps if row[k] < inf), default=inf) for k in range(len(up[0]))]
    return [
        [
            0.0
            if i == j
            else min(
                (t for a, b, t in zip(one, other, tops, strict=True) if max(a, b) < inf),
                default=inf,
            )
            for j, other in enumerate(steps)
        ]
        for i, one in enumerate(steps)
    ]


@st.composite
def ups(draw):
    """Steps from classes up to nodes, infinity where a node is not above a class."""
    classes, nodes = draw(st.integers(1, 6)), draw(st.integers(1, 7))
    step = st.sampled_from([float("inf"), 0.0, 1.0, 2.0, 5.0])
    row = st.lists(step, min_size=nodes, max_size=nodes)
    rows = draw(st.lists(row, min_size=classes, max_size=classes))
    return torch.tensor(rows, dtype=torch.float64)


@given(ups())
def test_path_lengths_equal_a_loop_over_pairs(up):
    assert path_lengths(up).tolist() == slow_lengths(up)


@given(ups())
def test_common_heights_equal_a_loop_over_pairs(up):
    assert common_heights(up).tolist() == slow_heights(up)


@given(ups())
def test_path_lengths_are_symmetric_and_not_negative(up):
    lengths = path_lengths(up)
    assert torch.equal(lengths, lengths.T)
    assert (lengths >= 0).all()


def test_classes_with_nothing_above_are_infinitely_far():
    up = torch.full((2, 1), torch.inf, dtype=torch.float64)
    assert path_lengths(up).isinf().all()


@pytest.mark.parametrize(("pair", "steps"), PAPER.items(), ids=str)
def test_the_papers_values_come_out(pair, steps):
    reader = nouns()
    synsets = [synset_named(reader, f"{name}.n.01") for name in pair]
    assert path_similarities(synsets)[0, 1].item() == 1 / steps


@pytest.mark.parametrize(("first", "second", "steps"), FULL)
def test_the_bundled_nouns_are_as_far_apart_as_in_the_full_wordnet(first, second, steps):
    reader = nouns()
    similarities = path_similarities([synset_of(reader, first), synset_of(reader, second)])
    assert similarities[0, 1].item() == 1 / (1 + steps)


def test_similarities_equal_the_librarys_own():
    reader = nouns()
    ids = list(imagenet().values())[::37]
    synsets = [synset_of(reader, wnid) for wnid in ids]
    found = path_similarities(synsets)
    for i, j in itertools.product(range(len(ids)), repeat=2):
        assert found[i, j].item() == synsets[i].path_similarity(synsets[j])


def test_all_thousand_ids_of_imagenet_are_nouns():
    reader = nouns()
    found = {name: synset_of(reader, wnid) for name, wnid in imagenet().items()}
    assert len(found) == 1000
    assert len(set(found.values())) == 1000
    assert found["crane bird"].definition().startswith("large long-necked wading bird")


def test_a_thousand_classes_have_a_similarity_each_with_each():
    reader = nouns()
    found = path_similarities([synset_of(reader, wnid) for wnid in imagenet().values()])
    assert found.shape == (1000, 1000)
    assert torch.equal(found.diagonal(), torch.ones(1000, dtype=torch.float64))
    assert (found > 0).all()
    assert torch.equal(found, found.T)


@pytest.mark.parametrize("text", ["n99999999", "n00000001", "zebrafinch.n.01", "dog.n.99", "dog"])
def test_a_synset_that_is_not_there_is_named(text):
    with pytest.raises(UnknownNameError, match=f"unknown synset of WordNet '{text}'"):
        synset_of(nouns(), text)


def test_a_synset_is_found_by_id_by_name_and_by_an_id_with_a_suffix():
    reader = nouns()
    assert synset_of(reader, "n02084071") is synset_of(reader, "dog.n.01")
    assert synset_of(reader, "n02084071-dog") is synset_of(reader, "dog.n.01")


def test_a_full_wordnet_in_a_folder_is_read(full):
    reader = nouns(str(full))
    synsets = [synset_named(reader, f"{name}.n.01") for name in ("cat", "dog")]
    assert path_similarities(synsets)[0, 1].item() == 1 / 5
    assert digest(str(full)) != digest()


def test_a_folder_without_wordnet_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"there is no file 'index.noun'; name the folder"):
        nouns(str(tmp_path))
    assert digest(str(tmp_path)) == ""


def test_files_that_come_later_are_seen(tmp_path, full):
    assert digest(str(tmp_path)) == ""
    for file in full.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert digest(str(tmp_path)) == digest(str(full))
    assert synset_named(nouns(str(tmp_path)), "dog.n.01")


@pytest.mark.parametrize(
    ("head", "message"),
    [("WordNet 3.1 Copyright", "this is WordNet 3.1"), ("", "this is no WordNet")],
)
def test_another_release_is_refused(tmp_path, full, head, message):
    (tmp_path / "index.noun").write_bytes((full / "index.noun").read_bytes())
    (tmp_path / "data.noun").write_text(f"  1 {head}\n00001740 03 n 01 entity 0 000 | that\n")
    with pytest.raises(ParameterError, match=message):
        synset_named(nouns(str(tmp_path)), "entity.n.01")


def test_wordnets_licence_lies_beside_its_data():
    assert "WordNet 3.0 Copyright 2006" in (DATA / "LICENSE.wordnet").read_text()


def test_irregular_plurals_are_among_what_is_hashed(tmp_path, full):
    for file in full.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = digest(str(tmp_path))
    (tmp_path / EXCEPTIONS).write_text("oxen ox\n")
    assert digest(str(tmp_path)) != before
    (tmp_path / EXCEPTIONS).unlink()
    assert digest(str(tmp_path)) not in ("", before)


def test_changed_files_are_seen_in_a_folder_below_the_users_own(tmp_path, full, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for file in full.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = digest("~")
    (tmp_path / "index.noun").write_bytes((full / "index.noun").read_bytes() + b"\n")
    assert digest("~") != before
