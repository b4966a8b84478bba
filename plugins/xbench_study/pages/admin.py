"""The researcher's page: a token opens it, which stands in no address and no log."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from xbench_study.answers.status import Status, status
from xbench_study.pages.forms import read_form
from xbench_study.pages.security import refuse_other_sites, same
from xbench_study.pages.service import Service

Rows = Sequence[Mapping[str, object]]
"""A table: what each row says, by column."""


@dataclass(frozen=True)
class Administration:
    """The routes of the admin page; without a token there are none."""

    service: Service
    token: str

    def ask(self, request: Request) -> Response:
        """The form that takes the token."""
        return self.service.page(request, "admin", tables=None, wrong=False)

    async def show(self, request: Request) -> Response:
        """How the study goes, for whoever has the token."""
        refuse_other_sites(request)
        if not self.service.administration.take():
            raise HTTPException(429)
        form = await read_form(request)
        if not same(form.get("token"), self.token):
            return self.service.page(request, "admin", 403, tables=None, wrong=True)
        tables = await run_in_threadpool(progress, self.service)
        return self.service.page(request, "admin", tables=tables, wrong=False)


def progress(service: Service) -> dict[str, Rows]:
    """How the study stands, as tables."""
    return tables(status(service.book, service.clock()))


def tables(now: Status) -> dict[str, Rows]:
    """A study's status as tables by title."""
    return {
        "Overview": list(_overview(now)),
        "Conditions": [asdict(count) for count in now.conditions],
        "Left out": [{"rule": name, "participants": count} for name, count in now.excluded.items()],
        "Participants": [asdict(count) for count in now.participants],
        "Items": [asdict(count) for count in now.slots],
    }


def _overview(now: Status) -> Iterator[Mapping[str, object]]:
    said = {
        **{f"participants: {state}": count for state, count in now.people.items()},
        "pilot participants": now.pilots,
        "erased participants": now.erased,
        "checks answered rightly": f"{now.checks_right} of {now.checks}",
        "median seconds an answer": _rounded(now.median_seconds),
        "median minutes to the end": _rounded(now.median_minutes),
        "paid by the hour": _rounded(now.hourly),
        "errors": now.categories.words() if now.categories else "",
        "warning": now.warning,
    }
    return ({"what": name, "value": value} for name, value in said.items() if value != "")


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
