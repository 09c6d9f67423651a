"""The translations of the texts in the components' scripts, and the glossary."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from playground.glossary import cards
from playground.messages import languages, locales
from playground.server.respond import AsciiJSON, kept, unless_kept


async def texts(request: Request) -> Response:
    """Return a language's catalogue of the scripts: English texts to their translations."""
    name = request.path_params["language"]
    file = locales() / name / "scripts.json"
    if name not in languages() or not file.is_file():
        raise HTTPException(404)
    return unless_kept(request, file.read_bytes(), AsciiJSON.media_type)


async def glossary(request: Request) -> Response:
    """Return the glossary in the reader's language: for each term's English name what its card shows."""
    return kept(request, cards())


ROUTES: list[BaseRoute] = [Route("/api/text/{language}.json", texts), Route("/api/glossary", glossary)]
