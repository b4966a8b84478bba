"""Extremal perturbation beside TorchRay's, on photographs and the real SqueezeNet 1.1.

python benchmarks/analysis/extremal_torchray.py torchray PHOTOGRAPHS WEIGHTS FILE [COUNT] [STEPS]
python benchmarks/analysis/extremal_torchray.py compare PHOTOGRAPHS WEIGHTS FILE

The first runs TorchRay, which must be installed (`pip install torchray`; its licence is CC BY-NC),
for the predicted class of COUNT of 40 photographs spread over the folder, at the areas .1, .2, .4
and .5, with STEPS iterations (800: its default), and keeps in the JSON file FILE: of each mask its
soft area, the share of pixels above a half, and which pixels are the strongest share of exactly
the area. Photographs that are there already are left out, so it may be stopped and started again.

The second makes our masks of the photographs in FILE, with two seeds, and prints for each area:
the reward (the logit of the predicted class where the image is blurred outside of exactly this
area), ours less TorchRay's with a 95 % interval over photographs, and the mean overlap (IoU) of
our masks with TorchRay's and with our own of another seed.
"""

import base64
import json
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import torch

from xbench import Network, square_photo
from xbench.networks import cut_classifier, load_state, read_state
from xbench_zoo.torchvision_models import Torchvision

AREAS = (0.1, 0.2, 0.4, 0.5)
SIDE, PHOTOGRAPHS, STEPS = 224, 40, 800


def main(task: str, folder: str, weights: str, file: str, *numbers: str) -> None:
    torch.set_num_threads(1)
    network = squeezenet(weights)
    if task == "torchray":
        run_torchray(network, Path(folder), Path(file), *map(int, numbers))


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
    order = mask.flatten().sort(dim=0, descending=True, stable=True).indices
    strongest = torch.zeros(mask.numel(), dtype=torch.bool)
    strongest[order[: round(area * mask.numel())]] = True
    packed = zlib.compress(np.packbits(strongest.numpy()).tobytes(), 9)
    return {
        "soft": float(mask.mean()),
        "above_half": float((mask > 0.5).float().mean()),
        "pixels": base64.b64encode(packed).decode(),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
