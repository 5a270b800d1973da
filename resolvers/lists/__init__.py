"""Orders lists of records and gives them page by page."""

from resolvers.lists.list_sizes import OTHER_SIZE, USUAL_SIZES, Length, ListSizes, list_sizes
from resolvers.lists.pagination import DEFAULT_PAGE, MAX_PAGE, Connection

__all__ = [
    "DEFAULT_PAGE",
    "MAX_PAGE",
    "OTHER_SIZE",
    "USUAL_SIZES",
    "Connection",
    "Length",
    "ListSizes",
    "list_sizes",
]
