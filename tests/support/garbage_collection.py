"""Keeps Python's garbage collector from running, for tests of what is freed without it and of what is left for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_off() -> Iterator[None]:
    """Leave all that is made meanwhile in the youngest generation, where ``gc.collect(0)`` finds garbage in no time."""
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def only_new_objects_collected() -> Iterator[None]:
    """Keep the collector off, and let no collection and no count look at what was there before."""
    for _ in range(10):  # what earlier tests have left may leave garbage again when it is finalized
        if not gc.collect():
            break
    gc.freeze()
    with collector_off():
        yield
