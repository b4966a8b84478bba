"""What all routes of a server share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from anyio import CapacityLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from xbench_study.answers.book import AnswerBook
from xbench_study.answers.steps import Step
from xbench_study.designs.description import Description
from xbench_study.material.study import Study
from xbench_study.pages.assets import ShownPages
from xbench_study.pages.limits import Buckets, Limits
from xbench_study.pages.rendering import page


@dataclass(frozen=True)
class Service:
    """A study that is being served, and the book that its answers go into."""

    study: Study
    book: AnswerBook
    clock: Callable[[], float]
    pilot: bool = False
    limits: Limits = field(default_factory=Limits)
    notice: str = ""
    """What stands above every page."""

    @property
    def description(self) -> Description:
        """What the study's file says."""
        return self.study.description

    @cached_property
    def participants(self) -> Buckets:
        """What is left to each participant, by token."""
        return Buckets(self.limits.participant, self.clock)

    @cached_property
    def enrolments(self) -> Buckets:
        """What is left to newcomers."""
        return Buckets(self.limits.enrolment, self.clock)

    @cached_property
    def visits(self) -> Buckets:
        """What is left to readers of the information sheet."""
        return Buckets(self.limits.visits, self.clock)

    @cached_property
    def administration(self) -> Buckets:
        """What is left to the admin page."""
        return Buckets(self.limits.administration, self.clock)

    @cached_property
    def enrolling(self) -> CapacityLimiter:
        """Newcomers are assigned one after the other; who waits holds up nobody at work."""
        return CapacityLimiter(1)

    @cached_property
    def shown(self) -> ShownPages:
        """The pictures of the pages that people have before them."""
        return ShownPages()

    def page(
        self, request: Request, template: str, status: int = 200, **values: object
    ) -> HTMLResponse:
        """A page for people, marked where the study is a pilot."""
        pilot = self.description.texts.pilot if self.pilot else ""
        known = {"mark": self.notice or pilot, "root": request.scope.get("root_path", "")}
        return page(template, self.description, status, **{**known, **values})

    def of_participant(
        self, request: Request, template: str, step: Step, **values: object
    ) -> HTMLResponse:
        """A page of a participant: it leads to leaving, and says if nothing counts."""
        texts = self.description.texts
        mark = {"mark": self.notice or texts.pilot} if self.pilot or step.pilot else {}
        return self.page(request, template, 200, **{**mark, "step": step, **values})

    def admit(self, token: str) -> None:
        """Count a request under a personal link; 429 for a flood."""
        if not self.participants.take(token):
            raise HTTPException(429)

    def current(self, token: str) -> Step:
        """Where a participant is; 404 for a token of nobody, 429 for a flood."""
        self.admit(token)
        step = self.book.step(token, self.clock())
        if step is None:
            raise HTTPException(404)
        return step


@dataclass(frozen=True)
class Addresses:
    """Where a participant's pages lie."""

    home: str
    """The path of all of them; it ends with a slash."""
    link: str
    """The whole address that leads back into the study."""
    pictures: str = ""
    """The path before the number of a picture."""


def addresses(request: Request, position: int = 0) -> Addresses:
    """The addresses of whoever asks, at a position of the study."""
    link = request.url_for("step", token=request.path_params["token"])
    return Addresses(link.path, str(link), f"{link.path}asset/{position}/")


def home(request: Request) -> str:
    """The path of a participant's own pages, which ends with a slash."""
    return addresses(request).home
