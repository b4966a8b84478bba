"""The information sheet and consent: before it nothing is stored, and nothing set."""

import secrets
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from xbench_study.pages.forms import Form, platform, platform_fields, read_form
from xbench_study.pages.rendering import page
from xbench_study.pages.room import Room
from xbench_study.pages.security import refuse_other_sites, same, seal
from xbench_study.pages.words import age_box, consent_hash, sheet

TICKET_SECONDS = 24 * 3600
"""How long a sheet that was opened may lie before it is consented to."""
BOXES = ("consent", "age")


@dataclass(frozen=True)
class Consent:
    """The routes up to consent."""

    room: Room

    async def sheet(self, request: Request) -> Response:
        """The information sheet, or that nobody is sought any more."""
        fields = platform_fields(request.query_params.multi_items())
        invitation = request.path_params.get("code", "")
        known = bool(fields or invitation)
        if not known and await run_in_threadpool(self.room.full):
            return page("full", self.room.description, mark=self.room.mark)
        return self._sheet(fields, invitation)

    async def consent(self, request: Request) -> Response:
        """Enrol whoever ticked both boxes, and lead to the personal link."""
        refuse_other_sites(request)
        form = await read_form(request)
        fields = platform_fields(form.fields)
        missing = [box for box in BOXES if form.get(box) != "yes"]
        invitation, ticket = form.get("invitation"), form.get("ticket")
        if missing or not self._valid(ticket) or form.get("text") != self._text():
            return self._sheet(fields, invitation, missing, form)
        if not self.room.enrolments.take():
            raise HTTPException(429)
        token = await run_in_threadpool(self._enrol, fields, invitation or f"sheet.{ticket}")
        if token is None:
            return page("full", self.room.description, mark=self.room.mark)
        return RedirectResponse(request.url_for("step", token=token).path, 303)

    def _enrol(self, fields: dict[str, str], invitation: str) -> str | None:
        room = self.room
        return room.book.enrol(
            self._text(),
            room.clock(),
            platform=platform(fields),
            invitation=invitation,
            pilot=room.pilot,
        )

    def _sheet(
        self, fields: dict[str, str], invitation: str, missing: list[str] | None = None,
        form: Form | None = None,
    ) -> Response:
        description = self.room.description
        boxes = (description.texts.consent_box, age_box(description))
        hidden = fields | {"invitation": invitation, "ticket": self._ticket(), "text": self._text()}
        return page(
            "sheet",
            description,
            mark=self.room.mark,
            sheet=sheet(description),
            boxes=list(zip(BOXES, boxes, strict=True)),
            hidden=hidden,
            missing=missing or [],
            ticked=[box for box in BOXES if form and form.get(box) == "yes"],
            status=422 if missing else 200,
        )

    def _text(self) -> str:
        return consent_hash(self.room.description)

    def _ticket(self) -> str:
        """What makes one sheet's button, pressed twice, one consent; it is stored with consent."""
        drawn = f"{int(self.room.clock()):x}-{secrets.token_hex(16)}"
        return f"{drawn}-{seal(self.room.study.secret, 'ticket', drawn)}"

    def _valid(self, ticket: str) -> bool:
        drawn, _, mac = ticket.rpartition("-")
        if not same(mac, seal(self.room.study.secret, "ticket", drawn)):
            return False
        return self.room.clock() - int(drawn.partition("-")[0], 16) < TICKET_SECONDS
