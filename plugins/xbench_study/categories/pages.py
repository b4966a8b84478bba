"""Pages on which two researchers annotate errors: without a map, a condition or an answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from xbench_study.categories.annotating import CLOSED, OTHERS, Annotating
from xbench_study.categories.annotations import PEOPLE, Annotations
from xbench_study.categories.passes import NAME, pass_of
from xbench_study.designs.description import Description
from xbench_study.designs.drafts import IMAGE
from xbench_study.pages.assets import picture
from xbench_study.pages.forms import Form, read_form
from xbench_study.pages.security import refuse_other_sites, same, seal
from xbench_study.pages.service import Service

HOME = "/categorise/{person}/{mac}/"
THROUGH = "You are through. Another person is needed as well."
NONE = "The study's file has no [[categories]]."
CHOOSE = "Please choose a category."
BAD_NAME = "A name has up to 40 letters, digits, dots and dashes."


@dataclass(frozen=True)
class Categorising:
    """The routes; a pass, which the admin's token gives, is part of their addresses."""

    service: Service
    token: str

    def routes(self) -> list[Route]:
        """The form that gives a pass, and the pages behind it."""
        return [
            Route("/categorise", self.ask),
            Route("/categorise", self.enter, methods=["POST"]),
            Route(HOME, self.show, name="categorise"),
            Route(HOME, self.store, methods=["POST"]),
            Route(HOME + "settle/", self.settling, name="settle"),
            Route(HOME + "settle/", self.settle, methods=["POST"]),
            Route(HOME + "image/{item}", self.image, name="categorise-image"),
        ]

    @property
    def description(self) -> Description:
        """What the study's file says."""
        return self.service.description

    @property
    def annotating(self) -> Annotating:
        """What was said so far."""
        return Annotating(self.service.book)

    def ask(self, request: Request) -> Response:
        """The form that takes the token and a name."""
        return self.service.page(request, "categorise-enter", reason="")

    async def enter(self, request: Request) -> Response:
        """Lead whoever has the token to pages of their own."""
        refuse_other_sites(request)
        if not self.service.administration.take():
            raise HTTPException(429)
        form = await read_form(request)
        person = form.get("name")
        if not same(form.get("token"), self.token):
            return self._again(request, "This is not the token.", 403)
        if not NAME.fullmatch(person):
            return self._again(request, BAD_NAME, 422)
        return _to(request, "categorise", person, self._mac(person))

    def _again(self, request: Request, reason: str, status: int) -> Response:
        return self.service.page(request, "categorise-enter", status, reason=reason)

    async def show(self, request: Request) -> Response:
        """The next item that this person has not annotated, or what is to be done then."""
        return await self._page(request, self._person(request), "")

    async def _page(self, request: Request, person: str, reason: str) -> Response:
        known, closed = await run_in_threadpool(self._state)
        ended = _ended(known, person, closed=closed)
        mine, order = known.given.get(person, {}), known.order(person, self.description.seed)
        item = _shown(order, mine, request.query_params.get("item", ""))
        if ended is not None or not item:
            return self._end(request, known, THROUGH if ended is None else ended)
        place = order.index(item)
        before = [one for one in order[:place] if one in mine]
        values = {"number": place + 1, "of": len(order), "back": before[-1] if before else ""}
        return self._item(request, item, reason, {**values, "said": mine.get(item, "")})

    def _state(self) -> tuple[Annotations, bool]:
        return self.annotating.read(), self.annotating.closed()

    def _end(self, request: Request, known: Annotations, reason: str) -> Response:
        """That nothing is left to annotate; then how far people agree, and what is to be settled.

        Before two people are through nobody learns what the other one says.
        """
        through = known.complete
        return self.service.page(
            request,
            "categorise-end",
            counts=known.counts() if through else None,
            apart=list(self._apart(known)) if through else [],
            settle=bool(through and known.unsettled and not reason),
            reason=reason,
            address=self._address(request, "settle"),
        )

    def _apart(self, known: Annotations) -> Iterator[tuple[str, ...]]:
        """Disagreements: the label, what each said, and what was decided."""
        for item, said in known.disagreements:
            yield self._label(item), *said, known.settled.get(item, "")

    def _item(
        self, request: Request, item: str, reason: str, values: Mapping[str, Any]
    ) -> Response:
        """An item: its image, the correct and the predicted label, and the categories."""
        right = self.service.study.secrets[item].right
        options = self.service.study.items[item].options
        between = values.get("between", ())
        known = {"reason": reason, "between": between, **values}
        return self.service.page(
            request,
            "categorise",
            422 if reason else 200,
            item=item,
            image=self._address(request, "categorise-image", item=item),
            here=self._address(request, "settle" if between else "categorise"),
            label=self._label(item),
            predicted=next(option.text for option in options if option.key in right),
            nonce=self._nonce(request, item),
            **known,
        )

    async def store(self, request: Request) -> Response:
        """Store a category, and lead to the next item."""
        person, form = await self._sent(request)
        if not form.get("category"):
            return await self._page(request, person, CHOOSE)
        return await self._stored(request, form, person, "categorise")

    async def settling(self, request: Request) -> Response:
        """The next disagreement about which nothing is decided."""
        self._person(request)
        return await self._settling(request, "")

    async def _settling(self, request: Request, reason: str) -> Response:
        known, closed = await run_in_threadpool(self._state)
        left = known.unsettled
        if closed or not known.complete or not left:
            return self._end(request, known, CLOSED if closed else "")
        item, said = left[0]
        number, of = len(known.disagreements) - len(left) + 1, len(known.disagreements)
        values = {"number": number, "of": of, "back": "", "said": "", "between": said}
        return self._item(request, item, reason, values)

    async def settle(self, request: Request) -> Response:
        """Store what is decided about a disagreement."""
        person, form = await self._sent(request)
        if not form.get("category"):
            return await self._settling(request, CHOOSE)
        return await self._stored(request, form, person, "settle")

    async def _stored(self, request: Request, form: Form, person: str, route: str) -> Response:
        book = self.annotating
        store = book.settle if route == "settle" else book.annotate
        said = (person, form.get("item"), form.get("category"), self.service.clock())
        reason = await run_in_threadpool(store, *said)
        if reason:
            known = await run_in_threadpool(book.read)
            return self._end(request, known, reason)
        return _to(request, route, person, request.path_params["mac"])

    async def _sent(self, request: Request) -> tuple[str, Form]:
        """Whose form it is, and the form; 403 for one that these pages did not make."""
        refuse_other_sites(request)
        person, form = self._person(request), await read_form(request)
        if not same(form.get("nonce"), self._nonce(request, form.get("item"))):
            raise HTTPException(403)
        return person, form

    def image(self, request: Request) -> Response:
        """The image alone, and of no item of which nothing is asked."""
        self._person(request)
        study, item = self.service.study, request.path_params["item"]
        if item not in self.annotating.items:
            raise HTTPException(404)
        stimuli = {of.name: of.asset for of in study.items[item].stimuli}
        return picture(study.asset(stimuli[IMAGE]))

    def _person(self, request: Request) -> str:
        """Whose pages they are; 404 for a pass that was not given, 429 for a flood."""
        person, mac = request.path_params["person"], request.path_params["mac"]
        if not same(mac, self._mac(person)):
            raise HTTPException(404)
        if not self.service.participants.take(mac):
            raise HTTPException(429)
        return str(person)

    def _mac(self, person: str) -> str:
        return pass_of(self.service.study.secret, self.token, person)

    def _nonce(self, request: Request, item: str) -> str:
        mac = request.path_params["mac"]
        return seal(self.service.study.secret, "annotation", mac, item)

    def _label(self, item: str) -> str:
        return self.service.study.items[item].label

    def _address(self, request: Request, route: str, **more: str) -> str:
        whose = {name: request.path_params[name] for name in ("person", "mac")}
        return request.url_for(route, **whose, **more).path


def _to(request: Request, route: str, person: str, mac: str) -> Response:
    return RedirectResponse(request.url_for(route, person=person, mac=mac).path, 303)


def _ended(known: Annotations, person: str, *, closed: bool) -> str | None:
    """Why this person annotates nothing (more), "" where all is done; None where they do."""
    if closed or not known.names:
        return CLOSED if closed else NONE
    if known.complete:
        return ""
    return OTHERS if len(known.given) >= PEOPLE and person not in known.given else None


def _shown(order: Sequence[str], mine: Mapping[str, str], again: str) -> str:
    """The item that is asked for once more, or the next one; "" where there is none."""
    left = [item for item in order if item not in mine]
    return again if again in mine else next(iter(left), "")
