"""Scripts that pages load are served compressed; files outside their folder are not served."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from playground.server.routes.assets import PARTS


def test_plotly_is_served_from_the_installed_package(client: TestClient) -> None:
    answer = client.get("/plotly/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["xray.js", "editor.js", "tile.js", "codemirror.js"])
def test_shared_parts_are_served_compressed(client: TestClient, name: str) -> None:
    answer = client.get(f"/parts/{name}", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"] and "max-age" in answer.headers["cache-control"]
    assert len(answer.text) > 500


@pytest.mark.parametrize("path", ["nothing.js", "../mounting.js", "..%2Fmounting.js", "%2e%2e/mounting.js"])
def test_files_outside_the_folder_are_not_served(client: TestClient, path: str) -> None:
    assert (PARTS.parent / "mounting.js").is_file()
    assert client.get(f"/parts/{path}").status_code == 404
