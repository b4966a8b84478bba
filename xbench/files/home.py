"""Where xbench keeps what it downloads and computes."""

import os
from pathlib import Path


def home() -> Path:
    """`$XBENCH_HOME`, else `$XDG_DATA_HOME/xbench`, else `~/.local/share/xbench`."""
    if own := os.environ.get("XBENCH_HOME"):
        return Path(own).expanduser()
    if shared := os.environ.get("XDG_DATA_HOME"):
        return Path(shared).expanduser() / "xbench"
    return Path.home() / ".local" / "share" / "xbench"


def data_home() -> Path:
    """Where datasets lie: the folder `data` of `home()`."""
    return home() / "data"
