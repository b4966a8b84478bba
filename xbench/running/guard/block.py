"""Stub."""

import contextlib


@contextlib.contextmanager
def guarded(owner, modules, seed, say, tensors=()):
    yield
