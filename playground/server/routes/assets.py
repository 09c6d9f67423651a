"""The scripts that pages load as they are: the modules of the components, and Plotly's own file."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from playground.server import web

PLOTLY = files("plotly") / "package_data"
ONE_YEAR = 365 * 24 * 3600


class _Scripts(StaticFiles):
    """Scripts that a browser may keep for ever: changed ones have another address."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if not path.endswith(".js"):
            raise HTTPException(404)
        return await super().get_response(path, scope)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = f"public, max-age={ONE_YEAR}, immutable"  # no text: a header
        return response


ROUTES: list[BaseRoute] = [
    Mount(f"/{web.address()}{path}", app=_Scripts(directory=str(folder)), middleware=[Middleware(GZipMiddleware, compresslevel=5)])
    for path, folder in (("/plotly", PLOTLY), ("", web.COMPONENTS))
]
