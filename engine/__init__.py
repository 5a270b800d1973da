"""Runs operations: compiled once, then level by level over all objects of a level. It knows no type by name.

``Engine`` is for the web room. It does the way of success alone; ``HandOver`` says why something has to be
answered by Strawberry's own execution of the same schema instead.
"""

from engine.engine import Engine
from engine.handover import HandOver, Reason

__all__ = ["Engine", "HandOver", "Reason"]
