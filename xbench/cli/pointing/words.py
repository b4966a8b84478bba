"""Words: what others call our options and verbs."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

VALUE = "{}"
"""In what an option stands for: the value that was given to it."""

OPTIONS: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType(
    {
        name: [meant.split() for meant in ways]
        for names, *ways in (
            ("model network net arch architecture backbone cnn", "--classifier {}"),
            ("method methods explanation algorithm attribution xai", "--explainer {}"),
            ("task bench experiment config protocol", "--benchmark {}"),
            ("data dataset-name", "--dataset {}"),
            ("data-root data-dir root", "-p dataset.root={}"),
            ("output output-dir outdir out-dir save save-dir o out", "--out {}", "--report {}"),
            ("epochs num-epochs e", "-p training.epochs={}"),
            ("lr learning-rate", "-p training.learning_rate={}"),
            ("optimizer optimiser", "-p training.optimiser={}"),
            ("weights checkpoint ckpt", "--weights {}", "-p classifier.weights={}"),
            ("layer", "-p classifier.layer={}"),
            ("batch bs batchsize", "--batch-size {}"),
            ("images num-images samples num-samples n max-images", "--limit {}"),
            ("runs n-repeats num-repeats", "--repeats {}"),
            ("random-seed random-state", "--seed {}"),
            ("cache cache-dir results results-dir", "--store {}"),
            ("workers jobs num-workers j", "-p executor=processes:{}"),
            ("executor", "-p executor={}"),
            ("param parameter set", "-p {}"),
            ("gpu cuda", "--device cuda"),
            ("cpu", "--device cpu"),
            ("plan what-if", "--dry-run"),
            ("pretrained", "-p classifier.weights=library"),
            ("silent", "--quiet"),
        )
        for name in names.split()
    }
)
"""For each name of an option the ways in which we write it; the first that a command has."""
VERBS: Mapping[str, str] = MappingProxyType(
    {
        name: verb
        for verb, names in {
            "run": "evaluate eval bench benchmark test execute start experiment",
            "train": "fit training learn",
            "explain": "explanation attribute saliency heatmap visualise visualize predict",
            "list": "ls components datasets benchmarks explainers classifiers methods",
            "show": "info describe inspect view",
            "submit": "submission upload",
            "leaderboard": "board rank ranking ranks",
            "data": "download dataset get fetch",
            "store": "cache gc clean",
            "plugins": "plugin new extend",
        }.items()
        for name in names.split()
    }
)
"""For what others call a verb, the verb."""
