"""Gets the data of each field: with the loaders of one request, and one file for each type."""

from resolvers.client_errors import BadUserInput, Forbidden
from resolvers.current_time import time_of

__all__ = [
    "BadUserInput",
    "Forbidden",
    "time_of",
]
