"""Scripts that pages load: compressed, kept for ever under an address of their contents, and nothing but scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from playground.server import web


@pytest.mark.parametrize("name", ["plotly/plotly.min.js", "tensor_lab/view.js", "shared/editor.js", "shared/tile.js", "shared/vendor/codemirror.js"])
def test_scripts_are_compressed_and_kept_for_ever(client: TestClient, name: str) -> None:
    answer = client.get(f"/{web.address()}/{name}", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
    assert "javascript" in answer.headers["content-type"] and "immutable" in answer.headers["cache-control"]
    assert len(answer.text) > 500


@pytest.mark.parametrize("path", ["nothing.js", "__init__.py", "tensor_lab/view.html", "../components/__init__.py", "..%2Fstate.py", "%2e%2e/state.py"])
def test_nothing_but_scripts_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/{web.address()}/{path}").status_code == 404


def test_scripts_of_another_version_are_not_served(client: TestClient) -> None:
    """A page of the version before never gets a script of this one."""
    assert client.get("/web/0123456789abcdef/tensor_lab/view.js").status_code == 404


def test_the_address_follows_the_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "COMPONENTS", tmp_path)
    addresses = set()
    for name, text in (("a.js", "1"), ("a.js", "2"), ("b.js", "2"), ("b.css", "no script")):
        (tmp_path / name).write_text(text)
        addresses.add(web.address.__wrapped__())
    assert len(addresses) == 3
