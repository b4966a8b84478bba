"""Floors: insecurities whose regions, or whose pairs, know nothing of the network's reasons."""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Given, MismatchError, Network, Role, per_image
from xbench.kernels import centre_map, on_grid, sobel_magnitude
from xbench_deliberative.explanations.insecurities import Insecurities

Noise = Literal["smooth", "pixels"]


@dataclass(frozen=True)
class SamePairs(Explainer):
    """Takes the class pairs of another explainer; what it makes of regions is its own."""

    makes: ClassVar[type[Insecurities]] = Insecurities
    role: ClassVar[Role] = "floor"

    of: Explainer


@dataclass(frozen=True)
class RandomRegion(SamePairs):
    """The pairs of another explainer, each with a random region of its own."""

    name: ClassVar[str] = "random-region"

    noise: Noise = "smooth"
    """`smooth`: noise on the grid of the other's maps, upsampled as they are; `pixels`:
    noise at every pixel."""

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The other's insecurities with uniform noise in place of their maps."""
        insecurities = []
        insecurities_of_images = given_insecurities(self, self.of, given)
        for image, others in zip(batch.ids, insecurities_of_images, strict=True):
            grid = others.size if self.noise == "pixels" else tuple(others.ambiguity_maps.shape[1:])
            noise = torch.rand(len(others), *grid, generator=per_image(generator, image))
            insecurities.append(with_maps(others, noise))
        return insecurities


@dataclass(frozen=True)
class CentrePrior(SamePairs):
    """The pairs of another explainer, all with the discs around the image's centre."""

    name: ClassVar[str] = "centre-prior"

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The other's insecurities with closeness to the centre in place of their maps."""
        return [
            with_maps(of_image, centre_map(*of_image.size).expand(len(of_image), -1, -1))
            for of_image in given_insecurities(self, self.of, given)
        ]


@dataclass(frozen=True)
class EdgeDetector(SamePairs):
    """The pairs of another explainer, all with the image's strongest edges."""

    name: ClassVar[str] = "edge-detector"
    version: ClassVar[str] = "2"

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The other's insecurities with the Sobel magnitude in place of their maps."""
        others = given_insecurities(self, self.of, given)
        edges = sobel_magnitude(batch.images).cpu()
        return [
            with_maps(of_image, edge.expand(len(of_image), -1, -1))
            for of_image, edge in zip(others, edges, strict=True)
        ]


@dataclass(frozen=True)
class RandomPair(Explainer):
    """Random insecurities: random pairs of all classes, each with a random region."""

    name: ClassVar[str] = "random-pair"
    makes: ClassVar[type[Insecurities]] = Insecurities
    role: ClassVar[Role] = "floor"
    needs_cut: ClassVar[bool] = True

    pairs: int = 10
    """How many different pairs an image gets, as far as there are so many."""

    def __post_init__(self) -> None:
        """Refuse explanations without pairs."""
        if self.pairs < 1:
            raise ValueError(f"pairs must be at least 1, not {self.pairs}")

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """Different pairs drawn uniformly; smooth noise on the grid of the activations."""
        grid, size = _grid(network, network.activations(batch.images[:1])), _size(batch)
        every = torch.triu_indices(network.classes, network.classes, offset=1).T
        insecurities = []
        for image in batch.ids:
            source = per_image(generator, image)
            pairs = every[torch.randperm(len(every), generator=source)[: self.pairs]]
            noise = torch.rand(len(pairs), *grid, generator=source)
            insecurities.append(Insecurities(noise, pairs, _equal_strengths(len(pairs)), size))
        return insecurities


@dataclass(frozen=True)
class MostProbable(Explainer):
    """One insecurity: the two most probable classes with a random region."""

    name: ClassVar[str] = "most-probable"
    makes: ClassVar[type[Insecurities]] = Insecurities
    role: ClassVar[Role] = "floor"
    needs_cut: ClassVar[bool] = True

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The classes of the two largest logits; smooth noise on the grid of the activations."""
        with torch.no_grad():
            activations = network.activations(batch.images)
            logits = network.checked(network.top(activations), batch.ids).cpu()
        pairs = logits.sort(dim=1, descending=True, stable=True).indices[:, :2].sort(1).values
        grid, size = _grid(network, activations), _size(batch)
        return [
            Insecurities(
                torch.rand(1, *grid, generator=per_image(generator, image)),
                pair[None],
                _equal_strengths(1),
                size,
            )
            for image, pair in zip(batch.ids, pairs, strict=True)
        ]


def with_maps(given: Insecurities, maps: Float[Tensor, "q h w"]) -> Insecurities:
    """The same pairs in the same order with other maps."""
    return Insecurities(maps, given.pairs, given.strengths, given.size)


def given_insecurities(explainer: Explainer, of: Explainer, given: Given) -> list[Insecurities]:
    """What the explainer in the field `of` made, or `MismatchError` if it makes something else."""
    if not issubclass(of.makes, Insecurities):
        raise MismatchError(
            f"explainer {of.name!r} makes {of.makes.name}, but explainer {explainer.name!r} "
            "needs its pairs: give one that makes insecurities as `of`"
        )
    return cast("list[Insecurities]", list(given["of"]))


def _grid(network: Network, activations: Tensor) -> tuple[int, int]:
    height, width = on_grid(activations, network.extra_rows).shape[-2:]
    return height, width


def _size(batch: Batch) -> tuple[int, int]:
    height, width = batch.images.shape[-2:]
    return height, width


def _equal_strengths(count: int) -> Float64[Tensor, " q"]:
    return torch.ones(count, dtype=torch.float64)
