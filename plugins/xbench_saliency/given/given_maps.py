"""Maps that were made elsewhere, in the place of an explainer's."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Generator

from xbench import (
    Artefacts,
    Batch,
    Explainer,
    Given,
    MismatchError,
    Network,
    ParameterError,
    Tree,
    content_hash,
    location,
)
from xbench_saliency.given.maps_file import MapsFile, check_maps, read_maps
from xbench_saliency.maps.saliency_map import SaliencyMap


@dataclass(frozen=True)
class GivenMaps(Explainer):
    """Maps of one network's answers, read from a file: `xbench score` makes it.

    The network is asked for the probability of each map's class, and for nothing else.
    """

    name: ClassVar[str] = "given-maps"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    kept: ClassVar[bool] = False

    file: str = location()
    """An `.npz` file of `maps`, `ids` and `classes`."""

    def parameters(self) -> Tree:
        """What the file holds, never where it lies.

        A file that holds no maps is refused here, before anything is made for them.
        """
        content = content_hash(self.file)
        if content:
            check_maps(Path(self.file), content)
        return {"maps": content}

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """The file's maps of these images; `MismatchError` where it has none of one."""
        if not batch.ids:
            return []
        path = Path(self.file)
        file = read_maps(path, content_hash(self.file))
        missing = [image for image in batch.ids if image not in file.places]
        if missing:
            raise MismatchError(
                f"{path} has no map of image {missing[0]}; a benchmark's images are those of "
                "`xbench.load_benchmark(NAME)`, or choose fewer with --limit"
            )
        shares = network.logits(batch.images, batch.ids).double().softmax(1).cpu()
        places = [file.places[image] for image in batch.ids]
        size = (batch.images.shape[-2], batch.images.shape[-1])
        return [
            self._map(file, place, of_image, size)
            for place, of_image in zip(places, shares, strict=True)
        ]

    def _map(
        self, file: MapsFile, place: int, shares: torch.Tensor, size: tuple[int, int]
    ) -> SaliencyMap:
        label = self._known(int(file.classes[place]), "classes", place, len(shares))
        against = -1 if file.against is None else int(file.against[place])
        if against != -1:
            self._known(against, "against", place, len(shares))
        values = torch.from_numpy(file.maps[place].copy())
        other = None if against == -1 else against
        return SaliencyMap(values, label, float(shares[label]), size, against=other)

    def _known(self, label: int, array: str, place: int, classes: int) -> int:
        if not 0 <= label < classes:
            raise ParameterError(
                f"{self.file}: {array}[{place}] is {label}, and the network has the classes 0 to "
                f"{classes - 1}"
            )
        return label
