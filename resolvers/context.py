"""What every resolver finds in ``info.context``."""

from __future__ import annotations

from dataclasses import dataclass

import strawberry

from resolvers.loaders import Loaders


@dataclass(frozen=True, slots=True)
class Context:
    """The state of one request."""

    loaders: Loaders


Info = strawberry.Info[Context, None]
