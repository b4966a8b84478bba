"""Fitting: the loop that trains a network, and goes on where it was interrupted."""

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from xbench.errors import (
    MismatchError,
    NumericalError,
    ParameterError,
)
from xbench.interfaces.data.dataset import Batch, ImageSet
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Progress, Workplace
from xbench.networks.heads import head_layer
from xbench.networks.network import Normalised
from xbench.randomness import derived_seed, generator, seeded
from xbench.training.augmentation import Augmentation, Batched, Frames, PerImage
from xbench.training.checkpoint import read_checkpoint, write_checkpoint

Curve = list[tuple[float, float]]
"""Mean loss and share of right predictions of every epoch, as seen while training."""


TIMED = 1.0
"""Seconds: for about so long updates are timed."""
SAVED = frozenset(("module", "optimiser", "curve", "seconds"))
"""What a checkpoint holds."""


class Step(NamedTuple):
    """What one update gives, or several together."""

    loss: float
    """Summed over the images."""
    right: int
    images: int

    def after(self, other: "Step") -> "Step":
        """Both together."""
        return Step(other.loss + self.loss, other.right + self.right, other.images + self.images)

    def means(self) -> tuple[float, float]:
        """The mean loss and the share of right predictions."""
        return self.loss / self.images, self.right / self.images


class _Learner(NamedTuple):
    """Everything that an epoch changes or needs."""

    plan: TrainingPlan
    network: Normalised
    heads: tuple[str, ...]
    optimiser: torch.optim.Optimizer
    schedule: Any
    augmentation: Augmentation
    labels: dict[int, int]
    device: torch.device


def fit(
    plan: TrainingPlan,
    module: nn.Module,
    workplace: Workplace,
    key: str,
    heads: Sequence[str] | None = None,
) -> tuple[Curve, float]:
    """Train the module in place; the curve, and the seconds that earlier attempts took.

    After every epoch a checkpoint goes to the workplace's scratch folder; it is found
    there by the same `key` and removed at the end. Outputs of the module beyond the
    classes are auxiliary: the loss gets them, the accuracy does not. `heads` names what
    learns at the head's rate, by default `head_layer` of the module.
    """
    if heads is None:
        heads = tuple(filter(None, [head_layer(module, plan.classes)]))
    plan.loss.check(plan.images)
    learner = _learner(plan, module, heads, workplace.device)
    checkpoint = workplace.scratch / f"{key}.pt"
    curve, before = _resumed(learner, checkpoint, workplace.progress)
    start = time.perf_counter()
    for epoch in range(len(curve), plan.training.epochs):
        curve.append(_epoch(learner, epoch, workplace))
        _save(learner, checkpoint, curve, before + time.perf_counter() - start)
    checkpoint.unlink(missing_ok=True)
    learner.network.eval()
    return curve, before


def timed_update(
    plan: TrainingPlan, module: nn.Module, heads: Sequence[str], device: torch.device
) -> float:
    """The seconds of an update with all images of the plan: the median of some, for `TIMED`."""
    learner = _learner(plan, module, tuple(heads), device)
    _set_modes(learner, frozen=plan.training.frozen_epochs >= plan.training.epochs)
    ids = list(learner.labels)
    _update(learner, 0, 0, ids)  # the first one warms up
    seconds: list[float] = []
    while sum(seconds) < TIMED and len(seconds) < 9:
        start = time.perf_counter()
        _update(learner, 0, len(seconds) + 1, ids)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _learner(
    plan: TrainingPlan, module: nn.Module, heads: Sequence[str], device: torch.device
) -> _Learner:
    training, images = plan.training, plan.images
    ids = images.ids()
    labels = dict(zip(ids, images.dataset.labels(ids).tolist(), strict=True))
    _check_labels(plan, labels)
    network = Normalised(module, plan.classifier.normalisation())
    network = network.to(device).to(memory_format=torch.channels_last)
    optimiser = _optimiser(training, module, heads)
    updates = len(_batches(ids, training.batch_size))
    schedule = _schedule(training, optimiser, updates)
    augmentation = _augmentation(training, images, ids)
    return _Learner(plan, network, tuple(heads), optimiser, schedule, augmentation, labels, device)


def _check_labels(plan: TrainingPlan, labels: dict[int, int]) -> None:
    name = plan.images.dataset.name
    if len(labels) < 2:
        message = f"dataset {name!r} has {len(labels)} images in its split "
        raise MismatchError(f"{message}{plan.images.split!r}; training needs at least 2")
    wrong = [i for i, label in labels.items() if not 0 <= label < plan.classes]
    if wrong:
        message = f"image {wrong[0]} of dataset {name!r} has label {labels[wrong[0]]}; the "
        raise MismatchError(f"{message}classifier has the classes 0 … {plan.classes - 1}")


def _optimiser(
    training: Training, module: nn.Module, heads: Sequence[str]
) -> torch.optim.Optimizer:
    from timm.optim import create_optimizer_v2  # type: ignore[attr-defined]

    try:
        return create_optimizer_v2(
            _groups(training, module, heads),
            opt=training.optimiser,
            lr=training.learning_rate,
            weight_decay=training.weight_decay,
            momentum=training.momentum,
            filter_bias_and_bn=False,  # the groups say what decays
        )
    except (ValueError, AssertionError, KeyError) as error:
        message = f"training.optimiser: timm has no optimiser {training.optimiser!r} ({error})"
        raise ParameterError(f"{message}; adamw, sgd and momentum are some that it has") from error


def _groups(training: Training, module: nn.Module, heads: Sequence[str]) -> list[dict[str, Any]]:
    """Parameters by whether they decay and whether they belong to a head."""
    inside = tuple(f"{name}." for name in heads)
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in module.named_parameters():
        decays = training.decay_all or parameter.ndim > 1
        in_head = not heads or name.startswith(inside)
        if in_head or training.body_rate:
            groups.setdefault((decays, in_head), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": training.weight_decay if decays else 0.0,
            "lr_scale": 1.0 if in_head else training.body_rate,
        }
        for (decays, in_head), parameters in groups.items()
    ]


def _schedule(training: Training, optimiser: torch.optim.Optimizer, updates: int) -> Any:
    from timm.scheduler.scheduler_factory import create_scheduler_v2

    if training.schedule == "plateau":
        raise ParameterError("training.schedule: 'plateau' depends on the past and is not offered")
    try:
        schedule, _ = create_scheduler_v2(
            optimiser,
            sched=training.schedule,
            num_epochs=training.epochs,
            decay_epochs=training.decay_epochs,
            decay_rate=training.decay_rate,
            min_lr=training.final_rate,
            warmup_lr=training.learning_rate / 100,
            warmup_epochs=training.warmup_epochs,  # type: ignore[arg-type]
            step_on_epochs=False,
            updates_per_epoch=updates,
        )
    except (ValueError, AssertionError) as error:
        message = f"training.schedule: timm has no schedule {training.schedule!r} ({error})"
        raise ParameterError(f"{message}; cosine, step and none are some that it has") from error
    if schedule is None:
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate * group["lr_scale"]
    return schedule


def _augmentation(training: Training, images: ImageSet, ids: Sequence[int]) -> Augmentation:
    crop = training.crop_scale, training.crop_ratio
    if training.augmentation == "batched":
        return Batched(Frames(images, ids), training.flip, training.shift, *crop)
    return PerImage(
        images,
        training.flip,
        *crop,
        training.colour_jitter,
        training.auto_augment,
        training.erasing,
    )


def _batches(ids: Sequence[int], size: int) -> list[Sequence[int]]:
    """The ids in batches; a last one of a single image joins the one before it."""
    starts = list(range(0, len(ids), size))
    if len(starts) > 1 and len(ids) - starts[-1] == 1:
        starts.pop()
    return [ids[a:b] for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)]


def _epoch(learner: _Learner, epoch: int, workplace: Workplace) -> tuple[float, float]:
    plan = learner.plan
    batches = _batches(_shuffled(learner.labels, plan.seed, epoch), plan.training.batch_size)
    _set_modes(learner, frozen=epoch < plan.training.frozen_epochs)
    steps = Step(0.0, 0, 0)
    for place, ids in enumerate(batches):
        steps = _update(learner, epoch, epoch * len(batches) + place, ids).after(steps)
        loss, right = steps.means()
        workplace.progress.update(
            f"train {plan.classifier.name}",
            epoch * len(batches) + place + 1,
            plan.training.epochs * len(batches),
            f"epoch {epoch + 1}/{plan.training.epochs}, loss {loss:.3f}, accuracy {right:.1%}",
        )
    return steps.means()


def _shuffled(ids: Iterable[int], seed: int, epoch: int) -> list[int]:
    known = list(ids)
    order = torch.randperm(len(known), generator=generator("order", seed, epoch))
    return [known[place] for place in order.tolist()]


def _set_modes(learner: _Learner, *, frozen: bool) -> None:
    """Everything learns, or the heads alone: a frozen body keeps its statistics as well."""
    frozen = bool(learner.heads) and (frozen or learner.plan.training.body_rate == 0)
    learner.network.train(not frozen)
    learner.network.requires_grad_(not frozen)
    for name in learner.heads if frozen else ():
        top = learner.network.network.get_submodule(name)
        top.train().requires_grad_(requires_grad=True)


def _update(learner: _Learner, epoch: int, number: int, ids: Sequence[int]) -> Step:
    plan = learner.plan
    if learner.schedule is not None:
        learner.schedule.step_update(number)
    images = learner.augmentation.images(ids, seed=plan.seed, epoch=epoch)
    labels = torch.tensor([learner.labels[image_id] for image_id in ids])
    batch = Batch(images, tuple(ids), labels, plan.images).to(learner.device)
    targets = plan.loss.targets(
        batch,
        classes=plan.classes,
        epoch=epoch,
        generator=generator("loss", plan.seed, epoch),
    )
    with seeded(derived_seed("dropout", plan.seed, number), learner.device):
        logits = learner.network(targets.images.to(memory_format=torch.channels_last))
    loss = plan.loss.score(logits, targets)
    value = _checked(loss, plan, epoch)
    learner.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    learner.optimiser.step()
    right = int((logits[:, : plan.classes].argmax(dim=1).cpu() == labels).sum())
    return Step(value * len(ids), right, len(ids))


def _checked(loss: Tensor, plan: TrainingPlan, epoch: int) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        rate = plan.training.learning_rate
        message = f"training {plan.classifier.name!r}: the loss became {value} in epoch "
        message += f"{epoch + 1}; try a smaller training.learning_rate than {rate:g}, or "
        raise NumericalError(message + "training.warmup_epochs = 1")
    return value


def _save(learner: _Learner, path: Path, curve: Curve, seconds: float) -> None:
    content = {
        "module": learner.network.network.state_dict(),
        "optimiser": learner.optimiser.state_dict(),
        "curve": [list(pair) for pair in curve],
        "seconds": seconds,
    }
    write_checkpoint(path, content)


def _resumed(learner: _Learner, path: Path, progress: Progress) -> tuple[Curve, float]:
    """Put back what an interrupted training left behind, if it left anything whole."""
    if not path.is_file():
        return [], 0.0
    content = read_checkpoint(path, learner.device, SAVED)
    if content is None:
        name = learner.plan.classifier.name
        progress.say(f"the checkpoint {path} is damaged: the training of {name} begins anew")
        return [], 0.0
    learner.network.network.load_state_dict(content["module"])
    learner.optimiser.load_state_dict(content["optimiser"])
    return [(loss, right) for loss, right in content["curve"]], float(content["seconds"])
