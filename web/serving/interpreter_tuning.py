"""Tunes the interpreter of a process that serves: how it collects garbage, and how often its threads take turns."""

from __future__ import annotations

import gc
import sys

HANDOVER = 0.0005
"""Seconds after which a busy thread hands the interpreter to the event loop."""

YOUNG, AGES = 700, (2, 200)
"""The number of new objects after which the collector looks for garbage among them, and how often it does that
before it looks among the survivors, and then among all objects.

An object costs about a microsecond each time, however often the collector looks, so a lower number makes its pauses
shorter and not dearer. Under an overload with thousands of new documents, the first kind takes up to 5 ms and the
second up to 11 ms. (With 2,000 and 5 they took 14 and 50 ms.) Looking through all takes 20 to 60 ms if documents and
plans are cached. Python's own numbers cause that after every fifteenth large request, and these numbers after a
quarter of a million objects that are still in use, which thousands of new documents make."""


def tune() -> None:
    """Keep the turns of the event loop short. This is called once, when everything has been imported.

    What exists now stays, so the garbage collector need not look through it again and again. Nothing is frozen later,
    because what is in cycles then (connections, errors) would never be freed. Records and plans need no freezing,
    because the collector does not look at them (``gc=False``).
    """
    gc.collect()  # Otherwise garbage would be frozen too.
    gc.freeze()
    gc.set_threshold(YOUNG, *AGES)
    # A turn waits for a thread each time that it wants the interpreter back, by default for 5 ms.
    sys.setswitchinterval(HANDOVER)
