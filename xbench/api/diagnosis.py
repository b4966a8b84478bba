"""Diagnoses: what a report of a fault needs, found out even where much is broken."""

import importlib
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from xbench.errors import XbenchError
from xbench.files.home import home

NEEDED = (
    *("torch", "torchvision", "timm", "captum", "numpy", "pyarrow", "scikit-learn", "pillow"),
    *("matplotlib", "pydantic", "click", "rich", "safetensors", "fsspec", "pluggy"),
)
OPTIONAL = ("ray", "pandas", "polars", "datasets", "huggingface_hub", "tqdm", "ipywidgets")
VARIABLES = (
    *("XBENCH_HOME", "XBENCH_STORE", "XBENCH_TEST_DATA", "XDG_DATA_HOME"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF"),
)
LITTLE = 2e9
"""Bytes of free disk below which a run may fill it."""


class Fact(NamedTuple):
    """One thing that was found out."""

    name: str
    value: str
    problem: str = ""
    """What is wrong with it and the way out; "" where all is well."""


@dataclass(frozen=True)
class Section:
    """Facts about one part."""

    title: str
    facts: tuple[Fact, ...]


def diagnosis(store: str | None) -> list[Section]:
    """Everything that a report of a fault needs; nothing of it raises."""
    parts: Mapping[str, Callable[[], Iterator[Fact]]] = {
        "xbench": _software,
        "machine": _machine,
        "packages": _packages,
        "optional packages": _optional_packages,
        "devices": _devices,
        "plugins": _plugins,
        "home": _home,
        "store": lambda: _store(store),
        "environment": _environment,
    }
    return [Section(title, tuple(_found(title, find))) for title, find in parts.items()]


def problems(sections: list[Section]) -> list[str]:
    """What is wrong, in a line each."""
    return [
        f"{fact.name}: {fact.problem}" if fact.name else fact.problem
        for section in sections
        for fact in section.facts
        if fact.problem
    ]


def _found(title: str, find: Callable[[], Iterator[Fact]]) -> Iterator[Fact]:
    """What was found; where finding it fails, that is what is told."""
    try:
        yield from find()
    except Exception as error:  # noqa: BLE001 - whatever is broken, the rest is told
        yield Fact("", "", f"no more of {title} could be found out: {_reason(error)}")


def _reason(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, XbenchError) else f"{type(error).__name__}: {text}"


def _software() -> Iterator[Fact]:
    version = _version("xbench-xai")
    yield Fact("version", version or "unknown", "" if version else REINSTALL)
    folder = Path(__file__).resolve().parent.parent
    from xbench.running.provenance import git_state

    state = git_state(folder)
    commit = "none: it is no checkout" if state is None else str(state["commit"])
    yield Fact("commit", commit + " with changes" * bool(state and state["dirty"]))
    yield Fact("installed in", str(folder))


REINSTALL = "it is not installed as a distribution; install it with: pip install ."


def _machine() -> Iterator[Fact]:
    yield Fact("python", f"{platform.python_version()} ({sys.executable})")
    yield Fact("system", platform.platform())
    yield Fact("cpu cores", f"{os.cpu_count()}, of which this process may use {_usable()}")
    total, free = _memory()
    yield Fact("memory", "unknown" if total is None else f"{_gb(total)}, free {_gb(free or 0)}")


def _usable() -> int | None:
    has = getattr(os, "sched_getaffinity", None)
    return len(has(0)) if has else os.cpu_count()


def _memory() -> tuple[float | None, float | None]:
    """Bytes of memory, all and free, as far as the system says."""
    names = getattr(os, "sysconf_names", {})
    if not {"SC_PHYS_PAGES", "SC_AVPHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):
        return None, None
    size = os.sysconf("SC_PAGE_SIZE")
    return size * os.sysconf("SC_PHYS_PAGES"), size * os.sysconf("SC_AVPHYS_PAGES")


def _packages() -> Iterator[Fact]:
    for name in NEEDED:
        version = _version(name)
        lack = f"it is needed and not installed: pip install {name}"
        yield Fact(name, version or "not installed", "" if version else lack)


def _optional_packages() -> Iterator[Fact]:
    for name in OPTIONAL:
        yield Fact(name, _version(name) or "not installed")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> Iterator[Fact]:
    try:
        torch: Any = importlib.import_module("torch")
    except Exception as error:  # noqa: BLE001 - a broken installation raises anything
        problem = f"it cannot be imported ({_reason(error)}); install it again: pip install torch"
        yield Fact("torch", "broken", problem)
        return
    yield Fact("threads", f"{torch.get_num_threads()} within operators")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    yield Fact("cuda", f"{count} devices, built for {torch.version.cuda or 'none'}")
    for place in range(count):
        properties = torch.cuda.get_device_properties(place)
        yield Fact(f"cuda:{place}", f"{properties.name}, {_gb(properties.total_memory)}")
    yield Fact("mps", "there" if torch.backends.mps.is_available() else "none")


def _plugins() -> Iterator[Fact]:
    from xbench.components.registry import installed

    registry = installed()
    claims = registry.claims()
    for name, version in sorted({(c.distribution, c.version) for c in claims}):
        own = [claim for claim in claims if claim.distribution == name]
        yield Fact(name, f"{version}, {len(own)} components")
    for problem in registry.problems():
        way_out = "uninstall or repair it, or leave all but our own out with --no-plugins"
        yield Fact("", "", f"{problem}; {way_out}")


def _home() -> Iterator[Fact]:
    place = home()
    yield Fact("home", str(place), _unwritable(place, "name another with XBENCH_HOME"))
    nearest = _nearest(place)
    free = shutil.disk_usage(nearest).free
    little = "a run may fill it; free some, or name another home with XBENCH_HOME"
    yield Fact("free disk", f"{_gb(free)} at {nearest}", little if free < LITTLE else "")


def _nearest(place: Path) -> Path:
    """The folder, or the one above it that is there."""
    return next((p for p in (place, *place.absolute().parents) if p.is_dir()), Path("/"))


def _unwritable(place: Path, way_out: str) -> str:
    above = next(p for p in (place, *place.absolute().parents) if p.exists())
    if not above.is_dir():
        return f"{above} is a file, no folder; {way_out}"
    return "" if os.access(above, os.W_OK | os.X_OK) else f"{above} is not writable; {way_out}"


def _store(url: str | None) -> Iterator[Fact]:
    place = url or str(home() / "store")
    local, way_out = "://" not in place, "name another with --store or XBENCH_STORE"
    yield Fact("place", place, _unwritable(Path(place), way_out) if local else "")
    from xbench.running.storage.inventory import holdings
    from xbench.running.storage.store import Store
    from xbench.running.storage.stored_records import stored_records

    store = Store(place)
    kinds = holdings(store)
    files, size = sum(kind.files for kind in kinds), sum(kind.size for kind in kinds)
    yield Fact("holds", f"{files} files, {_gb(size)}; `xbench store verify` reads all of them")
    records, faults = stored_records(store)
    yield Fact("records", str(len(records)))
    yield from (Fact("", "", fault) for fault in faults)


def _environment() -> Iterator[Fact]:
    for name in VARIABLES:
        if name in os.environ:
            yield Fact(name, os.environ[name])


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"
