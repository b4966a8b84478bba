"""Refusals of what toybirds cannot be, or be asked for."""

from typing import NoReturn

from xbench import ParameterError


def refuse(field: str, value: object, allowed: str) -> NoReturn:
    """Say which parameter or argument has which value, and what it may be."""
    raise ParameterError(f"dataset 'toybirds': {field} is {value}, but must be {allowed}.")
