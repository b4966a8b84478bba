"""The server, and what has to be said before anybody may be recruited."""

from collections.abc import Iterator

from pydantic import BaseModel
from starlette.applications import Starlette

from xbench_study.designs.description import TODO
from xbench_study.material.study import Study


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


def serve(
    served: Starlette, host: str, port: int, *, proxies: str = "", log_level: str = "warning"
) -> None:
    """Serve until it is ended.

    No address of a participant's computer is logged or kept. `proxies` are addresses, divided by
    commas, whose `X-Forwarded-Proto` is believed.
    """
    import uvicorn

    uvicorn.run(
        served,
        host=host,
        port=port,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        log_level=log_level,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=32 * 1024,
    )
