"""The files that pages load as they are: scripts and styles that components share, and Plotly's own."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from playground.environment import PACKAGE
from playground.server.respond import ONE_DAY

PARTS = PACKAGE / "ui" / "components" / "parts"
PLOTLY = files("plotly") / "package_data"


class _CachedFiles(StaticFiles):
    """Files that a browser may keep for a day."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = f"public, max-age={ONE_DAY}"
        return response


ROUTES: list[BaseRoute] = [
    Mount(address, app=_CachedFiles(directory=str(folder)), middleware=[Middleware(GZipMiddleware, compresslevel=5)])
    for address, folder in (("/parts", PARTS), ("/plotly", PLOTLY))
]
