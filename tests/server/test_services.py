"""What happens when the server starts."""

from __future__ import annotations

import threading
from unittest.mock import Mock, call

import pytest
from starlette.testclient import TestClient

from playground.server import services


def test_torch_is_imported_after_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Mock(warm=threading.Event())
    monkeypatch.setattr(services, "services", lambda: server)
    monkeypatch.setattr(services, "import_module", server.import_module)
    services.start()
    server.warm.wait()
    order = [call.needed.wait(services.UNVISITED_SECONDS), call.scheduler.warm_up(), call.import_module("playground.server.warming")]
    assert [each for each in server.mock_calls if each in order] == order


def test_who_waits_for_torch_lets_it_be_imported() -> None:
    server = Mock()
    services.Services.wait_until_warm(server)
    assert server.mock_calls == [call.needed.set(), call.warm.wait()]


def test_the_recording_on_home_says_that_the_page_is_there(client: TestClient) -> None:
    services.services().needed.clear()
    client.get("/api/home/recording")
    assert services.services().needed.is_set()
