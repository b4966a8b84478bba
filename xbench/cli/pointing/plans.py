"""Plans: what a run would do, printed."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.cli.options import Session
    from xbench.running.planning.forecast import Forecast
    from xbench.running.runner import RunOptions


def print_plan(
    session: "Session", benchmarks: "Sequence[Benchmark]", options: "RunOptions"
) -> None:
    """Print what a run would do, what of it the store has, and about how long trainings take."""
    from xbench.cli.output import print_json, print_lines
    from xbench.interfaces.workplace import Silent
    from xbench.running.bench import LocalBench
    from xbench.running.planning.forecast import forecast
    from xbench.running.runner import check_benchmark

    store = session.opened_store()
    bench = LocalBench(session.workplace(Silent()), store, keep=False)
    forecasts = []
    for benchmark in benchmarks:
        check_benchmark(benchmark, download=False)
        forecasts.append(forecast(benchmark, bench, options.limit))
    if session.json:
        print_json({"plan": [of.tree() for of in forecasts], "disk": _disk(store.url, options)})
        return
    for of in forecasts:
        print_lines(*_lines(of))
    print_lines(_disk_line(_disk(store.url, options)), "nothing was done, and nothing written")


def _lines(of: "Forecast") -> Iterator[str]:
    from xbench.running.planning.forecast import library_hint, training_line

    repeats = f"{of.repeats} repeat{'s' * (of.repeats != 1)}"
    yield f"{of.benchmark}: {len(of.entries)} entries, {repeats}, on {of.device}"
    yield f"  {training_line(of.trainings)}{library_hint(of.trainings)}"
    if of.trainings:
        size = sum(training.size for training in of.trainings)
        yield f"  their weights are {size / 1e6:.1f} MB; explaining and scoring take time as well"
    kinds = ", ".join(f"{one.kind} {one.stored} of {one.needed}" for one in of.artefacts)
    yield f"  the store has: {kinds}"
    for line in of.entries:
        known = "cases are known when its artefacts are there"
        if line.cases is not None:
            known = f"{line.cases} cases; the store has {line.stored} of {line.shards} shards"
        yield f"  {line.role} {line.label}: {known}"


def _disk(url: str, options: "RunOptions") -> dict[str, Any]:
    """What a run leaves at most of explanations, and how much the disk of the store has free."""
    place = Path(url)
    there = next((one for one in (place, *place.absolute().parents) if one.exists()), None)
    free = shutil.disk_usage(there).free if there and "://" not in url else None
    return {"store": url, "kept_at_most": options.cap * 2**30 * options.keep, "free": free}


def _disk_line(disk: dict[str, Any]) -> str:
    kept = f"at most {disk['kept_at_most'] / 1e9:.1f} GB of explanations and predictions are kept"
    free = "" if disk["free"] is None else f", where {disk['free'] / 1e9:.0f} GB are free"
    return f"{kept} in {disk['store']}{free}"
