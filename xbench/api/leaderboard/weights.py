"""The networks of submissions: whether they are those that a benchmark gives with itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from xbench.api.leaderboard.trees import PARAMETERS, differing, same
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.errors import DatasetError
from xbench.interfaces.classifier import LIBRARY
from xbench.interfaces.component import Tree
from xbench.interfaces.protocol import Entry
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.workplace import Workplace
from xbench.networks.weights import state_hash
from xbench.results.record import Record
from xbench.training.pinned_weights import PinnedWeights
from xbench.training.recipe import TrainedWeights, start_module, stored_state

States = Mapping[str, str]
"""Hashes of weights, by the names under which a protocol declares them."""
NETWORK = ("classifier", "training")
"""What of an entry's components makes a network that is given and not trained."""
FILE = "file "
"""What a record says of weights begins so, where they were read from a file."""


class Looked(NamedTuple):
    """What a look at a record's networks gave."""

    faults: list[str]
    unchecked: bool = False
    """Whether their weights could not be told to be the benchmark's, or others."""


def look_at_weights(
    record: Record, benchmark: Benchmark, workplace: Workplace, *, absent: bool
) -> Looked:
    """Whether the record is of the networks that the benchmark gives, where it gives any.

    `absent` says that images are: what then cannot be told without them is left unchecked.
    """
    given = all(map(is_given, benchmark.lines))
    if given and (faults := list(_faults_of_network(record, benchmark))):
        return Looked(faults)
    faults_of = _faults_of_file if given else _faults_of_reference
    try:
        faults = list(faults_of(record, benchmark, workplace))
    except DatasetError:
        if not absent:
            raise
        return Looked([], given or any(of.weights for of in benchmark.lines))
    return Looked(faults, given and _is_unknown(record, benchmark))


def _is_unknown(record: Record, benchmark: Benchmark) -> bool:
    """Whether weights are a file's, and the benchmark's are the library's: nobody compared them."""
    library = all(of.classifier.weights == LIBRARY for of in benchmark.lines)
    return library and _stated_weights(record) != LIBRARY


def is_given(line: Line) -> bool:
    """Whether the line's network comes with weights that are neither trained nor pinned."""
    own = line.classifier.weights and not line.training.epochs
    return bool(own) and not (line.ensemble or line.weights)


def _faults_of_network(record: Record, benchmark: Benchmark) -> Iterator[str]:
    """Whether a record is of a network that the benchmark gives, its weights aside."""
    theirs = network_of(record.components)
    ours = [network_of(_network(line)) for line in benchmark.lines]
    if not any(same(theirs, of) for of in ours):
        parts = ((dict(_mapping(theirs.get(kind))), ours[0][kind]) for kind in NETWORK)
        first = next(pair for pair in parts if not same(*pair))
        yield f"its network is not the benchmark's ({differing(*first)})"
    stated = _stated_weights(record)
    if stated != LIBRARY and not stated.startswith(FILE):
        yield f"its network has other weights than the benchmark's ({stated!r:.60})"


def _network(line: Line) -> Tree:
    return {"classifier": line.classifier.tree(), "training": line.training.tree()}


def network_of(components: Mapping[str, Any]) -> Tree:
    """What of components makes a network that is not trained, where its weights lie aside."""
    network = {kind: components.get(kind) for kind in NETWORK}
    classifier = dict(_mapping(network["classifier"]))
    parameters = dict(_mapping(classifier.get(PARAMETERS)))
    parameters.pop("weights", None)
    return {**network, "classifier": {**classifier, PARAMETERS: parameters}}


def _stated_weights(record: Record) -> str:
    """What a record says of where its network's weights come from."""
    classifier = _mapping(record.components.get("classifier"))
    return str(_mapping(classifier.get(PARAMETERS)).get("weights"))


def _mapping(tree: Any) -> Mapping[str, Any]:
    """A part of a stranger's tree, of which nothing is sure."""
    return tree if isinstance(tree, Mapping) else {}


def _faults_of_file(record: Record, benchmark: Benchmark, workplace: Workplace) -> Iterator[str]:
    """Whether the weights are those of the file that the benchmark's network has, if it has one."""
    entries = [next(benchmark.entries(line)) for line in benchmark.lines]
    known = [states for of in entries if (states := _states(benchmark, of, workplace))]
    repeats = max(1, len(record.weights))
    if known and not any(_of_states(record, [states] * repeats) for states in known):
        yield "the weights of its network are not those of the file"


def _faults_of_reference(
    record: Record, benchmark: Benchmark, workplace: Workplace
) -> Iterator[str]:
    """Whether the record is of the reference networks, where the benchmark has any."""
    by_line = [_reference_states(benchmark, line, workplace) for line in benchmark.lines]
    if any(by_line):
        if not any(states and _of_states(record, states) for states in by_line):
            yield "its networks are not the benchmark's reference networks (their weights differ)"
        seeds = [benchmark.seed + repeat for repeat in range(benchmark.repeats)]
        if record.seeds != seeds:
            yield f"its seeds are {record.seeds}, not {seeds}"


def matching_line(record: Record, benchmark: Benchmark, workplace: Workplace) -> Line | None:
    """The first line of the benchmark whose own network the record is of, if one has any."""
    for line in benchmark.lines:
        states = _reference_states(benchmark, line, workplace)
        own = states and _of_states(record, states)
        if own or (
            is_given(line) and same(network_of(record.components), network_of(_network(line)))
        ):
            return line
    return None


def _reference_states(benchmark: Benchmark, line: Line, workplace: Workplace) -> tuple[States, ...]:
    """The hashes of a line's pinned weights, of each repeat; () for one that has none."""
    if line.ensemble or not line.weights:
        return ()
    repeats = tuple(_states(benchmark, entry, workplace) for entry in benchmark.entries(line))
    return repeats if all(repeats) else ()


def _states(benchmark: Benchmark, entry: Entry, workplace: Workplace) -> States:
    recipes = benchmark.protocol.artefacts(entry)
    states = {name: _state(of, workplace) for name, of in recipes.items()}
    return {name: state for name, state in states.items() if state}


def _state(recipe: Recipe, workplace: Workplace) -> str:
    """The hash of weights that lie in a file; "" for what is trained, or is no network."""
    if isinstance(recipe, PinnedWeights):
        return str(recipe.build({}, workplace).facts["state"])
    if not isinstance(recipe, TrainedWeights) or recipe.plan.training.epochs:
        return ""
    if recipe.plan.classifier.weights in ("", LIBRARY):
        return ""
    return state_hash(stored_state(start_module(recipe.plan).state_dict()))


def _of_states(record: Record, repeats: Sequence[States]) -> bool:
    """Whether all repeats of a record are of these weights."""
    if len(record.weights) != len(repeats):
        return False
    stated = [{weights.name: weights.state for weights in of} for of in record.weights]
    pairs = zip(stated, repeats, strict=True)
    return all(of.get(name) == state for of, states in pairs for name, state in states.items())
