"""The picture of docs/saliency.md: a bird, and what eleven explainers say of it.

python benchmarks/analysis/saliency_maps.py docs/images/saliency-maps.png [ID]

explains a test image of toybirds by the first reference network, which lies beside this script,
with the explainers' defaults and seed 0.
"""

import sys
from pathlib import Path

from xbench import ImageSet, Registry, generator, load_classifier
from xbench_saliency.maps.side_by_side import side_by_side
from xbench_toybirds.dataset import Toybirds

WEIGHTS = Path(__file__).parents[1] / "weights/small-cnn-0.safetensors"
EXPLAINERS = (
    "grad-cam",
    "gradient",
    "input-x-gradient",
    "smooth-grad",
    "integrated-gradients",
    "guided-backprop",
    "occlusion",
    "random-map",
    "centre-map",
    "edge-map",
    "intensity-map",
)
DOTS = 110
"""Pixels an inch."""


def main(to: str, image: str = "2000001") -> None:
    """Draw the picture of a test image."""
    birds, registry = Toybirds(), Registry(third_party=False)
    names = birds.class_names()
    network = load_classifier("small-cnn", weights=str(WEIGHTS), classes=names, size=96).network
    batch = ImageSet(birds, "test").batch([int(image)])
    explainers = {name: registry.get("explainer", name)() for name in EXPLAINERS}
    maps = {
        name: explainer.explain(network, batch, {}, generator("explanation", 0), {})[0]
        for name, explainer in explainers.items()
    }
    side_by_side(batch.images[0], maps, names).savefig(to, dpi=DOTS)


if __name__ == "__main__":
    main(*sys.argv[1:])
