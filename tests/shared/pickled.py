"""What a malicious pickle holds."""

from typing import Any


class Calls:
    """Pickles as a call of a function, which is made where it is unpickled."""

    def __init__(self, function: Any, *given: Any, state: Any = None) -> None:
        self.reduced = (function, given) if state is None else (function, given, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced
