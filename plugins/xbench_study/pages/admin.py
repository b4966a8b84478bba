"""The researcher's page: a token opens it, which stands in no address and no log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

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
    """Tables by title."""
    return {}
