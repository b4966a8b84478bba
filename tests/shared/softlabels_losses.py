"""The losses that know people's labels, by name."""

from xbench_softlabels.targets.class_human_labels import ClassHumanLabels
from xbench_softlabels.targets.image_human_labels import ImageHumanLabels
from xbench_softlabels.targets.mixup import Mixup
from xbench_softlabels.targets.most_uncertain import MostUncertain
from xbench_softlabels.targets.sampled_labels import SampledLabels

TABLES = {loss.name: loss for loss in (ImageHumanLabels(), ClassHumanLabels(), MostUncertain())}
"""Those whose targets are known before a training."""
LOSSES = {
    **TABLES,
    "sampled-labels": SampledLabels(),
    "mixup": Mixup(ImageHumanLabels(), alpha=0.5),
}
