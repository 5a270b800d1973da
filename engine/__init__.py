"""Runs operations: compiled once, then level by level over all objects of a level. It knows no type by name.

``Engine`` is for the web room. It answers what succeeds and what fails where null may stand; ``HandOver`` says why
something has to be answered by Strawberry's own execution of the same schema instead.
"""

from engine.engine import Engine, Ran
from engine.handover import HandOver, Reason

__all__ = ["Engine", "HandOver", "Ran", "Reason"]
