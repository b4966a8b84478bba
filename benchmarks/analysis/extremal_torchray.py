"""Extremal perturbation beside TorchRay's, on photographs and the real SqueezeNet 1.1.

python benchmarks/analysis/extremal_torchray.py torchray PHOTOGRAPHS WEIGHTS MASKS [FIRST] [LAST]

runs TorchRay, which must be installed (`pip install torchray`; its licence is CC BY-NC), for the
predicted class of 40 photographs spread over the folder (or those from FIRST to before LAST), at
the areas .1, .2, .4 and .5, with 800 iterations, its default, and keeps in the JSON file MASKS: of
each mask its soft area, which pixels are the strongest share of exactly the area, and which are
above a half. Photographs that are there already are left out, so it may be stopped and started
again.

python benchmarks/analysis/extremal_torchray.py compare PHOTOGRAPHS WEIGHTS MASKS FILE [NAME=VALUE]

makes our masks of the photographs in MASKS with eight seeds of one start each, and keeps in the
JSON file FILE what is compared of both (it may be stopped and started again, too): soft areas,
rewards (the logit of the predicted class where the image is blurred outside of exactly the area),
those of image and region mirrored, and overlaps (IoU) of all pairs of regions. NAME=VALUE are
fields of the explainer in JSON, as `channels_last=true`.

python benchmarks/analysis/extremal_torchray.py sizes PHOTOGRAPHS WEIGHTS MASKS FILE [NAME=VALUE]

asks whether TorchRay's masks overlap less with ours because they are larger than they should be:
of the photographs in MASKS it makes ours of as many pixels as TorchRay's have above a half, with
two seeds, and keeps in the JSON file FILE their overlaps with TorchRay's, and with each other. It
may be stopped and started again.

FILE takes some two kilobytes a photograph; extremal_table.py prints their tables.

python benchmarks/analysis/extremal_torchray.py settings PHOTOGRAPHS WEIGHTS

prints the mean reward of six photographs at the areas .1, .2 and .4 for several rates of Adam,
smoothnesses of masks, numbers of starts and steps, noises that starts differ by, and in bf16.

python benchmarks/analysis/extremal_torchray.py cost PHOTOGRAPHS WEIGHTS

prints the seconds of a step, on one thread and for four areas, of one image and of eight, in single
precision, with channels last, in bf16, and in bf16 with channels last, and of the network's forward
and backward pass alone.
"""

import base64
import itertools
import json
import sys
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xbench import Batch, Network, generator, square_photo
from xbench.kernels import resized_maps
from xbench.networks import cut_classifier, load_state, read_state
from xbench_saliency.extremal.explainer import ExtremalPerturbation
from xbench_saliency.kernels.areas import strongest
from xbench_saliency.kernels.blur import blurred
from xbench_zoo.torchvision_models import Torchvision

AREAS = (0.1, 0.2, 0.4, 0.5)
SIDE, PHOTOGRAPHS, STEPS, BLUR, AT_ONCE = 224, 40, 800, 20.0, 8
SEEDS = 8
SIX = (0, 1, 2, 3, 12, 20)
"""Of the forty photographs: those that settings were tried on."""
ALIKE: dict[str, Any] = {"noise": 0.01}
"""Starts that hardly differ."""
ONE_START: dict[str, Any] = {**ALIKE, "starts": 1, "steps": 200, "betas": (0.9, 0.999)}
SETTINGS: dict[str, dict] = {
    "one start, rate .05, sigma 9": {**ONE_START, "learning_rate": 0.05, "sigma": 9.0},
    "one start, rate .05, sigma 6": {**ONE_START, "learning_rate": 0.05, "sigma": 6.0},
    "one start, rate .1, sigma 9": {**ONE_START, "sigma": 9.0},
    "one start, rate .1, sigma 6.5": ONE_START,
    "one start, rate .2, sigma 6.5, penalty from 1": {
        **ONE_START,
        "learning_rate": 0.2,
        "penalty": (1.0, 20000.0),
    },
    "two starts of 100 steps": {**ONE_START, "starts": 2, "steps": 100},
    "three of 70": {**ALIKE, "starts": 3, "steps": 70, "betas": (0.8, 0.99)},
    "four of 50, noise .01": ALIKE,
    "four of 50, noise .05": {"noise": 0.05},
    "four of 50": {},
    "four of 50, noise .3": {"noise": 0.3},
    "four of 50, without channels last": {"channels_last": False},
    "four of 50, bf16": {"precision": "bf16"},
}
PRECISIONS: dict[str, dict] = {
    "fp32": {},
    "channels last": {"channels_last": True},
    "bf16": {"precision": "bf16"},
    "bf16, channels last": {"precision": "bf16", "channels_last": True},
}


def main(task: str, *given: str) -> None:
    torch.set_num_threads(1)
    folder, network = Path(given[0]), squeezenet(given[1])
    if task == "torchray":
        run_torchray(network, folder, Path(given[2]), *map(int, given[3:]))
    elif task in ("compare", "sizes"):
        runs = json.loads(Path(given[2]).read_text())
        own = {name: json.loads(value) for name, value in (one.split("=") for one in given[4:])}
        (compare if task == "compare" else sizes)(network, folder, runs, Path(given[3]), own)
    elif task == "settings":
        settings(network, folder)
    else:
        cost(network, folder)


def squeezenet(weights: str) -> Network:
    classifier = Torchvision("squeezenet1_1", weights=weights)
    module = classifier.module(1000)
    load_state(module, read_state(weights), weights)
    return cut_classifier(classifier, module.eval(), 1000)


def photographs(folder: Path) -> list[Path]:
    """Forty of the folder, evenly spread, so that all kinds of classes are among them."""
    files = sorted(folder.glob("*.jpg"))
    return files[len(files) // PHOTOGRAPHS // 2 :: len(files) // PHOTOGRAPHS][:PHOTOGRAPHS]


def pixels(path: Path) -> torch.Tensor:
    return square_photo(path, path.name, SIDE)[None].float() / 255


def run_torchray(
    network: Network, folder: Path, file: Path, first: int = 0, last: int = PHOTOGRAPHS
) -> None:
    from torchray.attribution.extremal_perturbation import extremal_perturbation

    runs = json.loads(file.read_text()) if file.exists() else {}
    for path in photographs(folder)[first:last]:
        if path.name in runs:
            continue
        image, start = pixels(path), time.perf_counter()
        label = int(network.logits(image).argmax())
        masks = extremal_perturbation(
            network.module, image, label, areas=list(AREAS), max_iter=STEPS
        )[0].detach()[:, 0]
        seconds = time.perf_counter() - start
        kept = [packed(strongest(m, area)) for area, m in zip(AREAS, masks, strict=True)]
        soft, above = masks.mean((1, 2)).tolist(), [packed(mask > 0.5) for mask in masks]
        runs[path.name] = {
            "label": label,
            "seconds": seconds,
            "soft": soft,
            "regions": kept,
            "above a half": above,
        }
        file.write_text(json.dumps(runs, indent=1))
        print(f"{path.name}: {seconds:.0f} s", flush=True)


def compare(network: Network, folder: Path, runs: dict, file: Path, own: dict[str, Any]) -> None:
    """Adds to `file` what is compared of each photograph that `runs` holds."""
    held, every = held_in(file, own), photographs(folder)
    left = [i for i, f in enumerate(every) if f.name in runs and f.name not in held["photographs"]]
    for first in range(0, len(left), AT_ONCE):
        places = left[first : first + AT_ONCE]
        images = torch.cat([pixels(every[place]) for place in places])
        for image, place, masks in zip(
            images, places, our_masks(network, images, places, own), strict=True
        ):
            name = every[place].name
            held["photographs"][name] = compared(network, image[None], runs[name], masks)
            print(name, flush=True)
        file.write_text(written(held))


def held_in(file: Path, own: dict[str, Any]) -> dict:
    """What is there already, which must be of the same fields."""
    held: dict = {"fields": own, "photographs": {}}
    if file.exists():
        held = json.loads(file.read_text())
    if held["fields"] != own:
        sys.exit(f"{file} holds numbers of {held['fields']}, not {own}; name another file")
    return held


def written(held: dict) -> str:
    """A line for each photograph."""
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in held["photographs"].items()]
    return (
        f'{{"fields": {json.dumps(held["fields"])},\n"photographs": {{\n'
        + ",\n".join(lines)
        + "\n}}\n"
    )


def compared(
    network: Network, image: torch.Tensor, run: dict, ours: list[torch.Tensor]
) -> dict[str, Any]:
    """Of TorchRay's masks and then ours, seed by seed; overlaps area by area, of all pairs."""
    theirs = torch.stack([unpacked(text) for text in run["regions"]])
    chosen = [theirs, *(torch.stack(regions(masks)) for masks in ours)]
    numbers = {
        "soft": [run["soft"], *(masks.mean((1, 2)).tolist() for masks in ours)],
        "rewards": [rewards_of(network, image, run["label"], one) for one in chosen],
        "mirrored": [
            rewards_of(network, image.flip(-1), run["label"], one.flip(-1)) for one in chosen
        ],
        "overlaps": [
            [overlap(a, b) for a, b in itertools.combinations(at, 2)]
            for at in torch.stack(chosen, 1)
        ],
    }
    return {"seconds": round(run["seconds"])} | {
        name: np.round(values, 4).tolist() for name, values in numbers.items()
    }


def overlap(one: torch.Tensor, other: torch.Tensor) -> float:
    """Shared pixels by all of both."""
    return float((one & other).sum() / (one | other).sum())


def our_masks(
    network: Network, images: torch.Tensor, places: list[int], own: dict[str, Any]
) -> list[list[torch.Tensor]]:
    """Of each image the masks of each seed; its place among the forty is its own part of a seed."""
    explainer = ExtremalPerturbation(AREAS, starts=1, **own)
    batch = Batch(images, tuple(places))
    made = [explainer.explain(network, batch, {}, generator(seed), {}) for seed in range(SEEDS)]
    return [
        [resized_maps(of_seed.raw, (SIDE, SIDE)) for of_seed in of_image if of_seed.raw is not None]
        for of_image in zip(*made, strict=True)
    ]


def sizes(network: Network, folder: Path, runs: dict, file: Path, own: dict[str, Any]) -> None:
    """Adds to `file` the overlaps of each photograph that `runs` holds."""
    held = held_in(file, own)
    for place, path in enumerate(photographs(folder)):
        if path.name in runs and path.name not in held["photographs"]:
            theirs = [unpacked(text) for text in runs[path.name]["above a half"]]
            batch = Batch(pixels(path), (place,))
            held["photographs"][path.name] = of_its_sizes(network, batch, theirs, own)
            file.write_text(written(held))
            print(path.name, flush=True)


def of_its_sizes(
    network: Network, batch: Batch, theirs: list[torch.Tensor], own: dict[str, Any]
) -> dict[str, list[float]]:
    """Of each of TorchRay's regions its size, and overlaps: with ours, and of two seeds of ours."""
    areas = tuple(float(region.float().mean()) for region in theirs)
    explainer = ExtremalPerturbation(areas, **own)
    ours = []
    for seed in range(2):
        raw = explainer.explain(network, batch, {}, generator(seed), {})[0].raw
        assert raw is not None
        masks = zip(resized_maps(raw, (SIDE, SIDE)), areas, strict=True)
        ours.append([strongest(mask, area) for mask, area in masks])
    every = list(zip(theirs, *ours, strict=True))
    return {
        "sizes": [round(area, 4) for area in areas],
        "with TorchRay's": [
            round((overlap(one, their) + overlap(other, their)) / 2, 4)
            for their, one, other in every
        ],
        "by itself": [round(overlap(one, other), 4) for _, one, other in every],
    }


def regions(masks: torch.Tensor) -> list[torch.Tensor]:
    return [strongest(mask, area) for mask, area in zip(masks, AREAS, strict=False)]


def rewards_of(
    network: Network,
    image: torch.Tensor,
    label: int,
    inside: Iterable[torch.Tensor],
) -> list[float]:
    """The logits of the image blurred outside of the regions."""
    behind = blurred(image, BLUR)
    kept = [torch.where(one, image, behind) for one in inside]
    logits: list[float] = network.logits(torch.cat(kept))[:, label].tolist()
    return logits


def packed(region: torch.Tensor) -> str:
    pressed = zlib.compress(np.packbits(region.numpy()).tobytes(), 9)
    return base64.b64encode(pressed).decode()


def unpacked(text: str) -> torch.Tensor:
    bits = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    return torch.from_numpy(np.unpackbits(bits)).bool().view(SIDE, SIDE)


def settings(network: Network, folder: Path) -> None:
    """One line for each of `SETTINGS`: the mean reward at exactly the area."""
    files = [photographs(folder)[place] for place in SIX]
    images = torch.cat([pixels(path) for path in files])
    labels = network.logits(images).argmax(1).tolist()
    batch = Batch(images, tuple(range(len(files))))
    for name, fields in SETTINGS.items():
        explainer = ExtremalPerturbation(AREAS[:3], **{"channels_last": True, **fields})
        rewards = []
        for one, image, label in zip(
            explainer.explain(network, batch, {}, generator(0), {}), images, labels, strict=True
        ):
            assert one.raw is not None
            inside = regions(resized_maps(one.raw, (SIDE, SIDE)))
            rewards.append(rewards_of(network, image[None], label, inside))
        print(f"{name}:", ", ".join(f"{x:.2f}" for x in torch.tensor(rewards).mean(0)), flush=True)


def cost(network: Network, folder: Path, steps: int = 5) -> None:
    """Medians of three runs, interleaved; what is there at zero steps is taken off."""
    for count in (1, 8):
        images = torch.cat([pixels(path) for path in photographs(folder)[:count]])
        batch = Batch(images, tuple(range(count)))
        seconds: dict[str, list[float]] = {}
        for _ in range(3):
            for name, fields in PRECISIONS.items():
                few, many = (
                    timed(ExtremalPerturbation(AREAS, steps=n, starts=1, **fields), network, batch)
                    for n in (1, 1 + steps)
                )
                seconds.setdefault(name, []).append((many - few) / steps)
            seconds.setdefault("network alone", []).append(passes_alone(network, images))
        medians = {name: float(np.median(values)) for name, values in seconds.items()}
        print(f"{count} images:", ", ".join(f"{n} {x:.3f} s" for n, x in medians.items()))


def timed(explainer: ExtremalPerturbation, network: Network, batch: Batch) -> float:
    start = time.perf_counter()
    explainer.explain(network, batch, {}, generator(0), {})
    return time.perf_counter() - start


def passes_alone(network: Network, images: torch.Tensor) -> float:
    perturbed = images.repeat_interleave(len(AREAS), 0).requires_grad_()
    start = time.perf_counter()
    torch.autograd.grad(network.module(perturbed).amax(1).sum(), perturbed)
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
