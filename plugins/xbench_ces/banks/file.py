"""Concept banks in files: `.safetensors`, and pickles of released banks."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xbench import Artefact, Concept, UsageError, read_pickle
from xbench_ces.banks.bank import TENSORS, ConceptBank

POOLED = "avgpool"
"""The layer of a released bank, where none is named: what residual networks' heads get."""
PICKLES = (".pkl", ".pickle")
FACTS = {"concepts": list, "layer": str, "shape": list, "bottom": str}
_DAMAGED = (KeyError, TypeError, ValueError)


def write_bank(path: Path, bank: Artefact) -> None:
    """Write a bank's artefact to a `.safetensors` file."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    tensors = {name: tensor.contiguous() for name, tensor in bank.tensors.items()}
    try:
        save_file(tensors, path, {"facts": json.dumps(dict(bank.facts), sort_keys=True)})
    except (SafetensorError, OSError) as error:
        raise UsageError(f"concept bank {str(path)!r} cannot be written: {error}") from error


def read_bank(path: Path, layer: str = "", shape: Sequence[int] = ()) -> ConceptBank:
    """The bank in a file. Nothing in it is run.

    `layer` and `shape` are for pickles, which do not say where they belong: "avgpool", and
    as many channels as their vectors have values, where nothing is said. `UsageError` for a
    file that is missing, damaged or no concept bank.
    """
    check_exists(path)
    if path.suffix in PICKLES:
        return _pickled_bank(path, layer or POOLED, tuple(shape))
    if layer or shape:
        message = f"concept bank {str(path)!r} says itself which layer and shape it is of; leave "
        raise UsageError(f"{message}both out")
    return _safetensors_bank(path)


def check_exists(path: Path) -> None:
    """Raise `UsageError` where there is no file."""
    if not path.is_file():
        raise UsageError(f"there is no concept bank {str(path)!r}")


def _safetensors_bank(path: Path) -> ConceptBank:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        _check(facts, tensors)
        return ConceptBank.from_artefact(Artefact("", tensors, facts))
    except (SafetensorError, OSError, *_DAMAGED) as error:
        raise _bank_error(path, error) from error


def _pickled_bank(path: Path, layer: str, shape: tuple[int, ...]) -> ConceptBank:
    """By name: normal, training accuracy, held-out accuracy, intercept, {"max": margin, …}."""
    entries = read_pickle(path, "concept bank")
    try:
        rows = {str(name): _row(value) for name, value in entries.items()}
        normals = torch.tensor(np.stack([normal for normal, _, _ in rows.values()]))
        numbers = torch.tensor([row[1:] for row in rows.values()], dtype=torch.float64)
        tensors = {
            "normals": normals.float(),
            "accuracies": numbers[:, 0],
            "margins": numbers[:, 1],
        }
        facts = {
            "concepts": [[name, ""] for name in rows],
            "layer": layer,
            "shape": list(shape or (normals.shape[1], 1, 1)),
            "bottom": "",
        }
        _check(facts, tensors)
    except (AttributeError, IndexError, *_DAMAGED) as error:
        raise _bank_error(path, error) from error
    return ConceptBank.from_artefact(Artefact("", tensors, facts))


def _row(value: Sequence[Any]) -> tuple[np.ndarray, float, float]:
    """Normal, held-out accuracy and margin of a concept."""
    normal, _, accuracy, _, margins = value
    return np.asarray(normal, dtype=np.float64).reshape(-1), float(accuracy), float(margins["max"])


def _check(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raise `ValueError` or `KeyError` unless this is a whole bank."""
    for name, kind in FACTS.items():
        if not isinstance(facts[name], kind):
            raise ValueError(f"{name} is {facts[name]!r}")  # noqa: TRY004
    if not all(isinstance(line, str) for line in [*facts.get("summary", [])]):
        raise ValueError("its summary is no list of lines")
    names = [Concept(str(name), str(family)).name for name, family in facts["concepts"]]
    if not names or len(set(names)) < len(names):
        raise ValueError("it has no concepts, or two of one name")
    width = math.prod(int(n) for n in facts["shape"])
    shapes = {"normals": (len(names), width), "accuracies": (len(names),), "margins": (len(names),)}
    for name in TENSORS:
        if tuple(tensors[name].shape) != shapes[name]:
            message = f"{name} has shape {tuple(tensors[name].shape)} instead of {shapes[name]}"
            raise ValueError(message)
        if not tensors[name].is_floating_point() or not torch.isfinite(tensors[name]).all():
            raise ValueError(f"{name} has values that are no numbers")
    if not (tensors["normals"] != 0).any(dim=1).all():
        raise ValueError("a concept has a direction of length 0")
    _check_pictures(tensors.get("examples"), len(names))


def _check_pictures(pictures: Tensor | None, count: int) -> None:
    if pictures is None:
        return
    fits = pictures.ndim == 4 and pictures.shape[:2] == (count, 3)
    if pictures.dtype != torch.uint8 or not fits:
        raise ValueError(f"examples are {pictures.dtype} of shape {tuple(pictures.shape)}")


def _bank_error(path: Path, error: Exception) -> UsageError:
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return UsageError(f"{str(path)!r} is no concept bank, or a damaged one: {reason}")
