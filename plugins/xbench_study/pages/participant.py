"""A participant's steps: each form leads back to the one address that shows what comes next."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from xbench_study.answers.steps import Choice, Outcome, Ratings, Reply, Step
from xbench_study.designs.description import Description, Question
from xbench_study.pages.assets import picture
from xbench_study.pages.forms import UNSURE, Form, fault, read_form, reply, whole
from xbench_study.pages.security import refuse_other_sites
from xbench_study.pages.service import Addresses, Service, addresses, home
from xbench_study.pages.showing import assets, degrees, trial
from xbench_study.pages.words import announced, filled

WITH_PICTURES = ("trial", "feedback")
NONE = "-"


@dataclass(frozen=True)
class Kept:
    """What was chosen in a form that was not taken, by places, and why it was not."""

    reason: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Participation:
    """The routes of one personal link."""

    service: Service

    def step(self, request: Request) -> Response:
        """What comes next."""
        token = request.path_params["token"]
        step = self.service.current(token)
        if step.stage in WITH_PICTURES:
            self.service.shown.note(token, step.position, assets(self.service.study, step))
        before = kept(request.query_params, step, self.service)
        return stage_page(self.service, request, step, addresses(request, step.position), before)

    async def asset(self, request: Request) -> Response:
        """A picture of the step that the participant is at, and no other."""
        token, position, number = (request.path_params[n] for n in ("token", "position", "number"))
        keys = self.service.shown.keys(token, position)
        if keys is None:
            keys = await run_in_threadpool(self._assets, token, position)
        else:
            self.service.admit(token)
        if not 1 <= number <= len(keys):
            raise HTTPException(404)
        return picture(self.service.study.asset(keys[number - 1]))

    def _assets(self, token: str, position: int) -> Sequence[str]:
        step = self.service.current(token)
        at = step.stage in WITH_PICTURES and step.position == position
        return assets(self.service.study, step) if at else ()

    async def answer(self, request: Request) -> Response:
        """Take an answer, whatever it says, and lead back."""
        refuse_other_sites(request)
        form = await read_form(request)
        position = form.number("position")
        if position is None:
            raise HTTPException(400)
        sent = reply(form, self.service.description.question)
        query = await run_in_threadpool(
            self._answer, request.path_params["token"], position, form.get("nonce"), sent
        )
        return RedirectResponse(home(request) + query, 303)

    def _answer(self, token: str, position: int, nonce: str, sent: Reply) -> str:
        self.service.admit(token)
        self.service.shown.forget(token)
        outcome = self.service.book.answer(token, position, nonce, sent, self.service.clock())
        return _consequence(outcome, position, sent, self.service.description.question)

    async def go_on(self, request: Request) -> Response:
        """Leave instructions, training or feedback behind."""
        refuse_other_sites(request)
        form = await read_form(request)
        await run_in_threadpool(self._go_on, request.path_params["token"], form.get("nonce"))
        return RedirectResponse(home(request), 303)

    def _go_on(self, token: str, nonce: str) -> None:
        self.service.current(token)
        self.service.shown.forget(token)
        self.service.book.go_on(token, nonce, self.service.clock())

    async def comprehension(self, request: Request) -> Response:
        """Take the answers to the questions about the instructions."""
        refuse_other_sites(request)
        form = await read_form(request)
        query = await run_in_threadpool(self._comprehend, request.path_params["token"], form)
        return RedirectResponse(home(request) + query, 303)

    def _comprehend(self, token: str, form: Form) -> str:
        step = self.service.current(token)
        questions = self.service.description.checks.comprehension
        chosen = [form.number(f"question-{number}") for number in range(len(questions))]
        options = tuple(option for option in chosen if option is not None)
        if step.stage == "comprehension" and len(options) < len(questions):
            places = [NONE if option is None else str(option) for option in chosen]
            return _again(step.attempt, "missing", places)
        self.service.book.comprehend(token, form.get("nonce"), options, self.service.clock())
        return ""


def stage_page(
    service: Service, request: Request, step: Step, where: Addresses, before: Kept
) -> Response:
    """The page of a step, with what was chosen before."""
    values: dict[str, object] = {"home": where.home, "link": where.link, "kept": before}
    if step.stage in WITH_PICTURES:
        values |= {
            "trial": trial(service.study, step, where.pictures),
            "kind": service.study.items[step.item].kind,
            "degrees": degrees(service.study),
        }
    elif step.stage == "instructions":
        values |= {"rules": list(announced(service.description.checks, service.description.texts))}
    elif step.stage in {"debriefing", "failed"}:
        values |= completion(service.description, step)
    return service.of_participant(request, step.stage, step, **values)


def completion(description: Description, step: Step) -> dict[str, object]:
    """The code that a platform wants to see, and the address that leads back to it."""
    said, texts = description.completion, description.texts
    code = said.code if step.stage == "debriefing" else said.failed_code
    ended = step.stage == "debriefing" or code
    address = filled(said.redirect, code=quote(code, safe="")) if ended else ""
    return {"code": filled(texts.code, code=code) if code else "", "redirect": address}


def marks(sent: Reply, step: Step) -> list[str]:
    """Places of what was chosen among the step's options, or each option's degree."""
    match sent:
        case Choice(options, unsure):
            places = [str(place) for place, key in enumerate(step.options) if key in options]
            return places + [UNSURE] * unsure
        case Ratings(given):
            return [_mark(given, key) for key in step.options]
        case _:
            return []


def _mark(given: object, key: str) -> str:
    if not isinstance(given, dict) or key not in given:
        return NONE
    return UNSURE if given[key] is None else str(given[key])


def _consequence(outcome: Outcome, position: int, sent: Reply, question: Question) -> str:
    """The query of the address that follows an answer: empty, unless it has to be given again.

    404 for an answer of nobody, 403 for one that none of our forms sends.
    """
    step = outcome.at
    if step is None:
        raise HTTPException(404)
    if outcome.kind in ("stored", "already") or step.stage not in WITH_PICTURES:
        return ""
    here = step.stage == "trial" and step.position == position
    if reason := fault(sent, question, step.options) if here else "":
        return _again(position, reason, marks(sent, step))
    if outcome.kind == "invalid":
        raise HTTPException(403)
    return _again(position, "soon", marks(sent, step), math.ceil(outcome.seconds))


def _again(at: int, say: str, places: list[str], seconds: int = 0) -> str:
    return "?" + urlencode({"at": at, "say": say, "kept": ",".join(places), "wait": seconds})


def kept(query: QueryParams, step: Step, service: Service) -> Kept:
    """What an address says that was chosen before; of another step it says nothing."""
    if whole(query.get("at", "")) != _at(step):
        return Kept()
    texts, question = service.description.texts, service.description.question
    reasons = {
        "soon": filled(texts.too_soon, seconds=whole(query.get("wait", "")) or 1),
        "choose": filled(texts.choose, pick=question.pick),
        "rate": texts.rate,
        "missing": texts.comprehension_missing,
    }
    return Kept(reasons.get(query.get("say", ""), ""), tuple(query.get("kept", "").split(",")))


def _at(step: Step) -> int:
    return step.attempt if step.stage == "comprehension" else step.position
