"""Passes: what leads a researcher to pages of their own without a cookie."""

import re

from xbench_study.pages.security import seal

NAME = re.compile(r"[\w.-]{1,40}", re.ASCII)
"""What annotators may call themselves."""


def pass_of(secret: str, token: str, person: str) -> str:
    """What stands in the addresses of a person's pages; another admin token makes another."""
    return seal(secret, "annotator", token, person)
