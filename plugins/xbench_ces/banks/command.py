"""`xbench concepts`: learn, import, list and show concept banks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench import ParameterError, UsageError
from xbench.commands import CHOICE, OUTPUT, WORK, Session, session_options

if TYPE_CHECKING:
    from xbench import Artefact, Dataset, Entry, Recipe, Store
    from xbench_ces.banks.bank import ConceptBank

KIND = "concept-bank"
STORE = (WORK[0],)
THRESHOLD = click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.7,
    show_default=True,
    help="The held-out accuracy from which on a concept counts as learned.",
)

OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the bank here (.safetensors).",
)


@click.group("concepts")
def command() -> None:
    """Learn, import, list and show banks of concepts."""


@command.command("learn")
@session_options(CHOICE, WORK, OUTPUT)
@click.option(
    "--concepts",
    "specifications",
    multiple=True,
    metavar="DATASET",
    help="Where concepts are learned from, such as concept-folder:FOLDER; may be repeated. "
    "The benchmark's own dataset where nothing is said.",
)
@click.option("--examples", type=int, default=100, show_default=True, help="Of each kind.")
@click.option("--held-out", type=float, default=0.25, show_default=True)
@click.option("--regularisation", type=float, default=0.001, show_default=True, help="C.")
@THRESHOLD
@OUT
def learn(
    session: Session,
    specifications: tuple[str, ...],
    examples: int,
    held_out: float,
    regularisation: float,
    threshold: float,
    out: Path | None,
) -> None:
    """Learn a bank for a classifier, or find it in the store.

    It is the bank that the explainer `ces` uses with the same options.
    """
    from xbench import Provider, check_benchmark
    from xbench.commands import progress
    from xbench_ces.scores.explainer import ConceptualExplanationScores

    _check_out(out)
    benchmark = session.assembled(scored=False)
    explainer = ConceptualExplanationScores(
        concepts=_concept_datasets(session, specifications),
        examples=examples,
        held_out=held_out,
        regularisation=regularisation,
    )
    entry = next(benchmark.entries(benchmark.lines[0]))
    recipe = _recipe(explainer, entry)
    check_benchmark(benchmark)
    store = session.opened_store()
    store.check_writable()
    with progress(session.quiet or session.json) as reporter:
        artefact = Provider(store, session.workplace(reporter)).one(recipe)
    _report(session, artefact, threshold, out)


def _concept_datasets(session: Session, specifications: tuple[str, ...]) -> "tuple[Dataset, ...]":
    from xbench.commands import parsed

    builder = session.builder()
    datasets = [builder.build("dataset", parsed(text), "--concepts") for text in specifications]
    for dataset in datasets:
        dataset.check()
    return tuple(datasets)


def _recipe(explainer: Any, entry: "Entry") -> "Recipe":
    from xbench import weights_recipe

    recipe: Recipe = explainer.artefacts(weights_recipe(entry), entry.datasets)["bank"]
    return recipe


@command.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--layer", default="", help='For a pickle: its layer; "avgpool" if nothing is said.')
@click.option(
    "--shape", default="", metavar="C×H×W", help="For a pickle: the shape of its activations."
)
@session_options(STORE, OUTPUT)
@THRESHOLD
@OUT
def import_(
    session: Session, file: Path, layer: str, shape: str, threshold: float, out: Path | None
) -> None:
    """Put the bank in FILE into the store: a .safetensors file, or a released pickle.

    Nothing in the file is run. Of a released bank it is not known which weights it belongs
    to; it is marked as unverified.
    """
    from xbench import Provider
    from xbench.commands import progress
    from xbench_ces.banks.importing import StoredBank

    _check_out(out)
    recipe = StoredBank(str(file), layer, _shape(shape))
    recipe.read()
    store = session.opened_store()
    store.check_writable()
    with progress(quiet=True) as reporter:
        artefact = Provider(store, session.workplace(reporter)).one(recipe)
    _report(session, artefact, threshold, out)


def _shape(text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in text.replace("x", "×").split("×") if text)
    except ValueError:
        shape = (0,)
    if shape and (len(shape) != 3 or min(shape) < 1):
        raise ParameterError(f"--shape {text}: write channels, height and width as 512×7×7")
    return shape


@command.command("list")
@session_options(STORE, OUTPUT)
def list_(session: Session) -> None:
    """List the banks in the store."""
    from xbench.commands import print_json, print_table

    store = session.opened_store()
    keys = store.artefact_keys(KIND)
    artefacts = [artefact for key in keys if (artefact := store.artefact(KIND, key))]
    if session.json:
        print_json([_header(artefact) for artefact in artefacts])
        return
    rows = [[artefact.key, *_cells(artefact)] for artefact in artefacts]
    columns = ["key", "concepts", "layer", "activations", "weights below", "made"]
    print_table(f"Concept banks in {store.url}", columns, rows)


def _header(artefact: "Artefact") -> dict[str, Any]:
    from xbench_ces.banks.bank import ConceptBank

    bank = ConceptBank.from_artefact(artefact)
    return {
        "key": artefact.key,
        "concepts": len(bank.concepts),
        "layer": bank.layer,
        "shape": list(bank.shape),
        "bottom": bank.bottom or None,
        "summary": artefact.facts.get("summary", []),
    }


def _cells(artefact: "Artefact") -> list[str]:
    from xbench_ces.banks.bank import shape_text

    header = _header(artefact)
    weights = header["bottom"] or "unverified"
    summary = "".join(header["summary"][:1])
    return [str(header["concepts"]), header["layer"], shape_text(header["shape"]), weights, summary]


@command.command("show")
@click.argument("bank", metavar="KEY|FILE")
@session_options(STORE, OUTPUT)
@THRESHOLD
def show(session: Session, bank: str, threshold: float) -> None:
    """Show the concepts of a bank in the store, or in a file."""
    _print_concepts(session, _named_artefact(session.opened_store(), bank), threshold)


def _named_artefact(store: "Store", name: str) -> "Artefact":
    """The bank in a file of this name, or the one whose key begins so."""
    from xbench import UnknownNameError
    from xbench_ces.banks.importing import StoredBank

    if Path(name).is_file() or Path(name).suffix:
        return StoredBank(name).read().artefact("")
    keys = store.artefact_keys(KIND)
    matches = [key for key in keys if key.startswith(name)]
    if len(matches) > 1:
        raise UsageError(
            f"{len(matches)} concept banks have keys that begin with {name!r}; write more"
        )
    artefact = store.artefact(KIND, matches[0]) if matches else None
    if artefact is None:
        hint = "`xbench concepts list` shows all; a bank in a file is named by its path."
        raise UnknownNameError("concept bank", name, keys, hint)
    return artefact


def _report(session: Session, artefact: "Artefact", threshold: float, out: Path | None) -> None:
    from xbench.commands import print_lines
    from xbench_ces.banks.file import write_bank

    if out is not None:
        write_bank(out, artefact)
    if session.json:
        _print_concepts(session, artefact, threshold)
        return
    print_lines(
        *artefact.facts.get("summary", []),
        _kept_line(artefact, threshold),
        f"concept bank {artefact.key}",
        *([f"written to {out}"] if out else []),
    )


def _kept_line(artefact: "Artefact", threshold: float) -> str:
    """Which concepts are below the threshold, the worst first."""
    from xbench_ces.banks.bank import ConceptBank

    bank = ConceptBank.from_artefact(artefact)
    pairs = zip(bank.accuracies.tolist(), bank.names, strict=True)
    weak_concepts = [f"{name} {rate:.2f}" for rate, name in sorted(pairs) if rate < threshold]
    excerpt = ", ".join(weak_concepts[:10]) + (", …" if len(weak_concepts) > 10 else "")
    line = f"{len(bank.concepts) - len(weak_concepts)} of {len(bank.concepts)} reach {threshold:g}"
    return f"{line}; below: {excerpt}" if weak_concepts else line


def _print_concepts(session: Session, artefact: "Artefact", threshold: float) -> None:
    from xbench.commands import print_json, print_table
    from xbench_ces.banks.bank import ConceptBank

    bank = ConceptBank.from_artefact(artefact)
    concepts = _concepts(bank, threshold)
    if session.json:
        facts = {key: value for key, value in artefact.facts.items() if key != "concepts"}
        print_json({"key": artefact.key or None, **facts, "concepts": concepts})
        return
    rows = [_concept_cells(concept) for concept in concepts]
    title = f"{len(rows)} concepts at {bank.layer}, {bank.bottom or 'of unknown weights'}"
    print_table(title, ["concept", "family", "held-out accuracy", "margin", ""], rows)


def _concept_cells(concept: dict[str, Any]) -> list[str]:
    verdict = "kept" if concept["kept"] else "left out"
    numbers = f"{concept['accuracy']:.3f}", f"{concept['margin']:.4g}"
    return [concept["name"], concept["family"], *numbers, verdict]


def _concepts(bank: "ConceptBank", threshold: float) -> list[dict[str, Any]]:
    numbers = zip(bank.accuracies.tolist(), bank.margins.tolist(), strict=True)
    return [
        {
            "name": concept.name,
            "family": concept.family,
            "accuracy": accuracy,
            "margin": margin,
            "kept": accuracy >= threshold,
        }
        for concept, (accuracy, margin) in zip(bank.concepts, numbers, strict=True)
    ]


def _check_out(out: Path | None) -> None:
    """Before anything is made: the file will be a bank's, in a folder that is there."""
    if out is not None and out.suffix != ".safetensors":
        raise ParameterError(f"--out {out}: a concept bank is written as .safetensors")
    if out is not None and not out.parent.is_dir():
        raise ParameterError(f"--out {out}: there is no folder {str(out.parent)!r}")
