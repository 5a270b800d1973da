"""The project's own documents, those of docs/, as the text that they are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_FOLDER = Path(__file__).parent.parent.parent / "docs"


@cache
def doc_titles() -> dict[str, str]:
    """Return the title of each document, by the name of its file."""
    return {path.name: _title(path) for path in sorted(_FOLDER.glob("*.md"))}


async def doc(request: Request) -> Response:
    """Return one of them, in Markdown. As plain text, which browsers show."""
    name = request.path_params["name"]
    if name not in doc_titles():
        raise HTTPException(404)
    text = (_FOLDER / name).read_text(encoding="utf-8")
    return PlainTextResponse(text, headers={"X-Content-Type-Options": "nosniff"})


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return next(lines).removeprefix("#").strip()
