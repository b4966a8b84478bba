"""The attack protocol: how small a change of an image makes a classifier err."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch

from xbench import (
    Annotation,
    Artefacts,
    Bench,
    Case,
    CaseScores,
    Drawing,
    Entry,
    Explanation,
    MismatchError,
    Protocol,
    Recipe,
    Resampling,
    Role,
    Rows,
    Tree,
)
from xbench_softlabels.attack.networks import Attacked
from xbench_softlabels.attack.outcome import Outcome, Strength, attacked
from xbench_softlabels.attack.passes import passes
from xbench_softlabels.attack.radii import check_radii
from xbench_softlabels.attack.rows import by_case, rows_table
from xbench_softlabels.attack.summary import WITHSTOOD, case_scores, table_notes
from xbench_softlabels.folds.fold_networks import (
    FoldNetworks,
    cases_by_fold,
    check_folds,
    fold_networks,
)

MOST_STEPS = 1000


@dataclass(frozen=True)
class Attack(Protocol):
    """What is left of a classifier's answers under attacks that know it: FGSM and PGD, in ℓ∞.

    Section 7 of "Human uncertainty makes classification more robust" (Peterson et al. 2019), and
    smaller radii. Attacks raise the cross-entropy to the hard label. A case is a test image. An
    ensemble is attacked as a whole: through the mean of its members' probabilities.
    """

    name: ClassVar[str] = "attack"
    scores: ClassVar[type[Explanation] | None] = None

    images: int = 1000
    """How many test images, evenly spread over the test set; 0 for all."""
    radii: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    """How far each pixel may go, in 255ths of its range, rising."""
    pgd_radii: tuple[float, ...] = ()
    """At which of them PGD is made, which takes most of the time; () for all."""
    steps: int = 10
    """Of PGD."""
    rate: float = 2.5
    """A step of PGD goes this times radius / steps."""
    restarts: int = 1
    """From how many random starts PGD is made; the worst counts."""
    folds: int = 0
    """In how many folds of `test` networks are trained, so that each image meets one that did not
    see it; 0 for the entries' own networks."""
    fold_seed: int = 0
    first_folds: int = 0
    """Of how many of the folds networks are trained; 0 for all."""
    meets: Literal["held-out", "every"] = "held-out"
    """Which of the folds' networks an image meets: the one that it was held out from, or every
    one, most of which were trained on it, as in the paper; scores are then means over networks."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers, and radii of another scale."""
        check_folds(self.folds, self.first_folds)
        check_radii(self.radii, "radii")
        if self.pgd_radii and not set(self.pgd_radii) <= set(self.radii):
            raise ValueError(
                f"pgd_radii should be among radii ({', '.join(f'{r:g}' for r in self.radii)}), "
                f"got {', '.join(f'{r:g}' for r in self.pgd_radii)}"
            )
        if self.images < 0 or self.restarts < 1 or not 1 <= self.steps <= MOST_STEPS:
            raise ValueError(
                f"images must be at least 0, restarts at least 1 and steps from 1 to {MOST_STEPS}, "
                f"not {self.images}, {self.restarts} and {self.steps}"
            )
        if not math.isfinite(self.rate) or self.rate <= 0:
            raise ValueError(f"rate must be above 0, got {self.rate:g}")

    def terms(self) -> Mapping[str, str]:
        """What an attack is, and what its scores answer."""
        return {
            "attack": "a change of every pixel by at most so many 255ths, made by someone who "
            "knows the network.",
            "FGSM": "one step along the sign of the gradient, as far as it may go.",
            "PGD": f"{self.steps} smaller steps, from {self.restarts} random start"
            f"{'s' * (self.restarts > 1)}; the worst of all images on the way counts.",
            WITHSTOOD: "the share of images that the network still gets right under PGD, averaged "
            "over the radii; being less sure alone does not change it much.",
            "@": "what follows is an attack and its radius in 255ths; `clean` is none.",
            "cross-entropy": "to the hard labels; a network that is merely less sure has less of "
            "it under an attack, so compare with one whose temperature was fitted.",
        }

    @property
    def strength(self) -> Strength:
        """Radii, steps and restarts; PGD's radii in the order of all."""
        climbed = [radius for radius in self.radii if radius in (self.pgd_radii or self.radii)]
        return Strength(self.radii, climbed, self.steps, self.rate, self.restarts)

    def needs(self) -> tuple[type[Annotation], ...]:
        """Nothing but labels."""
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The weights, of all members of an ensemble; `MismatchError` for other classes."""
        own, test = (entry.datasets[role].dataset.class_names() for role in ("train", "test"))
        if own != test:
            raise MismatchError(
                f"the test set has the classes {', '.join(test[:5])}{', …' * (len(test) > 5)}, and "
                f"networks are trained for {', '.join(own[:5])}{', …' * (len(own) > 5)}; attacks "
                "need a test set of the same classes in the same order"
            )
        networks = [network for fold in self._folds(entry) for network in fold.networks]
        return {network.artefact: network.subject.weights for network in networks}

    def _folds(self, entry: Entry) -> tuple[FoldNetworks, ...]:
        return fold_networks(entry, self.folds, self.fold_seed, self.first_folds)

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The chosen test images: fold by fold, where each meets the network of its own."""
        folds = self._met(entry)
        held_out = {image for ids in folds for image in ids}
        ids = [image for image in entry.datasets["test"].ids() if image in held_out]
        count = min(self.images or len(ids), len(ids))
        chosen = {ids[place * len(ids) // count] for place in range(count)}
        return [Case("test", image) for own in folds for image in own if image in chosen]

    def _met(self, entry: Entry) -> list[tuple[int, ...]]:
        """The images that meet the same networks."""
        if self.meets == "every":
            return [tuple(entry.datasets["test"].ids())]
        return [tuple(fold.images.ids()) for fold in self._folds(entry)]

    def _meetings(
        self, entry: Entry, cases: Sequence[Case]
    ) -> Iterator[tuple[FoldNetworks, list[Case]]]:
        """Networks, with the cases that meet them; networks of several folds come once."""
        folds = self._folds(entry)
        if self.meets == "held-out":
            yield from cases_by_fold(folds, cases)
            return
        for fold in {fold.networks[0].artefact: fold for fold in folds}.values():
            yield fold._replace(images=entry.datasets["test"]), list(cases)

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image and network that it meets: its losses under each attack, along PGD."""
        outcomes: list[tuple[Outcome, int]] = []
        attacked_cases: list[Case] = []
        with bench.stage("attack"):
            for fold, own in self._meetings(entry, cases):
                outcomes += self._outcomes(entry, fold, own, artefacts, bench)
                attacked_cases += own
        return by_case(rows_table(attacked_cases, outcomes, self.strength), cases)

    def _outcomes(
        self,
        entry: Entry,
        fold: FoldNetworks,
        cases: Sequence[Case],
        artefacts: Artefacts,
        bench: Bench,
    ) -> Iterator[tuple[Outcome, int]]:
        """What becomes of a fold's images, pass by pass, and of how many in each."""
        networks = [
            bench.network(of.subject.classifier, artefacts[of.artefact]) for of in fold.networks
        ]
        ids, device = [case.id for case in cases], torch.device(bench.device)
        for images in passes(fold.images, networks[0].classes, ids, device):
            answers = Attacked(networks, images.ids)
            yield attacked(answers, images, self.strength, entry.seed), images.count

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Accuracy and cross-entropy: without an attack, and under each at each radius."""
        return {label: case_scores(table, self.strength) for label, table in rows.items()}

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Accuracy and loss against the radius, and loss against the step of PGD."""
        from xbench_softlabels.attack.figures import figures

        return figures(rows, roles, self.strength, resampling)

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many images there are, and in how many gradients fail in single precision."""
        return {label: table_notes(table) for label, table in rows.items()}
