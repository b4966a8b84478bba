"""Weights are read without executing anything and loaded only where they fit."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interrupted import equal
from pickled import Calls
from xbench.errors import WeightsError
from xbench.networks.weights import file_hash, load_state, read_state, state_hash


def network(classes=4):
    layers = nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, classes)
    return nn.Sequential(*layers)


@pytest.fixture
def state():
    return network().state_dict()


def write(state, path):
    if path.suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    elif path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.pt", "w.pth", "w.tar"])
def test_every_kind_of_file_gives_the_state_back(name, state, tmp_path):
    assert equal(read_state(write(state, tmp_path / name)), state)


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict", "net"])
def test_checkpoints_are_unwrapped_and_parallel_prefixes_removed(wrapper, state, tmp_path):
    parallel = {f"module.{name}": tensor for name, tensor in state.items()}
    torch.save({"epoch": 3, "best": 0.5, wrapper: parallel}, tmp_path / "w.pt")
    assert equal(read_state(tmp_path / "w.pt"), state)


def test_legacy_checkpoints_are_read(state, tmp_path):
    torch.save(state, tmp_path / "w.th", _use_new_zipfile_serialization=False)
    assert equal(read_state(tmp_path / "w.th"), state)


@pytest.mark.parametrize("how", ["torch", "legacy", "pickle", "npz"])
def test_a_malicious_pickle_is_refused_and_not_executed(how, tmp_path):
    victim, path = tmp_path / "executed", tmp_path / "w.pt"
    content = {"weight": torch.zeros(2), "attack": Calls(Path.touch, victim)}
    if how == "pickle":
        path.write_bytes(pickle.dumps(content))
    elif how == "npz":
        path = tmp_path / "w.npz"
        np.savez(path, weight=np.array([Calls(Path.touch, victim)], dtype=object))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(WeightsError, match=re.escape(str(path))):
        read_state(path)
    assert not victim.exists()


def test_an_unsafe_file_says_what_to_do(tmp_path):
    torch.save({"attack": Calls(Path.touch, tmp_path / "executed")}, tmp_path / "w.pt")
    with pytest.raises(
        WeightsError, match=r"could run code; it was not loaded\. Save its state_dict"
    ):
        read_state(tmp_path / "w.pt")


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.pt"])
@pytest.mark.parametrize("damage", ["truncated", "noise", "empty"])
def test_damaged_files_are_an_error(name, damage, state, tmp_path):
    path = write(state, tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(
        {"truncated": data[: len(data) // 2], "noise": b"noise " * 99, "empty": b""}[damage]
    )
    with pytest.raises(WeightsError, match=re.escape(str(path))):
        read_state(path)


def test_a_missing_file_is_named(tmp_path):
    for reader in (read_state, file_hash):
        with pytest.raises(WeightsError, match=r"there is no weights file .*none\.pt"):
            reader(tmp_path / "none.pt")


@pytest.mark.parametrize("content", [[1, 2], {}, {"weight": 3.0}])
def test_files_without_tensors_by_name_are_an_error(content, tmp_path):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match="does not hold a network's weights: tensors by name"):
        read_state(tmp_path / "w.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_an_error(value, state, tmp_path):
    state["3.weight"][0, 0] = value
    with pytest.raises(WeightsError, match=r"NaN or infinite values in 3\.weight"):
        read_state(write(state, tmp_path / "w.npz"))


def test_weights_that_fit_are_loaded(state):
    module = network()
    assert load_state(module, state, "file") == ()
    assert equal(module.state_dict(), state)


def test_a_state_without_batch_counts_fits(state):
    del state["1.num_batches_tracked"]
    assert load_state(network(), state, "file") == ()


def test_weights_of_another_architecture_name_what_differs(state):
    state["stem.weight"] = state.pop("0.weight")
    del state["0.bias"]
    state["3.weight"] = torch.zeros(4, 7)
    text = re.escape(
        "the weights 'file' do not fit Sequential: 2 missing (0.weight, 0.bias); "
        "1 unexpected (stem.weight); 1 of another shape (3.weight 4×7 instead of 4×2). "
    )
    with pytest.raises(WeightsError, match=text):
        load_state(network(), state, "file")


def test_a_head_of_another_size_is_an_error_unless_allowed():
    state = network(9).state_dict()
    with pytest.raises(WeightsError, match=r"2 of another shape \(3.weight 9×2 instead of 4×2"):
        load_state(network(), state, "file")
    module = network()
    head = {name: tensor.clone() for name, tensor in module.state_dict().items() if name[0] == "3"}
    assert load_state(module, state, "file", new_head="3") == ("3.weight", "3.bias")
    assert torch.equal(module.state_dict()["0.weight"], state["0.weight"])
    assert all(torch.equal(module.state_dict()[name], head[name]) for name in head)


def test_a_head_of_the_right_size_is_loaded_even_where_a_new_one_is_allowed(state):
    module = network()
    assert load_state(module, state, "file", new_head="3") == ()
    assert equal(module.state_dict(), state)


def test_hashes_depend_on_names_types_shapes_and_values(state):
    known = state_hash(state)
    assert state_hash(dict(reversed(state.items()))) == known
    others = [
        {**state, "0.bias": state["0.bias"] + 1},
        {**state, "0.bias": state["0.bias"].double()},
        {**state, "0.bias": state["0.bias"][None]},
        {**state, "more": torch.zeros(1)},
    ]
    assert len({known, *map(state_hash, others)}) == len(others) + 1


def test_file_hashes_depend_on_the_content(state, tmp_path):
    first = write(state, tmp_path / "a.npz")
    known = file_hash(first)
    second = tmp_path / "b.npz"
    second.write_bytes(first.read_bytes())
    assert file_hash(second) == known
    first.write_bytes(first.read_bytes() + b"x")
    assert file_hash(first) != known
