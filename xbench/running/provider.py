"""Artefacts: from memory, from the store, or made now from their recipes."""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import replace

from xbench.interfaces.artefact import Artefact
from xbench.interfaces.component import Tree
from xbench.interfaces.recipe import Recipe
from xbench.running.storage.store import Store
from xbench.running.storage.stored_tensors import StoredTensors
from xbench.running.versions import made_again
from xbench.running.workplace import LocalWorkplace

MOST = 64
"""Artefacts that are remembered; the store gives the others again."""


class Provider:
    """Gives artefacts; what it makes lies in the store."""

    def __init__(self, store: Store, workplace: LocalWorkplace) -> None:
        self.store = store
        self.workplace = workplace
        self._remembered: OrderedDict[str, Artefact] = OrderedDict()
        self._keys: dict[Recipe, str] = {}
        self._said: set[str] = set()
        store.files.say = self.say_once

    def say_once(self, line: str) -> None:
        """Say a line, unless there is none or it was said."""
        if line and line not in self._said:
            self.workplace.progress.say(line)
            self._said.add(line)

    def all(self, recipes: Mapping[str, Recipe]) -> dict[str, Artefact]:
        """The artefacts of named recipes, by the same names."""
        return {name: self.one(recipe) for name, recipe in recipes.items()}

    def one(self, recipe: Recipe) -> Artefact:
        """The artefact of one recipe; its tensors are read from the store when they are touched."""
        key = self.key(recipe)
        artefact = self._remembered.pop(key, None) or self.stored(recipe.kind, key)
        self._remembered[key] = artefact or self.make(recipe, key)
        while len(self._remembered) > MOST:
            self._remembered.popitem(last=False)
        return self._remembered[key]

    def key(self, recipe: Recipe) -> str:
        """The recipe's key, worked out once: components do not change while a run does."""
        try:
            known = self._keys.get(recipe)
        except TypeError:  # a field that cannot be hashed
            return recipe.key
        if known is None:
            known = self._keys[recipe] = recipe.key
        return known

    def stored(self, kind: str, key: str) -> Artefact | None:
        """The artefact that the store has, if it has one that is whole."""
        return self.store.artefact(kind, key)

    def release(self, but: Collection[str] = ()) -> None:
        """Let go of tensors, those of some keys aside; the store gives them again."""
        for key, artefact in self._remembered.items():
            if key not in but and isinstance(artefact.tensors, StoredTensors):
                artefact.tensors.drop()

    def make(self, recipe: Recipe, key: str) -> Artefact:
        """Make an artefact and put it into the store, whether there is one or not."""
        needs, tree = self.all(recipe.needs()), recipe.tree()
        self._say_of_others(recipe, key, tree)
        before = self.workplace.seconds["build"]
        with self.workplace.stage("build"):
            built = recipe.build(needs, self.workplace)
        seconds = self.workplace.seconds["build"] - before
        facts = {
            "seconds": seconds,
            "threads": self.workplace.threads(),
            **built.facts,
            "kind": recipe.kind,
        }
        return self.store.put_artefact(recipe.kind, replace(built, key=key, facts=facts), tree)

    def _say_of_others(self, recipe: Recipe, key: str, tree: Tree) -> None:
        """Say if the same recipe was made under other versions, so that nobody wonders."""
        kin = self.store.artefact_kin(recipe.kind, key)
        self.say_once(made_again(recipe.kind, tree, kin))
