"""What a call says of a benchmark and of where it runs, for commands and notebooks alike."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xbench.errors import ParameterError

if TYPE_CHECKING:
    from xbench.components.registry import Registry
    from xbench.components.specification import Builder
    from xbench.interfaces.component import Tree
    from xbench.interfaces.executor import Executor
    from xbench.interfaces.workplace import Progress
    from xbench.running.storage.store import Store
    from xbench.running.workplace import LocalWorkplace


def builder_of(tree: "Tree", registry: "Registry") -> "Builder":
    """Builds components with the defaults of a benchmark."""
    from xbench.components.specification import Builder

    return Builder(registry, tree.get("defaults", {}))


def executor_of(tree: "Tree", registry: "Registry") -> "Executor":
    """The executor that a benchmark asks for."""
    executor: Executor = builder_of(tree, registry).build("executor", tree.get("executor", "local"))
    return executor


def changes_of(chosen: "Tree", parameters: "Tree") -> "Sequence[Tree]":
    """The changes of a benchmark: what was chosen by an option of its own, then parameters."""
    return [{key: value for key, value in chosen.items() if value is not None}, parameters]


def opened_store(url: str | None) -> "Store":
    """The store there, or the one of this user; it may not be there yet."""
    from xbench.files.home import home
    from xbench.running.storage.store import Store

    return Store(url or str(home() / "store"))


def local_workplace(device: str, batch_size: int, progress: "Progress") -> "LocalWorkplace":
    """This machine, with the device of this name."""
    from xbench.files.home import home
    from xbench.running.workplace import LocalWorkplace

    return LocalWorkplace(chosen_device(device), batch_size, home() / "scratch", progress)


def chosen_device(name: Any) -> Any:
    """The torch device of this name, or itself; `auto` takes a GPU where there is one."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        message = f"device {str(name)!r} cannot be used: {reason}"
        raise ParameterError(message, ("--device", "auto")) from error
    return device
