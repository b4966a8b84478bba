"""Cells of tables, and numbers as sentences have them."""

import numpy as np

from xbench.commands import interval_text, signed_interval, signed_text, value_text
from xbench_study.kernels.clustered_means import Estimate

DASH = "–"


def share_cell(estimate: Estimate) -> str:
    """A share in per cent with its interval."""
    if np.isnan(estimate.value):
        return DASH
    ends = interval_text(_or_none(estimate.low), _or_none(estimate.high), "share")
    return f"{value_text(estimate.value, 'share')} {ends}"


def points_cell(estimate: Estimate) -> str:
    """A difference of shares in percentage points with its interval."""
    if np.isnan(estimate.value):
        return DASH
    ends = signed_interval(_or_none(estimate.low), _or_none(estimate.high), "points")
    return f"{signed_text(estimate.value, 'points')} {ends}"


def number_cell(estimate: Estimate) -> str:
    """A plain number with its interval."""
    if np.isnan(estimate.value):
        return DASH
    ends = interval_text(_or_none(estimate.low), _or_none(estimate.high), "number")
    return f"{value_text(estimate.value, 'number')} {ends}"


def number_text(value: float, digits: int = 2) -> str:
    """A number, or a dash for none."""
    return DASH if np.isnan(value) else f"{value:.{digits}f}"


def p_text(p: float) -> str:
    """A p-value to three places."""
    if np.isnan(p):
        return DASH
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def p_words(p: float) -> str:
    """A p-value as sentences have it."""
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
