"""Maps of the classes that other maps speak for."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from xbench import Bench, Explainer, ImageSet, MismatchError, Subject
from xbench_saliency.maps.saliency_map import SaliencyMap


def maps_of_same_classes(
    explainer: Explainer,
    subject: Subject,
    images: ImageSet,
    ids: Sequence[int],
    like: Sequence[SaliencyMap],
    bench: Bench,
) -> list[SaliencyMap]:
    """One map for each image, of the class that the map in `like` speaks for, and against which.

    Else a network with other weights would be explained for the class that *it* predicts.
    """
    asked: dict[Explainer, list[int]] = defaultdict(list)
    for image, own in zip(ids, like, strict=True):
        asked[for_class(explainer, own)].append(image)
    maps: dict[int, SaliencyMap] = {}
    for fixed, some in asked.items():
        made = cast("Sequence[SaliencyMap]", bench.explanations(fixed, subject, images, some))
        maps |= dict(zip(some, made, strict=True))
    return [maps[image] for image in ids]


def for_class(explainer: Explainer, like: SaliencyMap) -> Explainer:
    """The explainer, explaining the class of a map and what that is contrasted with."""
    fixed = {"target": like.label} if like.against is None else _contrast(like)
    return dataclasses.replace(explainer, **fixed)  # type: ignore[type-var]


def _contrast(like: SaliencyMap) -> dict[str, int | None]:
    return {"target": like.label, "against": like.against}


def check_has_target(explainer: Explainer) -> None:
    """`MismatchError` for an explainer that cannot be told which class to explain."""
    if "target" not in {field.name for field in dataclasses.fields(explainer)}:  # type: ignore[arg-type]
        raise MismatchError(
            f"explainer {explainer.name!r} has no field `target`: a randomised network would be "
            "explained for another class than the trained one. Leave it out, or give its class a "
            "field `target` that takes the number of a class"
        )
