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
and overlaps (IoU) of all pairs of regions. NAME=VALUE are fields of the explainer in JSON, as
`channels_last=true`.

python benchmarks/analysis/extremal_torchray.py table FILE...

prints for one to four starts and each area: our mean reward, TorchRay's, ours less TorchRay's with
a 95 % interval over photographs, and the mean overlap of our regions with TorchRay's and with our
own of other seeds; then mean soft areas of both, and how far ours are from the area at most.
extremal_torchray.json beside this file has what docs/extremal-perturbation.md shows. Two starts are
the better one of two seeds, area by area, as the explainer's `starts` choose; means are over all
choices of seeds. Masks are not needed for it: numbers take two kilobytes a photograph.

python benchmarks/analysis/extremal_torchray.py sizes PHOTOGRAPHS WEIGHTS MASKS COUNT [NAME=VALUE]

asks whether TorchRay's masks overlap less with ours because they are larger than they should be:
for the first COUNT photographs in MASKS it makes ours of as many pixels as TorchRay's have above a
half, with two seeds, and prints the mean overlap of these with TorchRay's, and with each other.

python benchmarks/analysis/extremal_torchray.py settings PHOTOGRAPHS WEIGHTS

prints the mean reward of six photographs at the areas .1, .2 and .4 for several rates of Adam,
smoothnesses of masks, and numbers of starts and steps, and in bf16.

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
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch
from scipy.spatial.distance import squareform

from xbench import Batch, Network, generator, square_photo
from xbench.kernels import resized_maps
from xbench.networks import cut_classifier, load_state, read_state
from xbench_saliency.extremal.explainer import ExtremalPerturbation
from xbench_saliency.kernels.areas import strongest
from xbench_saliency.kernels.blur import blurred
from xbench_zoo.torchvision_models import Torchvision

AREAS = (0.1, 0.2, 0.4, 0.5)
SIDE, PHOTOGRAPHS, STEPS, BLUR, AT_ONCE = 224, 40, 800, 20.0, 8
SEEDS, MOST_STARTS = 8, 4
SIX = (0, 1, 2, 3, 12, 20)
"""Of the forty photographs: those that settings were tried on."""
ONE_START: dict[str, Any] = {"starts": 1, "steps": 200, "betas": (0.9, 0.999)}
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
    "three of 70": {"starts": 3, "steps": 70, "betas": (0.8, 0.99)},
    "four of 50": {},
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
    if task == "table":
        print_table([json.loads(Path(file).read_text()) for file in given])
        return
    folder, network = Path(given[0]), squeezenet(given[1])
    if task == "torchray":
        run_torchray(network, folder, Path(given[2]), *map(int, given[3:]))
    elif task in ("compare", "sizes"):
        runs = json.loads(Path(given[2]).read_text())
        own = {name: json.loads(value) for name, value in (one.split("=") for one in given[4:])}
        if task == "compare":
            compare(network, folder, runs, Path(given[3]), own)
        else:
            sizes(network, folder, dict(list(runs.items())[: int(given[3])]), own)
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
    held = json.loads(file.read_text()) if file.exists() else {"fields": own, "photographs": {}}
    if held["fields"] != own:
        sys.exit(f"{file} holds numbers of {held['fields']}, not {own}; name another file")
    every = photographs(folder)
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
        "rewards": [rewards_of(network, image, run["label"], list(one)) for one in chosen],
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


def print_table(files: list[dict]) -> None:
    """A line for each number of starts and area, of all photographs of the files."""
    if any(file["fields"] != files[0]["fields"] for file in files):
        sys.exit("the files have numbers of different fields")
    held = {name: one for file in files for name, one in file["photographs"].items()}
    soft, rewards = (np.array([one[of] for one in held.values()]) for of in ("soft", "rewards"))
    overlaps = np.array([[squareform(at) for at in one["overlaps"]] for one in held.values()])
    seconds = np.mean([one["seconds"] for one in held.values()])
    print(f"{len(held)} photographs; ours with {files[0]['fields']}")
    print(f"TorchRay took {seconds:.0f} s for one on average")
    print("area: ours, TorchRay's, difference [95 %]; overlap with TorchRay's, of ours by itself")
    for starts in range(1, MOST_STARTS + 1):
        print(f"best of {starts}:")
        for place, area in enumerate(AREAS):
            print(f"{area}:", line(rewards[..., place], overlaps[:, place], starts))
    for place, area in enumerate(AREAS):
        theirs, ours = soft[:, 0, place].mean(), soft[:, 1:, place]
        off = np.abs(ours - area).max()
        print(
            f"soft area {area}: {ours.mean():.3f}, at most {off:.3f} off; TorchRay's {theirs:.3f}"
        )


def line(rewards: np.ndarray, overlaps: np.ndarray, starts: int) -> str:
    """Of one area; TorchRay's come first in each photograph's row."""
    theirs, every = rewards[:, 0], np.arange(len(rewards))
    chosen = {
        seeds: 1 + np.array(seeds)[rewards[:, 1:][:, list(seeds)].argmax(1)]
        for seeds in itertools.combinations(range(SEEDS), starts)
    }
    mean = np.mean([rewards[every, places] for places in chosen.values()], 0)
    with_theirs = np.mean([overlaps[every, places, 0] for places in chosen.values()])
    by_itself = [
        overlaps[every, chosen[one], chosen[other]]
        for one, other in itertools.combinations(chosen, 2)
        if not {*one} & {*other}
    ]
    return (
        f"{mean.mean():.2f}, {theirs.mean():.2f}, {interval(mean - theirs)};"
        f" {with_theirs:.3f}, " + (f"{np.mean(by_itself):.3f}" if by_itself else "-")
    )


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


def sizes(network: Network, folder: Path, runs: dict, own: dict[str, Any]) -> None:
    """A line for each area: its size, overlap with TorchRay's, and of two seeds of ours."""
    overlaps = []
    for name, run in runs.items():
        theirs = [unpacked(text) for text in run["above a half"]]
        areas = tuple(float(region.float().mean()) for region in theirs)
        explainer = ExtremalPerturbation(areas, **own)
        ours = []
        for seed in range(2):
            batch = Batch(pixels(folder / name), (0,))
            raw = explainer.explain(network, batch, {}, generator(seed), {})[0].raw
            assert raw is not None
            masks = zip(resized_maps(raw, (SIDE, SIDE)), areas, strict=True)
            ours.append([strongest(mask, area) for mask, area in masks])
        overlaps.append(
            [
                (area, (overlap(a, their) + overlap(b, their)) / 2, overlap(a, b))
                for area, their, a, b in zip(areas, theirs, *ours, strict=True)
            ]
        )
        print(name, flush=True)
    for area, (size, with_theirs, by_itself) in zip(AREAS, np.mean(overlaps, 0), strict=True):
        print(f"{area}: {size:.3f} of the image; {with_theirs:.3f}, {by_itself:.3f}")


def regions(masks: torch.Tensor) -> list[torch.Tensor]:
    return [strongest(mask, area) for mask, area in zip(masks, AREAS, strict=False)]


def rewards_of(
    network: Network, image: torch.Tensor, label: int, inside: list[torch.Tensor]
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


def interval(differences: np.ndarray) -> str:
    """Mean and Student's 95 % interval; no interval of a single photograph."""
    mean, count = float(differences.mean()), len(differences)
    if count < 2:
        return f"{mean:+.2f} [one photograph]"
    reach = float(scipy.stats.t.ppf(0.975, count - 1) * scipy.stats.sem(differences))
    return f"{mean:+.2f} [{mean - reach:+.2f}, {mean + reach:+.2f}]"


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
