"""Networks as people give them: modules, names, components; ready to explain, never trained."""

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xbench.api.photos.transforms import usual_transform
from xbench.api.progress import without_widgets
from xbench.api.self_description import self_description
from xbench.api.setting import chosen_device
from xbench.components.specification import Builder, Specification, as_table
from xbench.errors import MismatchError, UsageError, WeightsError
from xbench.interfaces.classifier import LIBRARY, Classifier, Normalisation, PhotoTransform
from xbench.networks.adapting import adapted, as_two_classes, unwrapped, with_output
from xbench.networks.loading import whole_classifier, whole_module
from xbench.networks.network import WholeNetwork
from xbench.networks.outputs import check_outputs
from xbench.networks.tracing import on_shared_tensors
from xbench.networks.weights import load_state, read_state
from xbench.randomness import seeded

RANDOM = "random"
"""Weights that are drawn: by name only, never by default."""
USUAL_CLASSES = 1000
SIDES = (224, 96, 32, 64, 16, 28, 299, 256, 384, 448, 512)
"""Sides of images that a module is tried on, in this order."""
_SAY_IT = "size=…, mean=…, std=…, transform=… and classes=… say otherwise"
_SAY_SO = "--size, --classes, -p classifier.mean=[…] and -p classifier.std=[…] say otherwise"
FIRST = "torchvision"
"""Whose network a bare name means, where several libraries have one of this name."""


@dataclass(frozen=True)
class Wishes:
    """What is said about a network besides which one it is; None for what it says itself."""

    weights: str | Path | None = None
    classes: Sequence[str] | None = None
    transform: PhotoTransform | None = None
    mean: Sequence[float] | None = None
    std: Sequence[float] | None = None
    size: int | None = None

    def normalisation(self, own: Normalisation) -> Normalisation:
        """The network's own, or what was said instead."""
        mean, std = self.mean or own.mean, self.std or own.std
        if len(mean) != 3 or len(std) != 3 or not all(value > 0 for value in std):
            raise UsageError("mean and std are three numbers each, for red, green and blue")
        red, green, blue = map(float, mean)
        first, second, third = map(float, std)
        return Normalisation((red, green, blue), (first, second, third))


@dataclass(frozen=True, eq=False)
class LoadedClassifier:
    """A network with its weights, and what is needed to show it a photo and to name its outputs."""

    name: str
    network: WholeNetwork = field(repr=False)
    class_names: tuple[str, ...] = field(repr=False)
    size: int
    """Side of the square that photos are fitted to."""
    transform: PhotoTransform = field(repr=False)
    normalisation: Normalisation = field(repr=False)
    remarks: tuple[str, ...] = ()
    """What was assumed, one line each."""
    component: Classifier | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.class_names)} classes, {self.size} px>"


@without_widgets()
def load_classifier(  # noqa: PLR0913 - each by name, and each may be left out
    model: Any,
    *,
    weights: str | Path | None = None,
    classes: Sequence[str] | str | Path | None = None,
    transform: PhotoTransform | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    size: int | None = None,
    device: str = "auto",
) -> LoadedClassifier:
    """A network ready to explain: a module, a name such as `torchvision:resnet50`, or a component.

    Weights are the library's, or those of a file, or `"random"`. `classes` are the names of the
    outputs, or a file with one a line. `mean` and `std` normalise images in [0, 1]; `transform`
    fits photos (Pillow images) to the network, whose images have the side `size`.
    """
    names = read_names(Path(classes)) if isinstance(classes, (str, Path)) else classes
    wishes = Wishes(weights, names, transform, mean, std, size)
    return loaded(model, wishes, default_builder(), chosen_device(device))


def loaded(model: Any, wishes: Wishes, builder: Builder, device: torch.device) -> LoadedClassifier:
    """The network that is meant, with what was said of it; `XbenchError` in one line."""
    if isinstance(model, LoadedClassifier):
        return _changed(model, wishes)
    if isinstance(model, nn.Module):
        return _of_module(model, wishes, builder, device)
    if isinstance(model, (str, dict)):
        table, said = _named(model, builder)
        return _of_component(builder.build("classifier", table), wishes, device, said)
    if isinstance(model, Classifier):
        return _of_component(model, wishes, device, [])
    raise UsageError(
        f"{type(model).__name__} is no network; give a torch.nn.Module, a name such as "
        "'torchvision:resnet50', a Classifier, or what xbench.load_classifier returns"
    )


def read_names(path: Path) -> tuple[str, ...]:
    """The names in a text file, one a line; `UsageError` where it has none."""
    try:
        lines = path.expanduser().read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        message = f"class names {str(path)!r} cannot be read: {reason}; "
        raise UsageError(f"{message}give a text file with one name a line") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise UsageError(f"{str(path)!r} has no class names; write one a line")
    return names


def default_builder() -> Builder:
    """Builds components of everything that is installed, with the defaults of all commands."""
    from xbench.benchmark.declaration import benchmark_file, read
    from xbench.components.registry import installed

    registry = installed()
    return Builder(registry, read(benchmark_file("default", registry)).get("defaults", {}))


def _named(model: Specification, builder: Builder) -> tuple[Specification, list[str]]:
    """The table of a classifier; a bare name that several libraries have is the first one's."""
    table = as_table(model)
    name, known = str(table.get("name", "")), builder.registry.names("classifier")
    if ":" in name or name in known or FIRST not in known:
        return table, []
    if name not in builder.registry.get("classifier", FIRST).offers():
        return table, []
    return {**table, "name": f"{FIRST}:{name}"}, [f"{name} is {FIRST}'s"]


def _changed(model: LoadedClassifier, wishes: Wishes) -> LoadedClassifier:
    """The same network with other names, or another transform."""
    other = (wishes.weights, wishes.mean, wishes.std, wishes.size)
    if any(value is not None for value in other):
        message = "the network is loaded already: give weights, mean, std and size to "
        raise UsageError(f"{message}xbench.load_classifier")
    names = model.class_names
    if wishes.classes is not None:
        names = _names(wishes.classes, len(names), model.name)
    return dataclasses.replace(
        model, class_names=names, transform=wishes.transform or model.transform
    )


def _of_component(
    classifier: Classifier, wishes: Wishes, device: torch.device, said: list[str]
) -> LoadedClassifier:
    weights = str(wishes.weights or classifier.weights or LIBRARY)
    own_names = classifier.class_names()
    size = wishes.size or classifier.input_size()
    module, lines = _weighted(classifier, weights, wishes, len(own_names) or USUAL_CLASSES)
    module, outputs, more = _with_logits(module, size)
    normalisation = wishes.normalisation(classifier.normalisation())
    network = whole_classifier(
        classifier, module.to(device), outputs, normalisation=normalisation, size=size
    )
    own_transform = classifier.photo_transform(size)
    fits = not own_names or len(own_names) == outputs
    transform = wishes.transform or (own_transform if fits else None)
    names, unnamed = _named_outputs(wishes, own_names, outputs, _title(classifier))
    if own_transform is None:
        more += check_outputs(network, (size, size))
    if transform is None and own_transform is None:
        more += _assumed(size, normalisation, _SAY_SO, unnamed=unnamed)
    elif unnamed:
        more.append("class names are not known, numbers stand for them; --classes FILE names them")
    return LoadedClassifier(
        _title(classifier),
        network,
        names,
        size,
        transform or usual_transform(size),
        normalisation,
        (*said, *lines, *more),
        classifier,
    )


def _title(classifier: Classifier) -> str:
    """What a person calls it: torchvision:resnet50."""
    fields = [one for one in dataclasses.fields(classifier) if not one.kw_only]
    main = getattr(classifier, fields[0].name) if fields else ""
    return f"{classifier.name}:{main}" if isinstance(main, str) and main else classifier.name


def _weighted(
    classifier: Classifier, weights: str, wishes: Wishes, known: int
) -> tuple[nn.Module, list[str]]:
    """The classifier's module with its weights, and what is to be said of these."""
    blank = dataclasses.replace(classifier, weights="")
    count = known if wishes.classes is None or classifier.class_names() else len(wishes.classes)
    if weights == RANDOM:
        return _made(blank, count), [_random(_title(classifier))]
    if weights != LIBRARY:
        return _from_file(blank, weights, count), []
    try:
        module = _made(dataclasses.replace(classifier, weights=LIBRARY), count)
    except WeightsError as error:
        message = str(error).partition(";")[0]
        raise WeightsError(f"{message}; give it those of a file: --weights FILE") from error
    if not classifier.class_names() and _is_drawn(blank, module, count):
        return module, [_random(_title(classifier))]
    return module, []


def _random(title: str) -> str:
    return (
        f"the weights of {title} are random, so its classes mean nothing; "
        "--weights FILE (weights=…) gives it others"
    )


def _made(classifier: Classifier, classes: int, seed: int = 0) -> nn.Module:
    with seeded(seed):
        return adapted(classifier.module(classes), classifier.input_size())


def _is_drawn(classifier: Classifier, module: nn.Module, classes: int) -> bool:
    """Whether the module's weights are others each time it is made."""
    again = _made(classifier, classes, seed=1).state_dict()
    return any(not torch.equal(own, again[name]) for name, own in module.state_dict().items())


def _from_file(classifier: Classifier, weights: str, count: int) -> nn.Module:
    """The classifier with the weights of a file, and with as many outputs as these have."""
    state = read_state(weights)
    module = _made(classifier, count)
    outputs = _outputs_in(state, module, count)
    if outputs != count:
        module = _made(classifier, outputs)
    try:
        load_state(module, state, weights)
    except WeightsError as error:
        reason = str(error).partition(". Train without them")[0]
        message = f"{reason}. Give the file that belongs to {_title(classifier)}, "
        raise WeightsError(f"{message}or the network that the file is of") from error
    return module


def _outputs_in(state: Mapping[str, Tensor], module: nn.Module, count: int) -> int:
    """How many outputs the weights have, if only that tells them from the module's."""
    own = module.state_dict()
    other = {
        state[name].shape[0]
        for name, tensor in own.items()
        if name in state
        and tensor.dim()
        and state[name].shape != tensor.shape
        and state[name].shape[1:] == tensor.shape[1:]
        and tensor.shape[0] == count
    }
    return other.pop() if len(other) == 1 else count


def _of_module(
    module: nn.Module, wishes: Wishes, builder: Builder, device: torch.device
) -> LoadedClassifier:
    if wishes.weights is not None:
        raise UsageError("weights= is for networks by name; load those of a module yourself")
    said, known = self_description(module), _origin(module, builder)
    own_size = said.side or (known.input_size() if known else 0)
    told_size = wishes.size or own_size
    own, size = _on_its_size(module, told_size)
    own, outputs, lines = _with_logits(own, size)
    name = type(unwrapped(module)).__name__
    usual = known.normalisation() if known else Normalisation()
    normalisation = wishes.normalisation(said.normalisation or usual)
    network = whole_module(
        own.to(device), classes=outputs, size=size, normalisation=normalisation, name=name
    )
    lines += check_outputs(network, (size, size))
    own_names = said.class_names or (known.class_names() if known else ())
    names, unnamed = _named_outputs(wishes, own_names, outputs, name)
    transform = wishes.transform or (known.photo_transform(size) if known else None)
    told = known or said.normalisation or wishes.mean or wishes.std
    assumed = (None if told_size else size, None if told else normalisation)
    lines += _assumed(*assumed, _SAY_IT, unnamed=unnamed)
    transform = transform or usual_transform(size)
    return LoadedClassifier(name, network, names, size, transform, normalisation, tuple(lines))


def _assumed(
    size: int | None, normalisation: Normalisation | None, way_out: str, *, unnamed: bool
) -> list[str]:
    """A line on what nobody says, None for what somebody does; no line where all is said."""
    parts = [] if size is None else [f"images of {size} px"]
    if normalisation is not None:
        mean, std = ("/".join(f"{value:g}" for value in values) for values in normalisation)
        parts.append(f"mean {mean}, std {std}")
    parts += ["numbers for classes"] if unnamed else []
    return [f"assumed: {', '.join(parts)}; {way_out}"] if parts else []


def _origin(module: nn.Module, builder: Builder) -> Classifier | None:
    """The component that makes such modules, if the module says where it comes from."""
    registry = builder.registry
    kinds = (registry.get("classifier", name) for name in registry.names("classifier"))
    found = (kind.of_module(unwrapped(module)) for kind in kinds)
    return next((one for one in found if one is not None), None)


def _on_its_size(module: nn.Module, size: int) -> tuple[nn.Module, int]:
    """A copy on the same weights that takes RGB images, and the side on which it works."""
    for side in (size,) if size else SIDES:
        try:
            own = adapted(on_shared_tensors(unwrapped(module)), side)
            with torch.no_grad():
                own.eval()(_example(own, side))
        except Exception:  # noqa: BLE001, S112 - whatever a module does on images of another size
            continue
        return own, side
    side = size or SIDES[0]
    return on_shared_tensors(unwrapped(module)).eval(), side


def _example(module: nn.Module, size: int) -> Tensor:
    place = next(module.parameters(), torch.zeros(()))
    return torch.zeros(1, 3, size, size, device=place.device)


def _with_logits(module: nn.Module, size: int) -> tuple[nn.Module, int, list[str]]:
    """The module giving (n, classes), how many these are, and what was done to that end."""
    try:
        with torch.no_grad():
            made = module.eval()(_example(module, size))
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        message = f"{type(module).__name__} fails on an image of {size}×{size} pixels: "
        message += f"{type(error).__name__}: {first}. It must take RGB images and nothing else"
        raise MismatchError(f"{message}; size=… gives it others") from error
    if isinstance(made, Tensor):
        if made.numel() == 1:
            line = "it gives one logit z: taken as two classes with the logits 0 and z"
            return as_two_classes(module), 2, [line]
        return module, made.shape[1] if made.dim() > 1 else made.numel(), []
    part = made.get("logits") if isinstance(made, Mapping) else getattr(made, "logits", None)
    if isinstance(part, Tensor) and part.dim() == 2:
        return with_output(module, "logits"), part.shape[1], []
    message = f"{type(module).__name__} returns {type(made).__name__}, not one tensor of logits; "
    raise MismatchError(f"{message}xbench.networks.with_output(module, 'NAME') takes a part of it")


def _named_outputs(
    wishes: Wishes, own: Sequence[str], outputs: int, title: str
) -> tuple[tuple[str, ...], bool]:
    """What the outputs are called, and whether that is not known."""
    if wishes.classes is not None:
        return _names(wishes.classes, outputs, title), False
    if len(own) == outputs:
        return tuple(own), all(name.isdigit() for name in own)
    return tuple(map(str, range(outputs))), True


def _names(given: Sequence[str], outputs: int, title: str) -> tuple[str, ...]:
    if len(given) != outputs:
        message = f"there are {len(given)} class names, and {title} has {outputs} outputs; "
        raise MismatchError(f"{message}give one name for each output, in their order")
    return tuple(map(str, given))


def label_of(target: str | int, names: Sequence[str]) -> int:
    """The number of a class that is given by name or by number."""
    if isinstance(target, int) or (target.isdigit() and target not in names):
        label = int(target)
        if 0 <= label < len(names):
            return label
        message = f"target is {label}, and the network has the classes 0 to {len(names) - 1}"
        raise UsageError(message)
    folded = [name.casefold() for name in names]
    if target.casefold() in folded:
        return folded.index(target.casefold())
    near = difflib.get_close_matches(target, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    message = f"{target!r} is no class of the network{meant} Give one of its names, or a number "
    raise UsageError(f"{message}from 0 to {len(names) - 1}")
