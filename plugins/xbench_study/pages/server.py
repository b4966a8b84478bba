"""The server, and what has to be said before anybody may be recruited."""

import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel
from starlette.applications import Starlette

from xbench import ParameterError
from xbench_study.designs.description import TODO
from xbench_study.material.study import DESCRIPTION, Study

if TYPE_CHECKING:
    from uvicorn import Config


def ready(study: Study) -> list[str]:
    """What is still missing before people may be recruited; empty where nothing is."""
    description = study.description
    reasons = [f"sheet.{name} is not said yet" for name in description.sheet.missing()]
    reasons += [
        f"{place} has {TODO} in it" for place in _todo(description) if "sheet." not in place
    ]
    if not study.of_kind("trial"):
        reasons.append("there is no trial")
    return reasons


def _todo(table: BaseModel, above: str = "") -> Iterator[str]:
    """Places of texts that are still to be written."""
    for name, value in table:
        yield from _unwritten(value, f"{above}{name}")


def _unwritten(value: object, place: str) -> Iterator[str]:
    if isinstance(value, str) and TODO in value:
        yield place
    elif isinstance(value, BaseModel):
        yield from _todo(value, f"{place}.")
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _unwritten(part, f"{place}.{name}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _unwritten(part, f"{place}.{number}")


def require_ready(study: Study) -> None:
    """`ParameterError` that lists what is missing before people may be recruited."""
    reasons = ready(study)
    if reasons:
        raise ParameterError(
            f"study {study.folder} cannot recruit yet: {'; '.join(reasons)}; write it in "
            f"{study.folder / DESCRIPTION}, or look at the pages with `xbench study preview`"
        )


def configured(served: Starlette, host: str, port: int, *, proxies: str = "") -> "Config":
    """How a study is served: nobody's address is logged, and nothing says by what program.

    `proxies` are addresses, divided by commas, whose `X-Forwarded-Proto` is believed.
    """
    from uvicorn import Config

    return Config(
        served,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )


def serve(served: Starlette, host: str, port: int, *, proxies: str = "") -> None:
    """Serve until it is ended, by one process, whose threads answer at once."""
    from uvicorn import Server

    gc.collect()
    gc.freeze()  # what is there stays: nobody has to wait while it is gone through again
    Server(configured(served, host, port, proxies=proxies)).run()
