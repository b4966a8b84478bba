"""`xbench study new`: from a benchmark file to a study's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench import MismatchError
from xbench.commands import CHOICE, OUTPUT, WORK, Session, session_options

if TYPE_CHECKING:
    from xbench import Benchmark, Entry
    from xbench_study.designs.drafts import Draft, Scene
    from xbench_study.material.making import Head
    from xbench_study.material.notes import Notes
    from xbench_study.material.study import Study
    from xbench_study.protocol.study_protocol import StudyProtocol


@click.command("new")
@click.argument("benchmark", metavar="BENCHMARK|FILE")
@session_options(CHOICE[1:], WORK, OUTPUT)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The study's folder, a new one."
)
@click.option(
    "--without", multiple=True, metavar="CLASS", help="Show no image of this class; repeatable."
)
def command(session: Session, out: Path, without: tuple[str, ...]) -> None:
    """Make a study of a benchmark: its items, its pictures, and its texts to be edited.

    BENCHMARK is one whose protocol is `study`, such as wrong-label-toybirds. Networks answer and
    explanations are made, or taken from the store; OUT/study.toml then says where something has
    to be written before anybody is recruited. Classes whose name says that pictures of them may
    disturb are printed, and stand in OUT/notes.md.
    """
    from xbench.commands import print_json, print_lines
    from xbench_study.material.making import refuse_existing, write_study
    from xbench_study.material.notes import notes
    from xbench_study.material.study import read_study

    refuse_existing(out)
    session.check_names()
    prepared = session.assembled()
    protocol = study_protocol(prepared)
    head = _head(prepared, protocol)
    head.description()
    scene = _scene(session, prepared, without)
    drafts = _drafts(scene, prepared, protocol)
    known = notes(drafts, scene.names, scene.remarks)
    write_study(out, head, drafts, known.markdown())
    study = read_study(out)
    if session.json:
        print_json(
            {
                "study": str(out),
                "items": len(study.items),
                "missing": study.description.sheet.missing(),
                "remarks": list(known.remarks),
                "disturbing": {of.name: of.items for of in known.disturbing},
            }
        )
        return
    print_lines(*_lines(out, study, known))


def study_protocol(benchmark: "Benchmark") -> "StudyProtocol":
    """The benchmark's protocol, or `MismatchError` where people are not asked in it."""
    from xbench_study.protocol.study_protocol import StudyProtocol

    if not isinstance(benchmark.protocol, StudyProtocol):
        raise MismatchError(
            f"benchmark {benchmark.name!r} asks no people: its protocol is "
            f"{benchmark.protocol.name!r}; choose one whose protocol is study, such as "
            "wrong-label-toybirds"
        )
    return benchmark.protocol


def _head(benchmark: "Benchmark", protocol: "StudyProtocol") -> "Head":
    import json

    from xbench_study.designs.description import Condition
    from xbench_study.designs.drafts import IMAGE, stimulus_name
    from xbench_study.material.making import Head

    conditions, captions = [], {}
    for condition, entry in _entries(benchmark).items():
        names = [IMAGE]
        for place, caption in enumerate(_captions(entry)):
            names.append(stimulus_name(condition, place))
            if caption:
                captions[names[-1]] = caption
        conditions.append(Condition(name=condition, title=entry.label, shows=names))
    design = json.dumps(protocol.design.parameters(), sort_keys=True)
    parameters = {"benchmark": benchmark.name, "design": design}
    return Head(protocol.design.text(), benchmark.seed, conditions, captions, parameters)


def _captions(entry: "Entry") -> list[str]:
    """One for each picture of a condition, "" where there is none."""
    from xbench_study.shown.display import Display

    explainer = entry.required_explainer
    return list(explainer.sentences()) if isinstance(explainer, Display) else []


def _entries(benchmark: "Benchmark") -> "dict[str, Entry]":
    """The first repeat's entries of role `entry`, by condition; two of one name are an error."""
    from xbench_study.protocol.study_protocol import condition_of

    entries: dict[str, Entry] = {}
    for entry in _first_repeat(benchmark):
        condition = condition_of(entry)
        if condition in entries:
            raise MismatchError(
                f"entries {entries[condition].label!r} and {entry.label!r} are both of the "
                f"condition {condition!r}"
            )
        entries[condition] = entry
    return entries


def _first_repeat(benchmark: "Benchmark", role: str = "entry") -> "Iterator[Entry]":
    for line in benchmark.lines:
        if line.role == role:
            yield next(iter(benchmark.entries(line)))


def _drafts(scene: "Scene", benchmark: "Benchmark", protocol: "StudyProtocol") -> "list[Draft]":
    """The items, with what simulated observers among the benchmark's floors choose."""
    from xbench_study.floors.simulated_answers import with_simulated

    floors = list(_first_repeat(benchmark, "floor"))
    return with_simulated(protocol.design.drafts(scene), floors, scene.images, scene.bench)


def _scene(session: Session, benchmark: "Benchmark", without: tuple[str, ...]) -> "Scene":
    """What the design chooses from; weights are taken from the store, or made."""
    from xbench import check_benchmark, prepared_entry
    from xbench.commands import progress
    from xbench_study.designs.drafts import Scene
    from xbench_study.material.left_out import without_classes

    check_benchmark(benchmark)
    images = without_classes(benchmark.datasets["test"], without)
    store = session.opened_store()
    store.check_writable()
    entries = _entries(benchmark)
    with progress(session.quiet) as reporter:
        workplace = session.workplace(reporter)
        every = [*entries.values(), *_first_repeat(benchmark, "floor")]
        ready = [prepared_entry(entry, store, workplace) for entry in every]
    remarks = [f"classes left out: {', '.join(without)}"] if without else []
    return Scene(entries, ready[0].bench, images, benchmark.seed, remarks)


def _lines(out: Path, study: "Study", known: "Notes") -> list[str]:
    lines = [f"wrote a study of {len(study.items)} items to {out}", *known.lines()]
    missing = study.description.sheet.missing()
    if missing:
        lines.append(f"to be written in {out / 'study.toml'}: {', '.join(missing)}")
    return [*lines, f"look at its pages with `xbench study preview {out}`"]
