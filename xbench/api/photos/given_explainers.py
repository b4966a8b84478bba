"""Explainers as people give them, and what these need where no dataset is."""

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar

from torch import Tensor

from xbench.api.photos.given_networks import LoadedClassifier
from xbench.components.specification import Builder
from xbench.errors import MismatchError, ParameterError, UnknownNameError, UsageError, XbenchError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree
from xbench.interfaces.explanation import Explainer
from xbench.interfaces.recipe import ClassifierWeights, Recipe
from xbench.interfaces.workplace import Workplace
from xbench.training.recipe import stored_state


def given_explainers(given: Any, builder: Builder) -> list[Explainer]:
    """The explainers that are meant: names, tables, components, what can be adapted, or a list."""
    if isinstance(given, (list, tuple)):
        explainers = [one for item in given for one in given_explainers(item, builder)]
        if not explainers:
            raise UsageError("no explainer is given; name one, such as 'grad-cam'")
        return explainers
    return [_given_explainer(given, builder)]


def _given_explainer(given: Any, builder: Builder) -> Explainer:
    if isinstance(given, Explainer):
        return given
    if not isinstance(given, (str, dict)):
        return _adapted(given)
    try:
        built: Explainer = builder.build("explainer", given)
    except UnknownNameError:
        if not isinstance(given, str):
            raise
        try:
            return _adapted(given)
        except (XbenchError, ImportError):
            pass
        raise
    return built


def _adapted(given: Any) -> Explainer:
    """What another library made, as an explainer."""
    adapted: Explainer = import_module("xbench.api.captum").as_explainer(given)
    return adapted


def with_field(explainers: Sequence[Explainer], name: str, value: Any) -> list[Explainer]:
    """The explainers, `value` in this field of those that have it; `UsageError` if none has."""
    having = [one for one in explainers if _takes(one, name)]
    if not having:
        names = " and ".join(dict.fromkeys(one.name for one in explainers))
        raise UsageError(f"{names} takes no {name}; leave it out, or take another explainer")
    return [_set(one, name, value) if one in having else one for one in explainers]


def _takes(explainer: Explainer, name: str) -> bool:
    fields = dataclasses.fields(explainer)  # type: ignore[arg-type]
    return any(one.name == name and one.init for one in fields)


def _set(explainer: Explainer, name: str, value: Any) -> Explainer:
    hint = typing.get_type_hints(type(explainer)).get(name, Any)
    if isinstance(value, int) and hint is not Any and int not in (hint, *typing.get_args(hint)):
        raise UsageError(f"{explainer.name} takes no number of a class as its {name}")
    try:
        changed: Explainer = dataclasses.replace(explainer, **{name: value})  # type: ignore[type-var]
    except ValueError as error:
        raise ParameterError(f"{explainer.name}: {error}") from error
    return changed


@dataclass(frozen=True, eq=False)
class NetworkInHand(ClassifierWeights):
    """The weights of a network that somebody holds; they are asked for by few."""

    in_driver: ClassVar[bool] = True

    classifier: LoadedClassifier = field(repr=False)

    @property
    def plan(self) -> None:
        """There is none: nothing is known of a training."""

    def tree(self) -> Tree:
        """What it is called: nothing of it is kept."""
        return {"in hand": self.classifier.name}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The tensors as they are."""
        state: dict[str, Tensor] = {}
        for part in self.classifier.network.parts:
            state |= stored_state(part.state_dict())
        return Artefact(self.key, state, {"classes": len(self.classifier.class_names)})


def artefacts_of(
    explainer: Explainer, classifier: LoadedClassifier, workplace: Workplace
) -> Artefacts:
    """What the explainer needs, made now and kept nowhere; `UsageError` where it needs data."""
    try:
        recipes = explainer.artefacts(NetworkInHand(classifier), {})
    except (KeyError, MismatchError) as error:
        reason = str(error) if isinstance(error, XbenchError) else f"it asks for the {error} images"
        message = f"{explainer.name} needs more than a network and an image: {reason}"
        raise MismatchError(message) from error
    return {name: _built(recipe, workplace) for name, recipe in recipes.items()}


def _built(recipe: Recipe, workplace: Workplace) -> Artefact:
    needs = {name: _built(inner, workplace) for name, inner in recipe.needs().items()}
    return dataclasses.replace(recipe.build(needs, workplace), key=recipe.key)
