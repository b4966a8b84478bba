"""A web server on this machine that misbehaves on purpose."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


class Site(NamedTuple):
    """A running server: its address, and the Range header of each request so far."""

    url: str
    ranges: list[str | None]


@contextmanager
def serve(content: bytes, *answers: Answer) -> Iterator[Site]:
    """Answer the first requests as `answers` say, in turn, and the last one for ever after."""
    ranges: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ranges.append(self.headers.get("Range"))
            answers[min(len(ranges), len(answers)) - 1](self, content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}/files/thing.tgz", ranges)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def honest(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send what was asked for, from the asked place on."""
    breaking(len(content))(handler, content)


def breaking(after: int) -> Answer:
    """Announce everything, send so many bytes, and hang up."""

    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        handler.send_response(206 if match else 200)
        if match:
            stated = f"bytes {start}-{len(content) - 1}/{len(content)}"
            handler.send_header("Content-Range", stated)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start : start + after])

    return answer


def deaf(after: int) -> Answer:
    """Ignore Range: send from the start, so many bytes."""

    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:after])

    return answer


def announcing(length: int | None) -> Answer:
    """Send everything, but announce another length, or none."""

    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.send_response(200)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def misplaced(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """Answer a Range with another range."""
    handler.send_response(206)
    handler.send_header("Content-Range", f"bytes 1-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(content) - 1))
    handler.end_headers()
    handler.wfile.write(content[1:])


def refusing(code: int) -> Answer:
    """Answer with an error."""

    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.send_error(code)

    return answer
