"""Options that verbs share, and the session that they describe."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from xbench.api.setting import (
    builder_of,
    changes_of,
    executor_of,
    local_workplace,
    opened_store,
)
from xbench.benchmark.completion import of_kind, of_variants
from xbench.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from xbench.benchmark.assembly import Benchmark
    from xbench.benchmark.suite import SuiteTree
    from xbench.components.registry import Registry
    from xbench.components.specification import Builder
    from xbench.interfaces.component import Tree
    from xbench.interfaces.executor import Executor
    from xbench.interfaces.workplace import Progress
    from xbench.running.storage.store import Store
    from xbench.running.workplace import LocalWorkplace


@dataclass
class Session:
    """What the options of one call say."""

    json: bool = False
    quiet: bool = False
    no_plugins: bool = False
    strict_plugins: bool = False
    benchmark: str = "default"
    dataset: str | None = None
    explainer: str | None = None
    classifier: str | None = None
    parameters: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    seed: int | None = None
    repeats: int | None = None
    store: str | None = None
    no_train: bool = False
    dry_run: bool = False
    device: str = "auto"
    batch_size: int = 32
    form: str = "text"
    """How results are printed."""
    full: bool = False
    """Whether every table and path is."""

    @property
    def printed_as(self) -> str:
        """How results are printed, with `--json` among the formats."""
        return "json" if self.json else self.form

    @functools.cached_property
    def registry(self) -> "Registry":
        """The registry of what is installed, without third parties where asked for."""
        from xbench.components.registry import Registry

        return Registry(third_party=not self.no_plugins, strict=self.strict_plugins)

    @functools.cached_property
    def tree(self) -> "Tree":
        """The benchmark's tree with all choices of the command line in it."""
        from xbench.benchmark.declaration import declared

        return declared(self.benchmark_file(), *self._choices(), registry=self.registry)

    def suite(self) -> "SuiteTree | None":
        """The suite that was asked for, with all choices in each benchmark, if it was one."""
        from xbench.benchmark.suite import Choices, is_suite, suite_tree

        path = self.benchmark_file()
        if not is_suite(path):
            return None
        return suite_tree(path, self.registry, Choices(*self._choices()))

    def check_names(self) -> None:
        """Raise what is wrong with the benchmark's file or with a name; little is imported."""
        from xbench.benchmark.naming import spelled

        asked = dataclasses.replace(self)
        asked.registry = self.registry
        suite = asked.suite()
        for tree in suite.trees if suite else [asked.tree]:
            spelled(tree, self.registry)

    def of(self, tree: "Tree") -> "Session":
        """This session for a benchmark of a suite."""
        session = dataclasses.replace(self)
        session.registry, session.tree = self.registry, tree
        return session

    def assembled(self, *, scored: bool = True) -> "Benchmark":
        """The benchmark of this session; its protocol need not fit if nothing is scored."""
        from xbench.benchmark.assembly import assemble
        from xbench.benchmark.fit import check_splits

        benchmark = assemble(self.tree, self.registry, scored=scored)
        check_splits(benchmark.datasets)
        return benchmark

    def builder(self) -> "Builder":
        """Builds components with the benchmark file's defaults."""
        return builder_of(self.tree, self.registry)

    def executor(self) -> "Executor":
        """The executor that the benchmark file, or `-p executor.name=`, asks for."""
        return executor_of(self.tree, self.registry)

    def opened_store(self) -> "Store":
        """The store, which may not be there yet."""
        return opened_store(self.store)

    def workplace(self, progress: "Progress") -> "LocalWorkplace":
        """This machine, with the device that was asked for."""
        return local_workplace(self.device, self.batch_size, progress)

    def benchmark_file(self) -> "Path":
        """The file of the benchmark that was asked for."""
        from xbench.benchmark.declaration import benchmark_file

        return benchmark_file(self.benchmark, self.registry)

    def _choices(self) -> "tuple[str | None, Sequence[str], str | None, Sequence[Tree]]":
        """What was chosen of the benchmark: dataset, variants, explainer, and changes."""
        chosen = {"classifier": self.classifier, "seed": self.seed, "repeats": self.repeats}
        changes = changes_of(chosen, parameter_tree(self.parameters))
        return self.dataset, self.variants, self.explainer, changes


def parameter_tree(texts: Sequence[str]) -> "Tree":
    """What `-p PATH=VALUE` options say, as nested tables."""
    from xbench.components.specification import assign

    tree: Tree = {}
    for text in texts:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise ParameterError(f"-p {text}: write it as -p component.parameter=value")
        tree = assign(tree, path.strip(), value.strip())
    return tree


OUTPUT = (
    click.option("--json", is_flag=True, help="Print JSON instead of tables."),
    click.option("--quiet", "-q", is_flag=True, help="Print no progress."),
    click.option("--no-plugins", is_flag=True, help="Leave third-party plugins out."),
    click.option("--strict-plugins", is_flag=True, help="Fail where any plugin fails."),
)
"""Options of every command: what is printed, and which plugins take part."""
EXPLAINER = click.option(
    "--explainer",
    metavar="NAME",
    help="Another explainer as the entry.",
    shell_complete=of_kind("explainer"),
)
"""The option that chooses one explainer."""
CHOICE = (
    click.option(
        "--benchmark",
        metavar="NAME|FILE",
        default="default",
        show_default=True,
        shell_complete=of_kind("benchmark", files=".toml"),
    ),
    click.option(
        "--variant",
        "variants",
        multiple=True,
        metavar="NAME",
        help="A variant that the benchmark file offers, such as smoke; may be repeated.",
        shell_complete=of_variants,
    ),
    click.option(
        "--dataset",
        metavar="NAME",
        help="Another dataset.",
        shell_complete=of_kind("dataset"),
    ),
    EXPLAINER,
    click.option(
        "--classifier",
        metavar="NAME",
        help="Another classifier.",
        shell_complete=of_kind("classifier"),
    ),
    click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="PATH=VALUE",
        help="A parameter, such as "
        "explainer.difficulty=hesitancy or training.epochs=5; may be repeated.",
    ),
    click.option("--seed", type=int, help="The seed of the first repeat."),
)
"""Options that choose a benchmark and change what is in it."""
STORE = (
    click.option("--store", metavar="FOLDER|URL", envvar="XBENCH_STORE", help="Where results lie."),
)
"""The option that says where results lie."""
WORK = (
    *STORE,
    click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, …"),
    click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True),
)
"""Options that say where work is done and where its results lie."""
FORMATS = ("text", "tsv", "csv", "md", "latex", "json")
"""How results can be printed; all but the first are for programs and papers."""
FORMAT = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How results are printed; json is --json.",
    ),
)
"""The option that says how results are printed."""
RESULTS = (
    click.option("--full", is_flag=True, help="Print every table, and the path of each record."),
    *FORMAT,
)
"""Options that say how the results of a run are printed."""


NO_TRAIN = (
    click.option(
        "--no-train",
        is_flag=True,
        help="Fail where the store lacks weights that would have to be trained.",
    ),
)
"""The option of what trains."""
DRY_RUN = (
    click.option(
        "--dry-run", is_flag=True, help="Say what would be done and what is there; do nothing."
    ),
)
"""The option that leaves everything undone."""


def session_options(*groups: tuple[Any, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of these groups, and hand them to the command as its `session`."""
    names = set(Session.__dataclass_fields__)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def command(**values: Any) -> Any:
            ours = {key: values.pop(key) for key in list(values) if key in names}
            session = Session(**ours)
            if CHOICE in groups:
                session.check_names()
            return function(session, **values)

        wrapped: Callable[..., Any] = command
        for option in reversed([option for options in groups for option in options]):
            wrapped = option(wrapped)
        return wrapped

    return decorate
