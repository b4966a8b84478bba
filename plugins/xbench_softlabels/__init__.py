"""Soft labels: training with human uncertainty, and how near to people classifiers come."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Loss, Protocol


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_softlabels.calibration.calibrated import Calibrated

    return [Calibrated]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_softlabels.shift.protocol import DistributionShift

    return [DistributionShift]
