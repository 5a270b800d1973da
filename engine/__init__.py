"""Runs operations: compiled once, then level by level over all objects of a level. It knows no type by name.

``Engine`` is for the gateway. It answers what succeeds and what fails where null may stand; ``Fallback`` says why
something has to be answered by Strawberry's own execution of the same schema instead.
"""

from engine.fallback import Fallback, FallbackReason
from engine.operation_plans import Engine, Ran

__all__ = ["Engine", "Fallback", "FallbackReason", "Ran"]
