"""Studies with people: designs, their pages, answers, people's rights, and their analysis."""

from typing import TYPE_CHECKING

from xbench import hookimpl

if TYPE_CHECKING:
    import click

    from xbench import Explainer, Protocol
    from xbench_study.designs.design import Design


@hookimpl
def register_kinds() -> "list[type[Design]]":
    """Return the kind of designs of studies."""
    from xbench_study.designs.design import Design

    return [Design]


@hookimpl
def register_designs() -> "list[type[Design]]":
    """Return the designs."""
    from xbench_study.designs.ambiguous_pair import AmbiguousPair
    from xbench_study.designs.categorisation import Categorisation
    from xbench_study.designs.class_confusion import ClassConfusion
    from xbench_study.designs.mistake_rating import MistakeRating
    from xbench_study.designs.wrong_label import WrongLabel

    return [WrongLabel, AmbiguousPair, MistakeRating, ClassConfusion, Categorisation]


@hookimpl
def register_explainers() -> "list[type[Explainer]]":
    """Return what people in a condition are shown, and who stands in for people."""
    from xbench_study.floors.guessing import SimulatedGuessing
    from xbench_study.floors.simulated_observer import SimulatedObserver
    from xbench_study.shown.shown_maps import ShownMaps
    from xbench_study.shown.shown_region import ShownRegion

    return [ShownMaps, ShownRegion, SimulatedObserver, SimulatedGuessing]


@hookimpl
def register_protocols() -> "list[type[Protocol]]":
    """Return the protocol of people's answers."""
    from xbench_study.protocol.study_protocol import StudyProtocol

    return [StudyProtocol]


@hookimpl
def register_commands() -> "list[click.Command]":
    """Return the verbs of studies."""
    from xbench_study.commands.study import command

    return [command]
