"""What numbers losses may be given."""


def refuse_negative(name: str, value: float) -> None:
    """`ValueError` for a value of the field `name` that is negative, infinite or NaN."""
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} is {value}; it needs a finite number of at least 0")
