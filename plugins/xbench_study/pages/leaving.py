"""Leaving the study, and withdrawing from it later: asked once, then done."""

from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from xbench_study.answers.steps import Step
from xbench_study.pages.forms import read_form
from xbench_study.pages.security import refuse_other_sites, same, seal
from xbench_study.pages.service import Service, home

ENDED = ("debriefing", "failed", "left", "expired")
"""Stages in which there is nothing to stop: what can be done is to withdraw."""


@dataclass(frozen=True)
class Leaving:
    """The routes that lead out."""

    service: Service

    def ask(self, request: Request) -> Response:
        """What shall become of the answers."""
        token = request.path_params["token"]
        step = self.service.current(token)
        return asking(self.service, request, step, home(request), self._nonce(token))

    async def leave(self, request: Request) -> Response:
        """Keep, or erase; the same form sent twice does it once."""
        refuse_other_sites(request)
        form = await read_form(request)
        token, answers = request.path_params["token"], form.get("answers")
        if not same(form.get("nonce"), self._nonce(token)):
            raise HTTPException(403)
        if answers not in {"keep", "erase"}:
            raise HTTPException(400)
        there = await run_in_threadpool(self._leave, token, answers == "erase")
        if answers == "keep" and not there:
            raise HTTPException(404)
        address = home(request) if answers == "keep" else request.url_for("erased").path
        return RedirectResponse(address, 303)

    def _leave(self, token: str, erase: bool) -> bool:
        if not self.service.participants.take(token):
            raise HTTPException(429)
        self.service.shown.forget(token)
        return self.service.book.leave(token, self.service.clock(), erase=erase)

    def erased(self, request: Request) -> Response:
        """That nothing is left; the address is everybody's."""
        return self.service.page(request, "erased")

    def _nonce(self, token: str) -> str:
        return seal(self.service.study.secret, "leave", token)


def asking(service: Service, request: Request, step: Step, where: str, nonce: str) -> Response:
    """The page that asks what shall become of the answers."""
    values = {"home": where, "nonce": nonce, "ended": step.stage in ENDED}
    return service.of_participant(request, "leave", step, **values)
