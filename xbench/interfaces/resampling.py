"""Resampling: how intervals are made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Resampling:
    """A percentile bootstrap over cases, all rows of a case together."""

    level: float = 0.95
    resamples: int = 2000
    seed: int = 0
