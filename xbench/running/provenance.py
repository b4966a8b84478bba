"""Provenance: on what, and with which versions, numbers were made."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "xbench-xai",
    "torch",
    "torchvision",
    "timm",
    "captum",
    "numpy",
    "scikit-learn",
    "pyarrow",
)


def package_versions() -> dict[str, str]:
    """Versions of the packages that numbers depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def platform_name() -> str:
    """The system and processor architecture, without the machine's name."""
    return f"{platform.system()} {platform.machine()}"


def python_version() -> str:
    """The version of the interpreter."""
    return platform.python_version()


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the checkout that holds `folder`; None outside a checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None or _git(folder, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain", "-uno"))}


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
