"""Tunes the interpreter of a process that serves: how it collects garbage, and how often its threads take turns."""

from __future__ import annotations

import gc
import sys

HANDOVER = 0.0005
"""Seconds after which a busy thread hands the interpreter to the event loop."""


def tune() -> None:
    """Keep the turns of the event loop short. To be called once, when everything has been imported.

    What is there now stays, so the garbage collector need not look through it again and again. Nothing is frozen
    later: what a request leaves behind has cycles (parsed documents, plans), and would never be freed. Records
    need no freezing, for the collector does not look at them (``gc=False``).
    """
    gc.collect()  # else what is dead already would be kept
    gc.freeze()
    # A turn waits for a thread as often as it wants the interpreter back; usually 5 ms each time.
    sys.setswitchinterval(HANDOVER)
