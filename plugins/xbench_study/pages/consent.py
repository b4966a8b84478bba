"""The information sheet and consent: before it nothing is stored, and nothing set."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from anyio import to_thread
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from xbench import ParameterError
from xbench_study.pages.forms import platform, platform_fields, read_form
from xbench_study.pages.security import refuse_other_sites, same, seal
from xbench_study.pages.service import Service
from xbench_study.pages.words import age_box, consent_hash, sheet

TICKET_SECONDS = 24 * 3600
"""How long a sheet that was opened may lie before it is consented to."""
BOXES = ("consent", "age")


@dataclass(frozen=True)
class Source:
    """Whom a platform or an invitation means."""

    fields: dict[str, str]
    invitation: str


@contextmanager
def invited() -> Iterator[None]:
    """404 for an invitation that is none."""
    try:
        yield
    except ParameterError as error:
        raise HTTPException(404) from error


@dataclass(frozen=True)
class Consent:
    """The routes up to consent."""

    service: Service

    async def sheet(self, request: Request) -> Response:
        """The information sheet, or that nobody is sought any more."""
        if not self.service.visits.take():
            raise HTTPException(429)
        fields = platform_fields(request.query_params.multi_items())
        source = Source(fields, request.path_params.get("code", ""))
        if await run_in_threadpool(self._full, source):
            return self.service.page(request, "full")
        return self.show(request, source)

    async def consent(self, request: Request) -> Response:
        """Enrol whoever ticked both boxes, and lead to the personal link."""
        refuse_other_sites(request)
        form = await read_form(request)
        source = Source(platform_fields(form.fields), form.get("invitation"))
        ticked = [box for box in BOXES if form.get(box) == "yes"]
        if not self._valid(form.get("ticket")) or form.get("text") != self._text():
            return self.show(request, source, [])
        if len(ticked) < len(BOXES):
            return self.show(request, source, ticked)
        if not self.service.enrolments.take():
            raise HTTPException(429)
        token = await to_thread.run_sync(
            self._enrol, source, form.get("ticket"), limiter=self.service.enrolling
        )
        if token is None:
            return self.service.page(request, "full")
        return RedirectResponse(request.url_for("step", token=token).path, 303)

    def _full(self, source: "Source") -> bool:
        service = self.service
        with invited():
            return service.book.full(
                service.clock(), platform=platform(source.fields), invitation=source.invitation
            )

    def _enrol(self, source: "Source", ticket: str) -> str | None:
        service = self.service
        with invited():
            return service.book.enrol(
                self._text(),
                service.clock(),
                platform=platform(source.fields),
                invitation=source.invitation,
                pilot=service.pilot,
                ticket=ticket,
            )

    def show(self, request: Request, source: "Source", ticked: list[str] | None = None) -> Response:
        """The sheet; `ticked` are the boxes of a form that was sent and not taken.

        What was ticked below another text, or long ago, is not ticked.
        """
        texts = self.service.description.texts
        words = (texts.consent_box, age_box(self.service.description))
        own = {"invitation": source.invitation, "ticket": self._ticket(), "text": self._text()}
        return self.service.page(
            request,
            "sheet",
            200 if ticked is None else 422,
            sheet=sheet(self.service.description),
            boxes=list(zip(BOXES, words, strict=True)),
            hidden=source.fields | own,
            ticked=ticked,
        )

    def _text(self) -> str:
        return consent_hash(self.service.description)

    def _ticket(self) -> str:
        """What makes one sheet's button, pressed twice, one consent; it is stored with consent."""
        drawn = f"{int(self.service.clock()):x}-{secrets.token_hex(16)}"
        return f"{drawn}-{seal(self.service.study.secret, 'ticket', drawn)}"

    def _valid(self, ticket: str) -> bool:
        drawn, _, mac = ticket.rpartition("-")
        if not same(mac, seal(self.service.study.secret, "ticket", drawn)):
            return False
        return self.service.clock() - int(drawn.partition("-")[0], 16) < TICKET_SECONDS
