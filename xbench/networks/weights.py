"""Weights: read from files without executing anything, and loaded only where they fit."""

import hashlib
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xbench.errors import WeightsError
from xbench.interfaces.component import content_hash

State = Mapping[str, Tensor]
"""The tensors of a module, by the names of its parameters and buffers."""
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_SHOWN = 3
_ADVICE = 'Train without them (weights = ""), or give the file that belongs to this network'


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors`, `.npz` or torch checkpoint file, by name.

    A checkpoint that wraps its weights in `state_dict` or `model` is unwrapped, and the
    `module.` which parallel training puts before every name is removed. Nothing in the
    file is executed. `WeightsError` for a file that is missing, damaged, unsafe, or has NaN.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsError(f"there is no weights file {str(path)!r}")
    state = _without_prefix(_tensors(_unwrapped(_content(path)), path))
    check_finite(state, str(path))
    return state


def read_facts(path: str | Path) -> dict[str, Any]:
    """What a `.safetensors` file tells of its training under `facts`; nothing for other files."""
    from safetensors import SafetensorError, safe_open

    path = Path(path).expanduser()
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {}).get("facts", "{}"))
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise WeightsError(f"{str(path)!r} cannot be read as weights: {error}") from error
    return facts if isinstance(facts, dict) else {}


def write_state(path: str | Path, state: State, facts: Mapping[str, Any]) -> None:
    """A `.safetensors` file of tensors, and of what is told of their training."""
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, path, metadata={"facts": json.dumps(facts, sort_keys=True)})


def check_finite(state: State, source: str) -> None:
    """Raise `WeightsError` that names tensors with NaN or infinite values."""
    bad = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise WeightsError(f"{source!r} has NaN or infinite values in {_some(bad)}")


def load_state(
    module: nn.Module, state: State, source: str, *, new_head: str = ""
) -> tuple[str, ...]:
    """Load the state into the module; the names of parameters that keep their own values.

    These can only be those of the layer `new_head`, where it has another number of outputs.
    `source` is named in the `WeightsError` for weights that belong to another network.
    """
    own = module.state_dict()
    head = tuple(name for name in own if new_head and name.startswith(f"{new_head}."))
    kept = tuple(name for name in head if name in state and state[name].shape != own[name].shape)
    optional = {name for name in own if name.endswith("num_batches_tracked")}
    missing = [name for name in own if name not in state and name not in optional]
    unexpected = [name for name in state if name not in own]
    shaped = [
        f"{name} {_shape(state[name])} instead of {_shape(own[name])}"
        for name in own
        if name in state and state[name].shape != own[name].shape and name not in kept
    ]
    _check_fit(source, type(module).__name__, missing, unexpected, shaped)
    # a head of which one tensor is of another shape is new as a whole
    kept = head if kept else ()
    module.load_state_dict({**own, **{n: t for n, t in state.items() if n not in kept}})
    return kept


def state_hash(state: State) -> str:
    """A 32-digit hash of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:32]


def file_hash(path: str | Path) -> str:
    """A 32-digit hash of a file's bytes; `WeightsError` where there is no such file."""
    if not Path(path).expanduser().is_file():
        raise WeightsError(f"there is no weights file {str(Path(path).expanduser())!r}")
    return content_hash(path)


def _content(path: Path) -> Any:
    readers: dict[str, Callable[[Path], Any]] = {
        ".safetensors": _read_safetensors,
        ".npz": _read_npz,
    }
    try:
        return readers.get(path.suffix, _read_checkpoint)(path)
    except pickle.UnpicklingError as error:
        message = f"{str(path)!r} holds more than tensors and plain values, and could run code; "
        message += "it was not loaded. Save its state_dict as .safetensors, or with torch.save"
        raise WeightsError(message) from error
    except (OSError, ValueError, EOFError, RuntimeError, KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{str(path)!r} cannot be read as weights: {error}") from error


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _read_npz(path: Path) -> dict[str, Tensor]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}


def _read_checkpoint(path: Path) -> Any:
    with warnings.catch_warnings():  # a bare pickle is refused, with an error of our own
        warnings.simplefilter("ignore")
        return torch.load(path, map_location="cpu", weights_only=True)


def _unwrapped(content: Any) -> Any:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            return content[wrapper]
    return content


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    named = isinstance(content, Mapping) and bool(content)
    if not named or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{str(path)!r} does not hold a network's weights: tensors by name")
    return {str(name): tensor.detach() for name, tensor in content.items()}


def _without_prefix(state: dict[str, Tensor]) -> dict[str, Tensor]:
    if all(name.startswith("module.") for name in state):
        return {name.removeprefix("module."): tensor for name, tensor in state.items()}
    return state


def _check_fit(
    source: str, network: str, missing: list[str], unexpected: list[str], shaped: list[str]
) -> None:
    tensors = {"missing": missing, "unexpected": unexpected, "of another shape": shaped}
    faults = [f"{len(names)} {what} ({_some(names)})" for what, names in tensors.items() if names]
    if faults:
        message = f"the weights {source!r} do not fit {network}: {'; '.join(faults)}"
        raise WeightsError(f"{message}. {_ADVICE}")


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"
