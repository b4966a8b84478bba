"""The explicability protocol: whose mistakes are nearest to the truth."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from xbench import (
    Annotation,
    Artefacts,
    Batch,
    Bench,
    Case,
    CaseScores,
    ClassHierarchy,
    Dataset,
    Drawing,
    Entry,
    EvaluatedSet,
    Explanation,
    ImageSet,
    Loss,
    Protocol,
    Recipe,
    Request,
    Resampling,
    Role,
    Rows,
    Similarity,
    SplitPredictions,
    Tree,
    cases_by_role,
    evaluated_sets,
    location,
    networks_of,
    shared_cases,
)
from xbench.kernels import pooled_logits
from xbench_explicable.protocol.evaluated_loss import image_losses, refuse_mixing
from xbench_explicable.protocol.rows import Answers, answer_rows, loss_labels
from xbench_explicable.protocol.summary import notes_by_label, scores_by_label
from xbench_explicable.protocol.yardstick import (
    DistanceTree,
    OptionalHierarchy,
    Yardstick,
    short_hash,
    yardstick,
)
from xbench_explicable.similarities.class_tree import refuse_unread


@dataclass(frozen=True)
class Explicability(Protocol):
    """Compares classifiers on the images that all of them get wrong.

    Section 5 of the paper: with D the row-normalised similarity, an image that all get wrong
    gives a point to the one classifier whose class is nearest to the true one (hard), or 1/n
    to each of the n that are (soft). A case is an image of any test set: those of the role
    `test` first, then those of further sets by name; their classes are matched by name.
    """

    name: ClassVar[str] = "explicability"
    scores: ClassVar[type[Explanation] | None] = None
    relative: ClassVar[bool] = True
    trains: ClassVar[bool] = True
    shard_size: ClassVar[int] = 500
    example: ClassVar = MappingProxyType({"similarity": "hierarchy"})

    similarity: Similarity
    """D, of the classes that networks are trained for."""
    hierarchy: OptionalHierarchy = ""
    """The tree in which distances are measured: the dataset's own, or WordNet's."""
    losses: tuple[Loss, ...] = ()
    """Losses that every classifier is evaluated with, for the appendix's table."""
    synsets: str = location("")
    """A table of class,synset for classes whose names do not tell which noun is meant."""
    wordnet: str = location("")
    """The folder of a full WordNet 3.0 in place of the bundled nouns."""

    def __post_init__(self) -> None:
        """Refuse files that would not be read."""
        refuse_unread(self.hierarchy, self.synsets, self.wordnet)

    def parameters(self) -> Tree:
        """The fields, and what is in the files that WordNet's tree is made of."""
        return {**super().parameters(), **self._distance_tree().digests()}

    def needs(self) -> tuple[type[Annotation], ...]:
        """A class hierarchy where distances are measured in the dataset's own."""
        return (ClassHierarchy,) if self.hierarchy == "dataset" else ()

    def terms(self) -> Mapping[str, str]:
        """What decides: how often networks are right, and how near they are where all are wrong."""
        return {
            "accuracy": "the share of images whose class the network gets right.",
            "common mistakes": "the images that every compared network gets wrong.",
            "similarity of common mistakes": "how near the class that the network says is to "
            "the true one; more is nearer.",
            "@": "what follows it is the set of test images.",
        }

    def edition(self, entry: Entry) -> str:
        """A hash of D."""
        return short_hash(self.yardstick(entry.datasets["train"].dataset).matrix)

    def yardstick(self, dataset: Dataset) -> Yardstick:
        """D and what follows from it, for the classes of the dataset that is trained with."""
        return yardstick(self.similarity, self._distance_tree(), dataset)

    def _distance_tree(self) -> DistanceTree:
        return DistanceTree(self.hierarchy, self.synsets, self.wordnet)

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        """The trained weights, of all members of an ensemble."""
        train = entry.datasets["train"]
        self.yardstick(train.dataset)
        for evaluated, loss in itertools.product(evaluated_sets(entry), self.losses):
            # what people said of training images says nothing of others
            images = evaluated.images if loss.of_images else train
            loss.check(images)
            refuse_mixing(loss, images)
        return {network.artefact: network.subject.weights for network in networks_of(entry)}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        """The images of all test sets."""
        sets = evaluated_sets(entry)
        return [Case(evaluated.name, image) for evaluated in sets for image in evaluated.ids]

    def limited(self, entry: Entry, cases: Sequence[Case], limit: int) -> Sequence[Case]:
        """The first images of each test set, of each as many where it has so many."""
        return shared_cases(cases, limit)

    def requests(self, entry: Entry, cases: Sequence[Case]) -> Iterator[Request]:
        """What each network says of the cases of each set, one network after the other."""
        by_role, sets = cases_by_role(cases), evaluated_sets(entry)
        for network in networks_of(entry):
            for evaluated in sets:
                ids = tuple(case.id for case in by_role.get(evaluated.name, []))
                yield Request(None, network.subject, evaluated.images, ids)

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        """One row per image; an ensemble answers with the mean of its members' probabilities."""
        import pyarrow as pa

        yardstick, tables = self.yardstick(entry.datasets["train"].dataset), []
        by_role, sets = cases_by_role(cases), evaluated_sets(entry)
        asked = self.requests(entry, cases)
        logits = [bench.predictions(of.subject, of.images, of.ids) for of in asked]
        for place, evaluated in enumerate(sets):
            own_cases = by_role.get(evaluated.name, [])
            pooled = pooled_logits(torch.stack(logits[place :: len(sets)]))
            for start in range(0, len(own_cases), bench.batch_size):
                some = slice(start, start + bench.batch_size)
                answers = self._answers(entry, evaluated, own_cases[some], pooled[some])
                tables.append(answer_rows(answers, yardstick))
        return pa.concat_tables(tables).unify_dictionaries()

    def _answers(
        self,
        entry: Entry,
        evaluated: EvaluatedSet,
        cases: Sequence[Case],
        logits: Float32[Tensor, "n classes"],
    ) -> Answers:
        ids = [case.id for case in cases]
        labels = evaluated.labels[evaluated.images.dataset.labels(ids)]
        probabilities = logits.double().softmax(1)
        predicted, places = logits.argmax(1), torch.arange(len(labels))
        return Answers(
            set=evaluated.name,
            repeat=entry.repeat,
            cases=cases,
            images=np.array(ids, np.int64),
            labels=labels.numpy(),
            predicted=predicted.numpy(),
            probability=probabilities[places, predicted].numpy(),
            true_probability=probabilities[places, labels].numpy(),
            losses=self._losses(entry, evaluated, ids, logits),
            labels_needed=labels_needed(entry),
        )

    def _losses(
        self,
        entry: Entry,
        evaluated: EvaluatedSet,
        ids: Sequence[int],
        logits: Float32[Tensor, "n classes"],
    ) -> dict[str, Float64[np.ndarray, " n"]]:
        """Each of the losses of the images, which are read for them alone."""
        if not self.losses:
            return {}
        own, seed = evaluated.images.batch(ids), entry.seed
        named, places = _relabelled(own, entry, evaluated), evaluated.labels
        return {
            label: image_losses(loss, own, logits, seed, places)
            if loss.of_images
            else image_losses(loss, named, logits, seed)
            for label, loss in zip(loss_labels(self.losses), self.losses, strict=True)
        }

    def for_predictions(self) -> "Explicability":
        """Without losses, which need more than predictions."""
        return replace(self, losses=())

    def predicted_rows(self, images: ImageSet, predictions: SplitPredictions) -> Rows:
        """One row per image."""
        ids = images.ids()
        answers = Answers(
            set=images.split,
            repeat=0,
            cases=[Case("test", image) for image in ids],
            images=np.array(ids, np.int64),
            labels=predictions.labels,
            predicted=predictions.predicted,
            probability=predictions.probability,
            true_probability=predictions.true_probability,
            losses={},
            labels_needed=0,
        )
        return answer_rows(answers, self.yardstick(images.dataset))

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        """Per test set accuracy, hard and soft scores, similarity and distance of mistakes."""
        return scores_by_label(rows, loss_labels(self.losses))

    def notes(self, rows: Mapping[str, Rows]) -> Mapping[str, Tree]:
        """How many images all get wrong, counts of points, and how pairs of entries compare."""
        return notes_by_label(rows)

    def figures(
        self,
        rows: Mapping[str, Sequence[Rows]],
        roles: Mapping[str, Role],
        resampling: Resampling,
    ) -> Mapping[str, Drawing]:
        """Points by set, pairs of entries, losses, and confusions."""
        from xbench_explicable.pictures.figures import figures

        return figures(rows, roles, loss_labels(self.losses), resampling)

    def pictures(
        self,
        entries: Mapping[str, Entry],
        rows: Mapping[str, Rows],
        artefacts: Mapping[str, Artefacts],
        bench: Bench,
    ) -> Mapping[str, Drawing]:
        """Mistakes of the first two entries, and where both look, as Figures 3 and 4 have it."""
        from xbench_explicable.pictures.gallery import gallery
        from xbench_explicable.pictures.side_by_side import side_by_side

        alone = {label: entry for label, entry in entries.items() if not entry.members}
        labels = [label for label, entry in alone.items() if entry.role == "entry"]
        if len(labels) < 2:
            return {}
        a, b = labels[:2]
        return {
            "mistakes": gallery(entries, rows, a=a, b=b),
            "where-they-look": side_by_side(entries, rows, bench, a=a, b=b),
        }


def labels_needed(entry: Entry) -> int:
    """Human judgements that the entry's loss, or a member's, takes beyond labels.

    Those of its similarity, if it has one.
    """
    if entry.members:
        return max(labels_needed(member) for member in entry.members)
    similarity = getattr(entry.loss, "similarity", None)
    dataset = entry.datasets["train"].dataset
    return similarity.labels_needed(dataset) if isinstance(similarity, Similarity) else 0


def _relabelled(batch: Batch, entry: Entry, evaluated: EvaluatedSet) -> Batch:
    """The batch with the training dataset's labels, which losses know the classes of."""
    training_set = entry.datasets["train"]
    source = evaluated.images if evaluated.images.dataset == training_set.dataset else training_set
    return Batch(batch.images, batch.ids, evaluated.labels[batch.known_labels()], source)
