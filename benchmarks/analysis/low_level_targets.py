"""Which classes of photographs lose a colour that their class depends on, when they turn grey.

python benchmarks/analysis/low_level_targets.py PHOTOGRAPHS WEIGHTS

looks at the photographs of ImageNet's classes in the folder PHOTOGRAPHS, and at SqueezeNet 1.1
with the weights in the file WEIGHTS; no concept scores are computed. It prints targets of the
benchmark `ces-low-level-imagenet` as TOML.

A photograph counts if its class is the most probable one and has P ≥ 0.15, if P of the grey
photograph is at most half of that, and if its middle (half the width and height) has a mean
chroma of at least 0.15. *By class*, it is a target if the class names a thing that mostly has
one colour; which classes these are was decided from the names alone, and is listed in `THINGS`.
*Confirmed in pixels*, it is a target, whatever its class, if the hues of its middle agree
(resultant 0.7 or more) and if their colour is the one that the class depends on: of four pale
colour filters laid over the grey photograph, that of its colour raises P most, and above P of
the grey photograph.
"""

import math
import sys
from collections.abc import Iterator
from typing import NamedTuple

import torch

from xbench import ImageSet, Network, Transform
from xbench.networks import cut_classifier, load_state, read_state
from xbench_ces.kernels import appearance
from xbench_datasets.imagenet.dataset import Imagenet
from xbench_zoo.torchvision_models import Torchvision

THINGS = {
    "redness": (
        *("strawberry", "pomegranate", "hip", "agaric", "ladybug", "king crab", "rock crab"),
        *("Irish setter", "lesser panda", "prayer rug", "pizza", "lipstick", "admiral", "macaw"),
    ),
    "greenness": (
        *("Granny Smith", "head cabbage", "broccoli", "zucchini", "guacamole", "bell pepper"),
        *("American chameleon", "African chameleon", "vine snake", "leafhopper", "bullfrog"),
        *("lorikeet", "bee eater", "greenhouse", "hummingbird", "custard apple"),
    ),
    "blueness": (
        *("indigo bunting", "scuba diver", "great white shark", "coral reef", "peacock"),
        *("sandbar", "airliner"),
    ),
    "yellowness": (
        *("goldfinch", "lemon", "rapeseed", "yellow lady's slipper", "spaghetti squash", "hay"),
        "tennis ball",
    ),
}
"""Classes by the colour that the things mostly have: of those whose P halves without colour."""
HUES = {
    "redness": (-30, 25),
    "yellowness": (25, 65),
    "greenness": (65, 165),
    "blueness": (165, 270),
}
"""From which hue, in degrees, to which a colour is called so."""
FILTERS = {
    "redness": (1.15, 0.52, 0.52),
    "yellowness": (1.15, 1.15, 0.52),
    "greenness": (0.52, 1.15, 0.52),
    "blueness": (0.52, 0.52, 1.15),
}
"""What red, green and blue of a grey photograph are multiplied by, to give a colour back."""


class Look(NamedTuple):
    """What is known of a photograph without any concept score."""

    label: int
    name: str
    chroma: float
    agreement: float
    colour: str
    """That of the photograph's middle."""
    restored: str
    """The colour whose filter raises P of the grey photograph most; "" if none raises it."""

    @property
    def known(self) -> str:
        """The colour that the class's things mostly have; "" if they have no one colour."""
        return next((colour for colour, names in THINGS.items() if self.name in names), "")


def main(photographs: str, weights: str) -> None:
    """Print both lists of targets."""
    dataset = Imagenet(photographs)
    classifier = Torchvision("squeezenet1_1", weights=weights)
    module = classifier.module(1000)
    load_state(module, read_state(weights), weights)
    network = cut_classifier(classifier, module.eval(), 1000)
    found = list(looks(network, ImageSet(dataset, dataset.splits()[0], Transform(232, 224))))
    agreeing = [one for one in found if one.agreement >= 0.7 and one.colour]
    vivid = [one for one in agreeing if one.chroma >= 0.25]
    right = sum(one.restored == one.colour for one in vivid)
    print(f"the filter of the photograph's own colour raises P most in {right} of {len(vivid)}")
    show("by class", [(one, one.known) for one in found if one.known])
    show("confirmed in pixels", [(o, o.colour) for o in agreeing if o.restored == o.colour])


def show(title: str, targets: list[tuple[Look, str]]) -> None:
    """Print targets as TOML, those with odd labels first."""
    for parity, half in ((1, "odd labels"), (0, "even labels")):
        some = [(one, colour) for one, colour in targets if one.label % 2 == parity]
        print(f"# {title}, {half}: {len(some)}")
        for one, colour in some:
            print(f'{{ class_name = "{one.name}", concept = "{colour}" }},')


def looks(network: Network, images: ImageSet) -> Iterator[Look]:
    """The photographs that count."""
    names = images.dataset.class_names()
    for image in images.ids():
        batch = images.batch([image])
        label = int(batch.labels[0])
        before = network.logits(batch.images).softmax(1)[0]
        if int(before.argmax()) != label or before[label] < 0.15:
            continue
        chroma, agreement, colour = colour_of_middle(batch.images)
        if chroma < 0.15:
            continue
        filtered = [appearance.coloured(batch.images, factors) for factors in FILTERS.values()]
        changed = torch.cat([appearance.luma(batch.images), *filtered])
        grey, *after = network.logits(changed).softmax(1)[:, label].tolist()
        if grey > before[label] / 2:
            continue
        best = max(range(len(after)), key=after.__getitem__)
        restored = tuple(FILTERS)[best] if after[best] > grey else ""
        yield Look(label, names[label], chroma, agreement, colour, restored)


def colour_of_middle(images: torch.Tensor) -> tuple[float, float, str]:
    """Mean chroma, length of the resultant of hues (each as long as its chroma), and colour."""
    height, width = images.shape[-2:]
    middle = images[:, :, height // 4 : height - height // 4, width // 4 : width - width // 4]
    chroma = middle.amax(1) - middle.amin(1)
    angles = appearance.hues(middle) * (math.pi / 180)
    x, y = float((chroma * angles.cos()).mean()), float((chroma * angles.sin()).mean())
    mean = float(chroma.mean())
    hue = math.degrees(math.atan2(y, x)) % 360
    turned = hue - 360 if hue >= 330 else hue
    colour = next((name for name, (low, high) in HUES.items() if low <= turned < high), "")
    return mean, math.hypot(x, y) / max(mean, 1e-6), colour


if __name__ == "__main__":
    main(*sys.argv[1:])
