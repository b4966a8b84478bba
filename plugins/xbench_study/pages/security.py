"""What every request and every answer of the server goes through."""

import hmac
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024
"""Of what a request may send."""
METHODS = ("GET", "HEAD", "POST")
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
NO_STORE = "no-store"

logger = logging.getLogger("xbench_study")


def seal(secret: str, *parts: str) -> str:
    """A keyed hash of the parts: 32 hexadecimal digits."""
    text = "\0".join(parts)
    return hmac.new(bytes.fromhex(secret), text.encode(), sha256).hexdigest()[:32]


def same(first: str, second: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())


def refuse_other_sites(request: Request) -> None:
    """403 for a form of another site.

    Browsers send `Origin: null` with forms of pages that send no referrer, ours among them: then
    `Sec-Fetch-Site` says whose form it is, and the nonce in any case.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin", "null")
    foreign = origin != "null" and urlsplit(origin).netloc != request.headers.get("host")
    if foreign or site not in {"same-origin", "none"}:
        raise HTTPException(403)


@dataclass(frozen=True)
class Guard:
    """Headers on every answer, limits on every request, and no trace of an error."""

    app: ASGIApp
    error: Callable[[int], Response]
    """The page of a status."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        protected = _Protected(send)
        refusal = _refusal(scope)
        if refusal:
            await self.error(refusal)(scope, receive, protected)
            return
        await self._answer(scope, receive, protected)

    async def _answer(self, scope: Scope, receive: Receive, send: "_Protected") -> None:
        try:
            await self.app(scope, _Counted(receive), send)
        except Exception:
            logger.exception("an error while a page was made")
            if send.started:
                raise
            await self.error(500)(scope, receive, send)


def _refusal(scope: Scope) -> int:
    """The status that refuses a request by its first lines alone, or 0."""
    if scope["method"] not in METHODS:
        return 405
    size = Headers(scope=scope).get("content-length", "0")
    if not size.isdecimal() or len(size) > 18:
        return 400
    return 413 if int(size) > MOST_BYTES else 0


class _Counted:
    """What a request sends, which is not believed to be as long as it says."""

    def __init__(self, receive: Receive) -> None:
        self.receive = receive
        self.left = MOST_BYTES

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise HTTPException(413)
        return message


class _Protected:
    """Answers with the headers of all pages; only what says otherwise may be kept by a browser."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self.send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("Cache-Control", NO_STORE)
        await self.send(message)
