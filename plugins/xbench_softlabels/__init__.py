"""Soft labels: training with human uncertainty, and how near to people classifiers come."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    from xbench import Loss, Protocol


@hookimpl
def register_losses() -> "list[type[Loss]]":
    """Return the losses."""
    from xbench_softlabels.calibration.calibrated import Calibrated
    from xbench_softlabels.targets.class_human_labels import ClassHumanLabels
    from xbench_softlabels.targets.distillation import Distillation
    from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
    from xbench_softlabels.targets.mixup import Mixup
    from xbench_softlabels.targets.most_uncertain import MostUncertain
    from xbench_softlabels.targets.sampled_labels import SampledLabels

    return [
        Calibrated,
        ClassHumanLabels,
        Distillation,
        ImageHumanLabels,
        Mixup,
        MostUncertain,
        SampledLabels,
    ]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocols."""
    from xbench_softlabels.attack.protocol import Attack
    from xbench_softlabels.fit.protocol import HumanFit
    from xbench_softlabels.shift.protocol import DistributionShift

    return [Attack, DistributionShift, HumanFit]
