"""Pixel flipping: deletion and insertion of pixels in the order of a map, on any dataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Drawing,
    Entry,
    Explainer,
    MismatchError,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Tree,
    subject_of,
    weights_recipe,
)
from xbench_saliency.flipping.edits import Baseline, EditedImage, Editing
from xbench_saliency.flipping.random_orders import RandomCurves, RandomOrders
from xbench_saliency.flipping.rows import NONE, ImageCurves, rows_table
from xbench_saliency.flipping.summary import case_scores, table_notes
from xbench_saliency.flipping.values import Value
from xbench_saliency.given.given_maps import GivenMaps
from xbench_saliency.maps.choice import Choice, chosen_cases
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import check_names

EXPLAINER = "explainer/"
"""Precedes the names of artefacts that the explainer declares."""
MOST_STEPS = 1000


class Flipped(NamedTuple):
    """An image with its map, and what random orders score."""

    case: Case
    saliency_map: SaliencyMap
    random: RandomCurves
    image: Float[Tensor, "3 h w"]


@dataclass(frozen=True)
class PixelFlipping(Protocol):
    """What a network still gives the explained class while pixels are replaced in a map's order.

    Deletion (Samek et al. 2017; Petsiuk et al. 2018) replaces the most relevant pixels first,
    insertion lets them come back first. With one baseline for both, insertion is deletion of the
    least relevant first, read backwards; their difference is the symmetric relevance gain of
    Blücher et al. (2024), and ranks. All areas are less the mean of those of random orders.
    """

    name: ClassVar[str] = "pixel-flipping"
    scores: ClassVar[type[SaliencyMap]] = SaliencyMap
    needs_labels: ClassVar[bool] = False

    images: int = 300
    """How many test images; 0 for all."""
    choice: Choice = "spread"
    """Which test images: the first ones, or evenly spread ones."""
    baseline: Baseline = "blur"
    steps: int = 20
    """In which all pixels go; each has the same area."""
    block: int = 1
    """Side of the squares of pixels that go together: 1 for single pixels."""
    draws: int = 5
    """Random orders of an image's pixels: for ties in its map, and to compare with."""
    blur: float = 0.1
    """σ of the blur, as a share of the shorter side; `blur` only."""
    noise: float = 0.01
    """σ of the noise on imputed pixels, on images from 0 to 1; `noisy-linear` only."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        if self.images < 0 or self.block < 1 or self.draws < 1:
            raise ValueError(
                f"images must be at least 0, block and draws at least 1, not {self.images}, "
                f"{self.block} and {self.draws}"
            )
        if not 2 <= self.steps <= MOST_STEPS:
            raise ValueError(f"steps is {self.steps}; from 2 to {MOST_STEPS} are possible")
        if self.blur <= 0 or self.noise < 0:
            raise ValueError(
                f"blur must be above 0 and noise at least 0, not {self.blur} and {self.noise}"
            )

    def terms(self) -> Mapping[str, str]:
        """What goes, in which order, and how it is counted."""
        return {
            "deletion": "the mean probability of the explained class while the pixels that the map "
            "calls most relevant are replaced first; lower is better.",
            "insertion": "the same while they come back first; higher is better.",
            "symmetric gain": "insertion less deletion: what replacing the least relevant pixels "
            "first leaves of the class, beyond replacing the most relevant first.",
            "random orders": "score 0: what they score on average is subtracted image by image.",
        }

    def given(self, path: Path) -> Explainer:
        """The maps of an `.npz` file."""
        return GivenMaps(str(path))

    def needs(self) -> tuple[type[Annotation], ...]:
        """Nothing of the test dataset."""
        return ()

    def editing(self) -> Editing:
        """How images are edited; what their baseline does not use has no part in it."""
        blur = self.blur if self.baseline == "blur" else 0.0
        noise = self.noise if self.baseline == "noisy-linear" else 0.0
        return Editing(self.baseline, self.steps, self.block, self.draws, blur, noise)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """Weights, and what the explainer needs."""
        weights = weights_recipe(entry)
        check_names(entry.required_explainer, entry.datasets["test"])
        own = entry.required_explainer.artefacts(weights, entry.datasets)
        return {"weights": weights, **{EXPLAINER + name: recipe for name, recipe in own.items()}}

    def random_orders(self, entry: Entry) -> RandomOrders:
        """What makes the curves of random orders, the same for all entries of a seed."""
        return RandomOrders(self.editing(), entry.seed)

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The chosen test images."""
        return chosen_cases(entry.datasets["test"], self.images, self.choice)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The maps of the cases, and their curves of random orders."""
        ids, subject = tuple(case.id for case in cases), subject_of(entry)
        asked = entry.required_explainer, self.random_orders(entry)
        return [Request(one, subject, entry.datasets["test"], ids) for one in asked]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image with its curves and those of random orders."""
        test, ids = entry.datasets["test"], [case.id for case in cases]
        subject, orders = subject_of(entry), self.random_orders(entry)
        made = bench.explanations(entry.required_explainer, subject, test, ids)
        maps = cast("Sequence[SaliencyMap]", made)
        random = cast("Sequence[RandomCurves]", bench.explanations(orders, subject, test, ids))
        pixels = test.batch(ids).images
        with bench.stage("flip"):
            images = [
                self._image_curves(entry, of_image, artefacts, bench)
                for of_image in map(Flipped, cases, maps, random, pixels)
            ]
        return rows_table(images, self.steps + 1)

    def _image_curves(
        self,
        entry: Entry,
        flipped: Flipped,
        artefacts: Artefacts,
        bench: Bench,
    ) -> ImageCurves:
        """The curves of one image; NaN where its map has values that are no numbers."""
        case, saliency_map, curves, image = flipped
        check_size(saliency_map, image, case)
        value = Value.of(saliency_map)
        random = value.random(curves)
        own = torch.full_like(random, torch.nan)
        saliency = saliency_map.at_image_size()
        if torch.isfinite(saliency).all():
            network = bench.network(entry.classifier, artefacts["weights"])
            edited = EditedImage(image.to(bench.device), case.id, entry.seed)
            predict = value.predicted(network, case.id)
            own = self.editing().curves(predict, edited, saliency, bench.batch_size)
        against = NONE if value.against is None else value.against
        return ImageCurves(case, value.label, against, own.numpy(), random.numpy())

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """The symmetric gain, deletion and insertion, in probability and in logits."""
        return {label: case_scores(table) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Mean curves of deletion and insertion, in probability and in logits."""
        from xbench_saliency.flipping.figures import figures

        return figures(rows, roles, resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many images have no map of numbers."""
        return {label: table_notes(table) for label, table in rows.items()}


def check_size(saliency_map: SaliencyMap, image: Float[Tensor, "3 h w"], case: Case) -> None:
    """Raise `MismatchError` for a map of an image of another size."""
    size = (image.shape[1], image.shape[2])
    if saliency_map.size != size:
        theirs, ours = ("×".join(map(str, sides)) for sides in (saliency_map.size, size))
        raise MismatchError(
            f"the map of {case} is of an image of {theirs} pixels, and the image has {ours}; "
            "explain the images as the benchmark's transform makes them"
        )
