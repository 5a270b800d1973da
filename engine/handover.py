"""Where the engine stops, and Strawberry's own execution answers instead.

============ =======================================================================================
reason       what the engine met
============ =======================================================================================
operation    a mutation or a subscription
introspection ``__schema`` or ``__type``
directive    a directive other than ``@skip`` and ``@include``, so ``@defer`` and ``@stream`` too
extension    the schema has an extension that takes part in the execution
variables    variables that do not fit, or a condition that is null
error        an exception, raised or returned: the answer has an error at some path
null         null where the schema allows none
value        a value of a kind that only the full execution completes, such as an iterator
path         a resolver that asks for its whole path below the root, which the engine does not track
============ =======================================================================================
"""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "operation", "introspection", "directive", "extension", "variables", "error", "null", "value", "path"
]


class HandOver(Exception):
    """The engine cannot answer this operation, or not with these values."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason
