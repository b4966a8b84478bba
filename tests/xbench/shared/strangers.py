"""Plugins of strangers, installed in a folder of their own, and used in this process."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xbench.components.registry import installed
from xbench.interfaces import component


def install(
    folder: Path, name: str, text: str, points: Sequence[str], version: str = "1.0"
) -> None:
    """A distribution in the folder whose only module is this text, with these entry points."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = ["[xbench]", *(f"{point} = {module}" for point in points), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))


@contextmanager
def installed_here(*folders: Path) -> Iterator[None]:
    """In this block what lies in the folders is installed, as for a process that starts in it."""
    paths, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = map(str, folders)
    forget()
    try:
        yield
    finally:
        sys.path[:] = paths
        for name in set(sys.modules) - modules:
            if _lies_in(sys.modules[name], folders):
                del sys.modules[name]
        forget()


def forget() -> None:
    """What this process has read of the installed distributions."""
    importlib.invalidate_caches()
    for cached in (installed, component._provider, component._points, component._owners):
        cached.cache_clear()


def _lies_in(module: object, folders: Sequence[Path]) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and any(Path(str(file)).is_relative_to(folder) for folder in folders)
