"""`xbench plugins`: list, make and check plugins."""

from pathlib import Path

import click

from xbench.cli.options import OUTPUT, Session, session_options


@click.group("plugins")
def command() -> None:
    """List, make and check plugins."""


@command.command("list")
@session_options(OUTPUT)
def list_plugins(session: Session) -> None:
    """List the distributions that provide components, and whether each can be imported."""
    from xbench.cli.output import print_json, print_table

    rows = [
        _row(session, claim.kind, claim.name, str(claim)) for claim in session.registry.claims()
    ]
    if session.json:
        print_json(
            [dict(zip(("provided_by", "component", "state"), row, strict=True)) for row in rows]
        )
        return
    print_table("Plugins", ["provided by", "component", "state"], sorted(rows))


def _row(session: Session, kind: str, name: str, claim: str) -> list[str]:
    from xbench.errors import PluginError

    try:
        session.registry.get(kind, name)
    except PluginError as error:
        return [claim, f"{kind} {name}", f"FAILS: {error}"]
    return [claim, f"{kind} {name}", "ok"]


@command.command("check")
@click.argument("distribution")
@session_options(OUTPUT)
def check(session: Session, distribution: str) -> None:
    """Run the conformance suite on every component of an installed DISTRIBUTION."""
    from xbench.cli.output import print_json, print_lines
    from xbench.errors import PluginError, UnknownNameError
    from xbench.testing.conformance.suite import faults_of

    claims = [c for c in session.registry.claims() if c.distribution == distribution]
    if not claims:
        known = {claim.distribution for claim in session.registry.claims()}
        raise UnknownNameError("plugin distribution", distribution, known)
    faults = [fault for claim in claims for fault in faults_of(claim, session.builder())]
    if session.json:
        print_json({"distribution": distribution, "components": len(claims), "faults": faults})
    else:
        print_lines(f"{distribution}: {len(claims)} components, {len(faults)} faults", *faults)
    if faults:
        raise PluginError(f"{distribution} breaks the contract of its components")


@command.command("new")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to make it.",
)
def new(name: str, out: Path) -> None:
    """Make a folder with a small working plugin called NAME, ready to be installed."""
    from xbench.cli.output import print_lines
    from xbench.components.scaffold import write_plugin

    folder = write_plugin(name, out)
    print_lines(f"made {folder}; install it with: pip install {folder}")
