"""A study that a server shows to real browsers, within this process."""

import socket
import threading
import time
from contextlib import contextmanager

import uvicorn

from xbench_study.pages.server import configured


@contextmanager
def listening(app, proxies=""):
    """The address of a server that ends with the block; it takes a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen(128)
        server = uvicorn.Server(configured(app, "127.0.0.1", 0, proxies=proxies))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        thread.start()
        end = time.monotonic() + 60
        while not server.started and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{free.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
