"""How a field gets its data: the loaders of one request, then one file for each type."""

from resolvers.client_errors import BadUserInput, Forbidden
from resolvers.current_time import time_of

__all__ = [
    "BadUserInput",
    "Forbidden",
    "time_of",
]
