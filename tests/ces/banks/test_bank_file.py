"""Bank files hold what the bank is, and other files are refused without running anything."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pickled import Calls
from xbench import Concept, UsageError
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.banks.file import read_bank, write_bank
from xbench_ces.banks.importing import StoredBank


def bank(**fields):
    values = {
        "concepts": (Concept("snow", "settings"), Concept("grün", "")),
        "normals": torch.arange(1, 17).reshape(2, 8).float(),
        "accuracies": torch.tensor([0.5, 0.9], dtype=torch.float64),
        "margins": torch.tensor([1.5, 2.5], dtype=torch.float64),
        "layer": "features.12",
        "shape": (2, 2, 2),
        "bottom": "hash",
        "examples": torch.arange(96).reshape(2, 3, 4, 4).byte(),
        "facts": {"seed": 3, "summary": ["one line"]},
        **fields,
    }
    return ConceptBank(**values)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bank.safetensors"


@pytest.mark.parametrize("examples", [True, False])
def test_a_bank_comes_back_from_its_file(path, examples):
    whole = bank() if examples else bank(examples=None)
    write_bank(path, whole.artefact("key"))
    back = read_bank(path)
    assert (back.concepts, back.layer, back.shape) == (whole.concepts, whole.layer, whole.shape)
    assert back.bottom == "hash"
    assert back.facts["seed"] == 3
    before, after = whole.artefact("").tensors, back.artefact("").tensors
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_file_is_its_own_key_wherever_it_lies(path, tmp_path, workplace):
    write_bank(path, bank().artefact("key"))
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(path.read_bytes())
    artefact = StoredBank(str(path)).build({}, workplace)
    assert StoredBank(str(path)).key == StoredBank(str(copy)).key == artefact.key
    assert artefact.facts["summary"] == ["2 concepts at features.12, imported"]
    assert ConceptBank.from_artefact(artefact).names == ("snow", "grün")
    write_bank(path, bank(bottom="other").artefact("key"))
    assert StoredBank(str(path)).key != artefact.key


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"concept bank '.*none.*' cannot be written"):
        write_bank(tmp_path / "none" / "bank.safetensors", bank().artefact(""))


def test_a_missing_file_is_said(path):
    with pytest.raises(UsageError) as caught:
        read_bank(path)
    assert str(caught.value) == f"there is no concept bank {str(path)!r}"
    with pytest.raises(UsageError, match="there is no concept bank"):
        _ = StoredBank(str(path)).key


def test_layer_and_shape_are_only_for_pickles(path):
    write_bank(path, bank().artefact(""))
    for fields in ({"layer": "avgpool"}, {"shape": (8, 1, 1)}):
        with pytest.raises(UsageError, match="says itself which layer and shape it is of"):
            read_bank(path, **fields)


def altered(path, **changes):
    """A file with other facts or tensors than a bank has."""
    artefact = bank().artefact("")
    tensors = {
        **artefact.tensors,
        **{n: c for n, c in changes.items() if isinstance(c, torch.Tensor)},
    }
    facts = {**artefact.facts, **{n: c for n, c in changes.items() if n not in tensors}}
    save_file(
        {name: t.contiguous() for name, t in tensors.items()}, path, {"facts": json.dumps(facts)}
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normals": torch.ones(2, 7)}, "normals has shape (2, 7) instead of (2, 8)"),
        ({"normals": torch.ones(3, 8)}, "normals has shape (3, 8) instead of (2, 8)"),
        ({"normals": torch.full((2, 8), torch.nan)}, "normals has values that are no numbers"),
        ({"normals": torch.ones(2, 8).long()}, "normals has values that are no numbers"),
        ({"normals": torch.zeros(2, 8)}, "a concept has a direction of length 0"),
        ({"accuracies": torch.ones(3)}, "accuracies has shape (3,) instead of (2,)"),
        ({"margins": torch.full((2,), torch.inf)}, "margins has values that are no numbers"),
        ({"examples": torch.zeros(2, 1, 4, 4)}, "examples are torch.float32 of shape (2, 1, 4, 4)"),
        ({"concepts": []}, "it has no concepts, or two of one name"),
        ({"concepts": [["a", ""], ["a", "b"]]}, "it has no concepts, or two of one name"),
        ({"concepts": [["a"], ["b"]]}, "not enough values to unpack (expected 2, got 1)"),
        ({"concepts": "ab"}, "concepts is 'ab'"),
        ({"layer": 3}, "layer is 3"),
        ({"shape": "8"}, "shape is '8'"),
        ({"shape": [2, 2]}, "normals has shape (2, 8) instead of (2, 4)"),
        ({"bottom": None}, "bottom is None"),
        ({"summary": [3]}, "its summary is no list of lines"),
    ],
)
def test_a_file_that_is_no_whole_bank_is_refused(path, changes, message):
    altered(path, **changes)
    with pytest.raises(UsageError) as caught:
        read_bank(path)
    assert str(caught.value) == f"{str(path)!r} is no concept bank, or a damaged one: {message}"


def test_foreign_and_damaged_files_are_refused(path):
    write_bank(path, bank().artefact(""))
    whole = path.read_bytes()
    weights = path.with_name("weights.safetensors")
    save_file({"w": torch.ones(2)}, weights)
    text = path.with_name("text.safetensors")
    text.write_text("a bank?")
    path.write_bytes(whole[: len(whole) // 2])
    for wrong in (path, weights, text):
        with pytest.raises(UsageError, match="is no concept bank, or a damaged one: "):
            read_bank(wrong)
    with pytest.raises(UsageError, match="'facts' is missing"):
        read_bank(weights)


RELEASED = {
    "snow": (
        np.ones((1, 4)),
        0.95,
        0.9,
        np.zeros(1),
        {"max": 2.0, "train_margins": np.ones((5, 1))},
    ),
    "knob": (np.full((1, 4), 2.0), 0.8, 0.6, np.ones(1), {"max": np.float64(-1.0)}),
}


def released(path, content=RELEASED):
    path.write_bytes(pickle.dumps(content))
    return path


def test_a_released_bank_is_imported_and_unverified(tmp_path, workplace):
    path = released(tmp_path / "bank.pkl")
    artefact = StoredBank(str(path)).build({}, workplace)
    imported = ConceptBank.from_artefact(artefact)
    assert imported.names == ("snow", "knob")
    assert imported.accuracies.tolist() == [0.9, 0.6]
    assert imported.margins.tolist() == [2.0, -1.0]
    assert (imported.layer, imported.shape, imported.verified) == ("avgpool", (4, 1, 1), False)
    assert torch.equal(imported.normals, torch.tensor([[1.0] * 4, [2.0] * 4]))
    assert artefact.facts["summary"] == [
        "2 concepts at avgpool, imported; unverified: the weights it belongs to are not known",
        "no training image lies on the side of knob: steps of one margin lead away from these",
    ]


def test_layer_and_shape_of_a_released_bank_can_be_given(tmp_path):
    path = released(tmp_path / "bank.pkl")
    imported = read_bank(path, "layer4", (1, 2, 2))
    assert (imported.layer, imported.shape) == ("layer4", (1, 2, 2))
    recipes = [StoredBank(str(path)), StoredBank(str(path), "layer4", (1, 2, 2))]
    assert recipes[0].key != recipes[1].key
    with pytest.raises(UsageError, match=r"normals has shape \(2, 4\) instead of \(2, 8\)"):
        read_bank(path, "layer4", (2, 2, 2))


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {},
        {"a": 1},
        {"a": (np.ones(4), 1.0)},
        {"a": (np.ones(4), 1.0, 1.0, 0.0, {})},
        {"a": (np.ones(4), 1.0, 1.0, 0.0, [])},
        {"a": (np.ones(4), 1.0, "x", 0.0, {"max": 1.0})},
        {"a": ("text", 1.0, 1.0, 0.0, {"max": 1.0})},
        {n: (np.ones(w), 1.0, 1.0, 0.0, {"max": 1.0}) for n, w in (("a", 3), ("b", 4))},
    ],
    ids=str,
)
def test_a_pickle_of_something_else_is_refused(tmp_path, content):
    with pytest.raises(UsageError, match="is no concept bank, or a damaged one: "):
        read_bank(released(tmp_path / "other.pkl", content))


class Elsewhere(pickle.Pickler):
    def persistent_id(self, value):
        return "elsewhere" if isinstance(value, float) else None


def malicious(mark):
    """Pickles that would make a file, in ways a reader may overlook."""
    whole = dict(RELEASED)
    yield "os.system", Calls(os.system, f"touch {mark}")
    yield "eval", Calls(eval, f"open({str(mark)!r}, 'w')")
    yield "exec", {"snow": (Calls(exec, f"open({str(mark)!r}, 'w')"),)}
    yield "nested", {**whole, "bad": [{"deep": (Calls(os.mkdir, str(mark)),)}]}
    yield "key", {**whole, Calls(os.mkdir, str(mark)): 1}
    yield "numpy", {**whole, "bad": Calls(np.save, str(mark), 1)}
    yield "numpy file", {**whole, "bad": Calls(np.fromfile, __file__)}
    yield "path", {**whole, "bad": Path("x")}
    yield "getattr", {**whole, "bad": Calls(getattr, os, "system")}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_nothing_in_a_pickle_is_run(tmp_path, protocol):
    mark = tmp_path / "mark"
    path = tmp_path / "bank.pkl"
    for name, content in malicious(mark):
        try:
            path.write_bytes(pickle.dumps(content, protocol))
        except (TypeError, pickle.PicklingError):  # modules have no pickle
            continue
        with pytest.raises(UsageError):
            read_bank(path)
        assert not list(tmp_path.glob("mark*")), name


def test_objects_from_outside_the_file_are_refused(tmp_path):
    path = tmp_path / "bank.pkl"
    with path.open("wb") as file:
        Elsewhere(file).dump(RELEASED)
    with pytest.raises(UsageError, match="refused"):
        read_bank(path)


def test_a_truncated_pickle_is_refused(tmp_path):
    path = released(tmp_path / "bank.pkl")
    whole = path.read_bytes()
    for length in (0, 1, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError):
            read_bank(path)


@pytest.mark.realdata
def test_the_released_bank_has_170_concepts(realdata, workplace):
    path = realdata / "cce_concept_bank" / "resnet18_bank.pkl"
    artefact = StoredBank(str(path)).build({}, workplace)
    imported = ConceptBank.from_artefact(artefact)
    assert len(imported.names) == 170
    assert imported.shape == (512, 1, 1)
    assert imported.layer == "avgpool"
    assert float(imported.accuracies.min()) == pytest.approx(0.66)
    assert float(imported.accuracies.max()) == 1.0
    assert len(imported.kept(0.7).names) == 168
    assert not imported.verified
    assert imported.one_sided() == ("knob", "manhole")
