"""The route of the reference of tensor operations."""

from __future__ import annotations

from starlette.testclient import TestClient

from playground.tensors.help.reference import entries


def test_the_reference_has_every_operation_and_is_sent_once(client: TestClient) -> None:
    answer = client.get("/api/tensors/reference")
    assert answer.status_code == 200
    assert client.get("/api/tensors/reference", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    rows = answer.json()
    assert [entry["name"] for entry in rows] == [entry.name for entry in entries()]
    assert all(entry.keys() == {"name", "label", "group", "signature", "summary"} and entry["label"] == entry["name"] for entry in rows)
    assert client.post("/api/tensors/reference").status_code == 405
