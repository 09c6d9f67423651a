"""The Draw page's routes: what networks say of a drawing, what is refused, and that every number is the network's own."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.data.catalogue import dataset_info
from playground.data.input_scaling import STANDARDISED
from playground.inference.activations import layer_outputs
from playground.inference.canvas import CANVAS, WIDE
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.inference.preprocessing import read_image, to_digit, to_input
from playground.network.build import build
from playground.network.presets import preset
from playground.runs.run import Run
from playground.server.asgi import MIDDLEWARE
from playground.server.routes import drawing
from playground.server.services import services

from .conftest import ADA, BOB, as_learner


@pytest.fixture
def client() -> Iterator[TestClient]:
    services().warm.set()
    with TestClient(Starlette(routes=drawing.ROUTES, middleware=MIDDLEWARE)) as client:
        yield client


def one() -> np.ndarray:
    canvas = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    canvas[30:110, 66:74] = 255
    return canvas


def eleven() -> np.ndarray:
    canvas = np.zeros((CANVAS, WIDE * CANVAS), dtype=np.uint8)
    canvas[30:110, 100:108] = canvas[20:100, 300:310] = 255
    return canvas


INK = one().tobytes()


def asked(client: TestClient, path: str, ink: bytes = INK, **query: Any) -> Any:
    answer = client.post(f"/api/draw/{path}", params={"model": DEFAULT_MODEL, **query}, content=ink)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_drawn_one_is_read(client: TestClient) -> None:
    (piece,) = asked(client, "answer")["pieces"]
    (said,) = piece["answers"]
    assert said["label"] == "1" and said["warning"] == ""
    assert sum(said["probabilities"]) == pytest.approx(1, abs=1e-5)
    digit = to_digit(one())
    for name, step in piece["steps"].items():
        expected = getattr(digit, name)
        assert (step["height"], step["width"]) == expected.shape
        assert np.frombuffer(base64.b64decode(step["values"]), np.uint8).tolist() == expected.round().astype(np.uint8).flatten().tolist()


def test_a_number_is_read_from_left_to_right(client: TestClient) -> None:
    found = asked(client, "answer", eleven().tobytes())
    assert [piece["answers"][0]["label"] for piece in found["pieces"]] == ["1", "1"]
    assert [piece["box"] for piece in found["pieces"]] == [[side / CANVAS for side in box] for box in ((30, 110, 100, 108), (20, 100, 300, 310))]


def test_a_digit_of_a_number_is_looked_at_as_it_was_read(client: TestClient) -> None:
    """Also where the next one leans over it."""
    ink = Image.new("L", (WIDE * CANVAS, CANVAS))
    draw = ImageDraw.Draw(ink)
    for left in (60, 94):
        draw.line([(left, 120), (left + 50, 20)], fill=255, width=8)
    body = np.asarray(ink).tobytes()
    pieces = asked(client, "answer", body)["pieces"]
    assert len(pieces) == 2 and pieces[0]["box"][3] > pieces[1]["box"][2]
    for number, piece in enumerate(pieces):
        shown = np.frombuffer(base64.b64decode(asked(client, "layers", body, piece=number)["outputs"][-1]["values"]), "<f2")
        np.testing.assert_allclose(shown, piece["answers"][0]["probabilities"], atol=2e-3)
    assert client.post("/api/draw/layers", params={"model": DEFAULT_MODEL, "piece": "2"}, content=body).status_code == 400


def test_one_digit_may_be_made_of_many_dots(client: TestClient) -> None:
    ink = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    for row in range(4, 136, 8):
        ink[row : row + 4, 68:72] = ink[row : row + 4, 20 + row // 2 : 23 + row // 2] = 255
    found = asked(client, "answer", ink.tobytes())
    assert len(found["pieces"]) == 1 and found["digit_count"] >= 1


def test_noise_is_refused_before_its_pieces_are_compared(client: TestClient) -> None:
    ink = np.zeros((CANVAS, WIDE * CANVAS), dtype=np.uint8)
    ink[::2, ::2] = 255
    answer = client.post("/api/draw/answer", params={"model": DEFAULT_MODEL}, content=ink.tobytes())
    assert answer.status_code == 400 and "14700 separate parts" in answer.json()["error"]
    assert len(asked(client, "answer", ink[:, :CANVAS].tobytes())["pieces"]) == 1


def test_two_networks_answer_to_one_drawing(client: TestClient) -> None:
    (piece,) = asked(client, "answer", model=[DEFAULT_MODEL, DEFAULT_MODEL])["pieces"]
    assert len(piece["answers"]) == 2 and piece["answers"][0] == piece["answers"][1]


def test_a_step_left_out_is_left_out(client: TestClient) -> None:
    whole, without = (asked(client, "answer", without=steps)["pieces"][0] for steps in ("", "crop,fit,centre"))
    assert (without["steps"]["cropped"]["width"], without["steps"]["fitted"]["width"]) == (CANVAS, 28)
    assert whole["steps"]["fitted"]["height"] == 20
    raw = asked(client, "layers", without="normalise")["outputs"][0]
    assert (raw["low"], raw["high"]) == (0, 255)


@pytest.mark.parametrize("path", ["answer", "layers", "calculation", "attribution"])
@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ({}, b"", 400),
        ({}, bytes(10), 400),
        ({}, bytes(drawing.MAX_BODY + 1), 400),
        ({}, bytes(CANVAS**2), 400),
        ({"model": "nothing"}, INK, 404),
        ({"model": "../../etc/passwd"}, INK, 404),
        ({"model": ""}, INK, 404),
        ({"without": "sleep"}, INK, 400),
    ],
    ids=["no body", "too short", "too long", "empty drawing", "unknown network", "a path", "no network", "no step"],
)
def test_what_cannot_be_answered_is_told_kindly(client: TestClient, path: str, query: dict[str, str], body: bytes, status: int) -> None:
    given = {"model": DEFAULT_MODEL, "layer": "0", "place": "0,0,0", "method": "saliency", "target": "1"}
    answer = client.post(f"/api/draw/{path}", params={**given, **query}, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("answer", {"model": [DEFAULT_MODEL] * 3}),
        ("calculation", {"layer": "0"}),
        ("calculation", {"layer": "x", "place": "0"}),
        ("calculation", {"layer": "99", "place": "0"}),
        ("calculation", {"layer": "-1", "place": "0"}),
        ("calculation", {"layer": "0", "place": "0,0"}),
        ("calculation", {"layer": "0", "place": "0,0,99"}),
        ("calculation", {"layer": "0", "place": "-1,0,0"}),
        ("attribution", {"method": "magic", "target": "1"}),
        ("attribution", {"method": "saliency", "target": "10"}),
        ("attribution", {"method": "saliency", "target": "-1"}),
        ("attribution", {"method": "saliency", "target": "1", "versus": "x"}),
    ],
)
def test_questions_about_what_is_not_there_are_refused(client: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = client.post(f"/api/draw/{path}", params={"model": DEFAULT_MODEL, **query}, content=INK)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_a_strangers_network_does_not_answer(client: TestClient, run: Run) -> None:
    for path in ("answer", "layers", "calculation?layer=0&place=0", "attribution?method=saliency&target=0"):
        address = f"/api/draw/{path}{'&' if '?' in path else '?'}model={run.id}"
        assert as_learner(client, BOB).post(address, content=INK).status_code == 403
        assert as_learner(client, ADA).post(address, content=INK).status_code == 400  # nothing kept yet
    assert as_learner(client, BOB).get(f"/api/draw/network?model={run.id}").status_code == 403


def test_the_layers_are_the_networks_own(client: TestClient) -> None:
    model = load_model(DEFAULT_MODEL)
    seen = layer_outputs(model, to_digit(one()).input)
    logits = model.network(model.prepare(to_digit(one()).input.unsqueeze(0)))
    assert torch.allclose(seen[-2], logits, rtol=1e-5, atol=1e-5)
    assert torch.allclose(seen[-1], logits.softmax(dim=1), rtol=1e-4, atol=1e-6)
    told = asked(client, "layers")["outputs"]
    assert [output["shape"] for output in told] == [list(value.shape[1:]) for value in seen]
    for output, value in zip(told, seen, strict=True):
        shown = np.frombuffer(base64.b64decode(output["values"]), "<f2").astype(np.float32)
        np.testing.assert_allclose(shown, value.flatten()[: len(shown)].numpy(), rtol=1e-3, atol=1e-4)


def test_where_each_pixel_looks_is_told_once(client: TestClient) -> None:
    layers = client.get("/api/draw/network", params={"model": DEFAULT_MODEL}).json()["layers"]
    assert [layer["type"] for layer in layers] == [*(type(layer).__name__ for layer in load_model(DEFAULT_MODEL).network), "Softmax"]
    first = layers[0]
    assert first["receptive_field"] == first["window"]
    assert first["receptive_field"]["rows"][3] == [6, 11]  # a kernel of 5 with stride 2
    assert layers[3]["window"]["columns"][4] == [4, 7] and layers[3]["receptive_field"]["columns"][4] == [8, 17]
    assert layers[-1]["receptive_field"] is None


def test_a_number_is_written_out_to_its_value(client: TestClient) -> None:
    seen = layer_outputs(load_model(DEFAULT_MODEL), to_digit(one()).input)
    for index, place in ((0, (3, 5, 6)), (1, (3, 5, 6)), (3, (7, 2, 2)), (6, (0, 1, 1)), (12, (5,)), (14, (1,)), (15, (1,))):
        told = asked(client, "calculation", layer=index, place=",".join(map(str, place)))
        assert told["calculation"]["result"] == pytest.approx(float(seen[index + 1][0][place]), rel=1e-4, abs=1e-4)
    assert told["receptive_field"] == [[0, 27], [0, 27]]  # with stride 2 the last row and column are never looked at


def test_why_is_told_for_a_class_and_against_another(client: TestClient) -> None:
    for query in ({"target": 1}, {"target": 1, "versus": 7}):
        found = asked(client, "attribution", method="integrated-gradients", **query)
        assert (found["width"], found["height"]) == (28, 28) and found["signed"] and found["bound"] > 0


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> Model:
    """A network for colour pictures that has learnt nothing."""
    spec = preset("cifar-fast")
    model = Model("colours", spec, dataset_info("cifar10"), STANDARDISED, build(spec, seed=0).eval().requires_grad_(False), torch.device("cpu"))
    monkeypatch.setattr(drawing, "_model", lambda _name, _who: model)
    return model


def png(width: int = 60, height: int = 40) -> bytes:
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (width // 2, 0, width, height))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_seen_as_the_network_takes_it(client: TestClient, colours: Model) -> None:
    (piece,) = asked(client, "answer", png())["pieces"]
    expected = to_input(Image.open(io.BytesIO(png())), colours.info)
    assert piece["seen"]["shape"] == [3, 32, 32]
    assert base64.b64decode(piece["seen"]["values"]) == expected.numpy().tobytes()
    assert piece["answers"][0]["probabilities"] == pytest.approx(colours.predict(expected).probabilities)
    assert "less than" in piece["answers"][0]["warning"]
    outputs = asked(client, "layers", png())["outputs"]
    assert outputs[0]["shape"] == [3, 32, 32]
    told = asked(client, "calculation", png(), layer=0, place="1,2,3")["calculation"]
    assert told["result"] == pytest.approx(float(layer_outputs(colours, expected)[1][0][1, 2, 3]), rel=1e-4, abs=1e-5)
    assert asked(client, "attribution", png(), method="occlusion", target=3)["width"] == 32


def test_an_image_is_decoded_once_for_all_networks(client: TestClient, colours: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(drawing, "read_image", lambda body, most: decoded.append(body) or read_image(body, most))
    (piece,) = asked(client, "answer", png(), model=["colours", "colours"])["pieces"]
    assert len(piece["answers"]) == 2 and decoded == [png()]


def test_a_photograph_of_a_digit_is_read_as_a_drawing_is(client: TestClient) -> None:
    file = io.BytesIO()
    Image.fromarray(255 - one()).save(file, "PNG")  # dark on light
    (piece,) = asked(client, "answer", file.getvalue())["pieces"]
    assert piece["answers"][0]["label"] == "1"


def test_a_network_for_pictures_reads_no_ink(client: TestClient, colours: Model) -> None:
    answer = client.post("/api/draw/answer", params={"model": "colours"}, content=INK)
    assert answer.status_code == 400 and "cannot classify drawn digits" in answer.json()["error"]


BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)


@pytest.mark.parametrize("path", ["answer", "layers"])
@pytest.mark.parametrize(
    "content",
    [
        png()[:60],
        png()[:-30],
        png(2_500, 2_000),
        BOMB + struct.pack(">I", zlib.crc32(BOMB[12:])),
        b"\xff\xd8\xff" + bytes(500),
        b"\x89PNG\r\n\x1a\n",
        png() + bytes(drawing.MAX_BODY),
    ],
    ids=["cut off", "cut off late", "many pixels", "a bomb", "no jpeg", "a signature", "too long"],
)
def test_pictures_that_cannot_be_read_are_refused_kindly(client: TestClient, colours: Model, path: str, content: bytes) -> None:
    answer = client.post(f"/api/draw/{path}", params={"model": "colours"}, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]
