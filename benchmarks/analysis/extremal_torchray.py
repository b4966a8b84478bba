"""Extremal perturbation beside TorchRay's, on photographs and the real SqueezeNet 1.1.

python benchmarks/analysis/extremal_torchray.py torchray PHOTOGRAPHS WEIGHTS FILE [COUNT] [STEPS]
python benchmarks/analysis/extremal_torchray.py compare PHOTOGRAPHS WEIGHTS FILE [RATE SIGMA]

The first runs TorchRay, which must be installed (`pip install torchray`; its licence is CC BY-NC),
for the predicted class of COUNT of 40 photographs spread over the folder, at the areas .1, .2, .4
and .5, with STEPS iterations (800: its default), and keeps in the JSON file FILE: of each mask its
soft area, the share of pixels above a half, and which pixels are the strongest share of exactly
the area. Photographs that are there already are left out, so it may be stopped and started again.

The second makes our masks of the photographs in FILE, with two seeds, at Adam's rate RATE and the
smoothness SIGMA where these are given, and prints for each area:
the reward (the logit of the predicted class where the image is blurred outside of exactly this
area), ours less TorchRay's with a 95 % interval over photographs, and the mean overlap (IoU) of
our masks with TorchRay's and with our own of another seed; mean soft areas of both, and how far
ours are from the area at most.

python benchmarks/analysis/extremal_torchray.py settings PHOTOGRAPHS WEIGHTS

The third prints the mean reward of six photographs at the areas .1, .2 and .4 for several rates of
Adam and smoothnesses of masks.

python benchmarks/analysis/extremal_torchray.py cost PHOTOGRAPHS WEIGHTS

The fourth prints the seconds of a step, on one thread and for four areas, of one image and of
eight, in single precision, with channels last, in bf16, and in bf16 with channels last, and of
the network's forward and backward pass alone.
"""

import base64
import json
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import torch

from xbench import Batch, Network, generator, square_photo
from xbench.kernels import resized_maps
from xbench.networks import cut_classifier, load_state, read_state
from xbench_saliency.extremal.explainer import ExtremalPerturbation
from xbench_saliency.kernels.areas import strongest
from xbench_saliency.kernels.blur import blurred
from xbench_zoo.torchvision_models import Torchvision

AREAS = (0.1, 0.2, 0.4, 0.5)
SIDE, PHOTOGRAPHS, STEPS, BLUR = 224, 40, 800, 20.0
SIX = (0, 1, 2, 3, 12, 20)
"""Of the forty photographs: those that settings were tried on."""
SETTINGS: dict[str, dict] = {
    "rate .05, sigma 9": {"learning_rate": 0.05, "sigma": 9.0},
    "rate .05, sigma 6": {"learning_rate": 0.05, "sigma": 6.0},
    "rate .1, sigma 9": {"learning_rate": 0.1, "sigma": 9.0},
    "rate .1, sigma 6.5": {},
    "rate .2, sigma 6.5, penalty from 1": {"learning_rate": 0.2, "penalty": (1.0, 20000.0)},
}
PRECISIONS: dict[str, dict] = {
    "fp32": {},
    "channels last": {"channels_last": True},
    "bf16": {"precision": "bf16"},
    "bf16, channels last": {"precision": "bf16", "channels_last": True},
}


def main(task: str, folder: str, weights: str, file: str = "", *numbers: str) -> None:
    torch.set_num_threads(1)
    network = squeezenet(weights)
    if task == "torchray":
        run_torchray(network, Path(folder), Path(file), *map(int, numbers))
    elif task == "compare":
        own = dict(zip(("learning_rate", "sigma"), map(float, numbers), strict=False))
        compare(network, Path(folder), json.loads(Path(file).read_text()), own)
    elif task == "settings":
        settings(network, Path(folder))
    else:
        cost(network, Path(folder))


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
    network: Network, folder: Path, file: Path, count: int = PHOTOGRAPHS, steps: int = STEPS
) -> None:
    from torchray.attribution.extremal_perturbation import extremal_perturbation

    runs = json.loads(file.read_text()) if file.exists() else {}
    for path in photographs(folder)[:count]:
        if path.name in runs:
            continue
        image, start = pixels(path), time.perf_counter()
        label = int(network.logits(image).argmax())
        masks = extremal_perturbation(
            network.module, image, label, areas=list(AREAS), max_iter=steps
        )[0].detach()[:, 0]
        seconds = time.perf_counter() - start
        of_areas = {str(area): numbers(m, area) for area, m in zip(AREAS, masks, strict=True)}
        runs[path.name] = {"label": label, "steps": steps, "seconds": seconds, "areas": of_areas}
        file.write_text(json.dumps(runs, indent=1))
        print(f"{path.name}: {seconds:.0f} s", flush=True)


def numbers(mask: torch.Tensor, area: float) -> dict:
    """What is kept of a mask: its areas, and its strongest pixels, packed."""
    packed = zlib.compress(np.packbits(strongest(mask, area).numpy()).tobytes(), 9)
    return {
        "soft": float(mask.mean()),
        "above_half": float((mask > 0.5).float().mean()),
        "pixels": base64.b64encode(packed).decode(),
    }


def compare(network: Network, folder: Path, runs: dict, own: dict[str, float]) -> None:
    """One line for each area; what `runs` holds of every photograph is compared."""
    rewards, overlaps, soft = [], [], []
    for name, run in runs.items():
        image = pixels(folder / name)
        first, second = (our_masks(network, image, run["label"], seed, own) for seed in (0, 1))
        theirs = [unpacked(run["areas"][str(area)]["pixels"]) for area in AREAS]
        ours, others = regions(first), regions(second)
        rewards.append([rewards_of(network, image, run["label"], r) for r in (ours, theirs)])
        overlaps.append(
            [[iou(a, b) for a, b in zip(ours, r, strict=True)] for r in (theirs, others)]
        )
        soft.append(
            [[float(m.mean()) for m in first], [run["areas"][str(a)]["soft"] for a in AREAS]]
        )
    table = [torch.tensor(values).permute(1, 2, 0) for values in (rewards, overlaps, soft)]
    steps = {run["steps"] for run in runs.values()}
    print(f"{len(runs)} photographs, TorchRay with {steps} iterations")
    print(
        "area: reward ours, TorchRay's, difference [95 %]; IoU with TorchRay's, with another seed"
    )
    for place, area in enumerate(AREAS):
        (ours, theirs), ious, areas = (values[:, place] for values in table)
        print(
            f"{area}: {ours.mean():.2f}, {theirs.mean():.2f}, {interval(ours - theirs)};",
            *(f"{x:.2f}," for x in ious.mean(1)),
            "soft areas " + ", ".join(f"{x:.3f}" for x in areas.mean(1)),
            f"ours at most {(areas[0] - area).abs().max():.3f} off",
        )


def our_masks(
    network: Network, image: torch.Tensor, label: int, seed: int, own: dict[str, Any]
) -> torch.Tensor:
    explainer = ExtremalPerturbation(AREAS, target=label, **own)
    batch = Batch(image, (0,))
    raw = explainer.explain(network, batch, {}, generator(seed), {})[0].raw
    assert raw is not None
    return resized_maps(raw, (SIDE, SIDE))


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


def unpacked(text: str) -> torch.Tensor:
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)
    return torch.from_numpy(np.unpackbits(packed)).bool().view(SIDE, SIDE)


def iou(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one & other).sum() / (one | other).sum())


def interval(differences: torch.Tensor) -> str:
    """Mean and Student's 95 % interval; no interval of a single photograph."""
    mean, count = float(differences.mean()), len(differences)
    if count < 2:
        return f"{mean:+.2f} [one photograph]"
    error = float(differences.double().std()) / count**0.5
    reach = float(scipy.stats.t.ppf(0.975, count - 1)) * error
    return f"{mean:+.2f} [{mean - reach:+.2f}, {mean + reach:+.2f}]"


def settings(network: Network, folder: Path) -> None:
    """One line for each of `SETTINGS`: the mean reward at exactly the area."""
    files = [photographs(folder)[place] for place in SIX]
    images = torch.cat([pixels(path) for path in files])
    labels = network.logits(images).argmax(1).tolist()
    batch = Batch(images, tuple(range(len(files))))
    for name, fields in SETTINGS.items():
        explainer = ExtremalPerturbation(AREAS[:3], channels_last=True, **fields)
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
                    timed(ExtremalPerturbation(AREAS, steps=n, **fields), network, batch)
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
