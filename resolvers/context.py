"""What every resolver finds in ``info.context``."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from resolvers.loaders import Loaders
from upstream.freshness import Status


@dataclass(frozen=True, slots=True)
class Context:
    """The state of one request. ``status`` is that of the catalog it is answered from."""

    loaders: Loaders
    status: Status


Info = strawberry.Info[Context, None]
