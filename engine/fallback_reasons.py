"""Lists the reasons for which the engine stops and Strawberry's own execution answers, with what was loaded already.

The engine itself answers a failure where null is allowed: a resolver that raises or gives an error, an argument, a
load, an item of a list, a value that its leaf type does not take.

============ =======================================================================================
reason       what the engine met
============ =======================================================================================
operation    a mutation or a subscription
introspection ``__schema`` or ``__type``
directive    a directive other than ``@skip`` and ``@include``, so ``@defer`` and ``@stream`` too
extension    the schema has an extension that takes part in the execution
variables    variables that do not fit, or a condition that is null
error        an exception where the schema allows no null, while the type of an object is decided, or anywhere
             if the request halts at errors
null         null where the schema allows none
value        a value of a kind that only the full execution completes, such as an iterator
path         a resolver that asks for its whole path below the root, which the engine does not track
============ =======================================================================================
"""

from __future__ import annotations

from typing import Literal

FallbackReason = Literal[
    "operation", "introspection", "directive", "extension", "variables", "error", "null", "value", "path"
]


class Fallback(Exception):
    """The engine cannot answer this operation, at least not with these values."""

    def __init__(self, reason: FallbackReason) -> None:
        super().__init__(reason)
        self.reason = reason
