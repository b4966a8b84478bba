"""Every kind of page, with invented answers that say so; nothing of it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from xbench_study.answers.assignment import conditions_of
from xbench_study.answers.status import ConditionCount, ParticipantCount, SlotCount, Status
from xbench_study.answers.steps import Stage, Step
from xbench_study.pages.admin import tables
from xbench_study.pages.assets import picture
from xbench_study.pages.consent import Consent, Source
from xbench_study.pages.leaving import asking
from xbench_study.pages.participant import Kept, stage_page
from xbench_study.pages.rendering import error_page
from xbench_study.pages.service import Addresses, Service
from xbench_study.pages.showing import assets, degrees

NOTICE = "Preview: answers and figures are invented, and nothing is stored."
STAGES: tuple[Stage, ...] = ("instructions", "comprehension")
ENDS: tuple[Stage, ...] = ("debriefing", "failed", "left", "expired")
PLAIN = ("full", "erased")
CATEGORISE = "categorise"
ANNOTATING = {
    "number": 1,
    "of": 40,
    "back": "",
    "said": "",
    "between": (),
    "reason": "",
    "nonce": "",
}
ERRORS = (400, 403, 404, 413, 429, 500)
INVENTED = Status(
    people={"taking-part": 2, "finished": 9, "left": 1},
    pilots=3,
    erased=1,
    slots=[SlotCount("a condition", "an item", 4, 1)],
    conditions=[ConditionCount("a condition", 180, 1000, 200, 12)],
    participants=[ParticipantCount("a participant", "finished", 20, 20, "checks")],
    excluded={"checks": 1},
    checks=48,
    checks_right=44,
    median_seconds=9.4,
    median_minutes=14.2,
    hourly=12.6,
    warning="",
)


@dataclass(frozen=True)
class Preview:
    """The routes under /preview/."""

    service: Service

    def routes(self) -> list[Route]:
        """All of them; forms lead back to the list."""
        return [
            Route("/", self.back),
            Route("/preview/", self.contents, name="preview"),
            Route("/preview/page/{name}", self.page, name="preview-page"),
            Route("/preview/{stage}/{key}/{condition}/", self.item, name="preview-item"),
            Route("/preview/asset/{key}/{condition}/{number:int}", self.asset),
            Route("/consent", self.back, methods=["POST"]),
            Route("/admin", self.back, methods=["POST"]),
            Route("/preview/{form}", self.back, methods=["POST"]),
            Route("/preview/leave", self.leave),
            Route("/p/PREVIEW/", self.back, name="step"),
        ]

    def back(self, request: Request) -> Response:
        """The list of pages."""
        return RedirectResponse(request.url_for("preview").path, 303)

    def contents(self, request: Request) -> Response:
        """Links to all pages."""
        return self.service.page(request, "preview", groups=list(self._groups()))

    def _groups(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        names = ("sheet", *PLAIN, *STAGES, "again", "leave", "withdraw", *ENDS, "admin")
        if self.service.description.categories:
            names = (*names, CATEGORISE)
        yield "Pages", [(name, f"page/{name}") for name in names]
        yield "Errors", [(str(status), f"page/{status}") for status in ERRORS]
        for kind in ("training", "practice", "check", "trial"):
            items = list(self._items(kind))
            if items:
                yield f"Items: {kind}", items

    def _items(self, kind: str) -> Iterator[tuple[str, str]]:
        stages = ("trial", "soon", "feedback") if kind == "practice" else ("trial", "soon")
        for number, item in enumerate(self.service.study.of_kind(kind), start=1):
            for condition in conditions_of(self.service.study, item):
                for stage in stages if number == 1 else stages[::2]:
                    words = "" if stage == "trial" else f", {stage}"
                    yield f"{number}, {condition}{words}", f"{stage}/{item.key}/{condition}/"

    def item(self, request: Request) -> Response:
        """An item in a condition."""
        stage, key, condition = (request.path_params[n] for n in ("stage", "key", "condition"))
        step = self._step("feedback" if stage == "feedback" else "trial", key, condition)
        reason = self.service.description.texts.too_soon.replace("{seconds}", "3")
        before = Kept(reason if stage == "soon" else "", self._marks(step))
        where = self._addresses(
            request, f"{request.url_for('preview').path}asset/{key}/{condition}/"
        )
        return stage_page(self.service, request, step, where, before)

    def asset(self, request: Request) -> Response:
        """A picture of an item in a condition."""
        step = self._step("trial", request.path_params["key"], request.path_params["condition"])
        keys, number = assets(self.service.study, step), request.path_params["number"]
        if not 1 <= number <= len(keys):
            raise HTTPException(404)
        return picture(self.service.study.asset(keys[number - 1]))

    def page(self, request: Request) -> Response:
        """A page that is none of an item's."""
        name = request.path_params["name"]
        if name in PLAIN:
            return self.service.page(request, name)
        if name in map(str, ERRORS):
            return error_page(self.service.study, int(name), mark=self.service.notice)
        if name == "sheet":
            return Consent(self.service).show(request, Source({}, ""))
        if name == "admin":
            return self.service.page(request, "admin", tables=tables(INVENTED), wrong=False)
        if name == CATEGORISE:
            return self._categorise(request)
        return self._stage(request, name)

    def _categorise(self, request: Request) -> Response:
        """What annotators of errors see of the first trial, with an invented label."""
        root, study = request.url_for("preview").path, self.service.study
        item = next(iter(study.of_kind("trial")), None)
        if item is None:
            raise HTTPException(404)
        condition = conditions_of(study, item)[0]
        known = {"label": item.label, "item": item.key, "predicted": "what the algorithm said"}
        known |= {"image": f"{root}asset/{item.key}/{condition}/1", "here": f"{root}{CATEGORISE}"}
        return self.service.page(request, CATEGORISE, 200, **known, **ANNOTATING)

    def leave(self, request: Request) -> Response:
        """What shall become of the answers."""
        return asking(self.service, request, Step("trial"), self._addresses(request).home, "")

    def _stage(self, request: Request, name: str) -> Response:
        where = self._addresses(request)
        if name in {"leave", "withdraw"}:
            step = Step("trial" if name == "leave" else "debriefing")
            return asking(self.service, request, step, where.home, "")
        steps: dict[str, Step] = {stage: Step(stage) for stage in (*STAGES, *ENDS)}
        steps["again"] = Step("comprehension", attempt=1)
        if name not in steps:
            raise HTTPException(404)
        return stage_page(self.service, request, steps[name], where, Kept(marks=("0",)))

    def _addresses(self, request: Request, pictures: str = "") -> Addresses:
        root = request.url_for("preview")
        return Addresses(root.path, str(request.url_for("step")), pictures)

    def _step(self, stage: Stage, key: str, condition: str) -> Step:
        study = self.service.study
        item = study.items.get(key)
        if item is None or condition not in conditions_of(study, item):
            raise HTTPException(404)
        options = tuple(option.key for option in item.options)
        place = list(study.items).index(key)
        return Step(
            stage, condition, key, place, len(study.items), options, right=False, nonce="preview"
        )

    def _marks(self, step: Step) -> tuple[str, ...]:
        """An invented answer: the first options, or degrees in turn."""
        question = self.service.description.question
        if question.kind == "choose":
            return tuple(map(str, range(question.pick)))
        values = [value for value, _ in degrees(self.service.study)]
        return tuple(values[place % len(values)] for place in range(len(step.options)))
