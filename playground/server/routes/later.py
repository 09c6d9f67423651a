"""Routes whose modules need torch: they are imported once torch is there, so that the server answers before."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module

from anyio import to_thread
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

from playground.server.services import services


class RoutesWithTorch(BaseRoute):
    """The routes of a module of this package, imported when one of them is first requested.

    Args:
        module: the name of the module, which has `ROUTES`.
        address: what their addresses begin with.
    """

    def __init__(self, module: str, address: str) -> None:
        self._module = module
        self._address = f"{address}/"
        self._exact = address

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = str(scope.get("path", ""))
        is_ours = scope["type"] == "http" and (path == self._exact or path.startswith(self._address))
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        router = await to_thread.run_sync(lambda: self._router) if "_router" not in self.__dict__ else self._router
        await router(scope, receive, send)

    @cached_property
    def _router(self) -> Router:
        services().wait_until_warm()
        return Router(import_module(f"playground.server.routes.{self._module}").ROUTES)


ROUTES: list[BaseRoute] = [
    RoutesWithTorch("drawing", "/api/draw"),
    RoutesWithTorch("networks", "/api/network"),
    RoutesWithTorch("evaluation", "/api/evaluation"),
    RoutesWithTorch("fine_tuning", "/api/drawings"),
    RoutesWithTorch("reference", "/api/tensors/reference"),
]
