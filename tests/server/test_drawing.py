"""The routes of the Draw page: predictions, layer outputs, calculations and attributions of a drawing or an image."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

from playground.data.catalogue import dataset_info
from playground.data.image_files import read_image, to_input
from playground.data.input_scaling import STANDARDISED
from playground.data.load import load
from playground.data.preprocessing import to_digit
from playground.inference.activations import layer_outputs
from playground.inference.canvas import CANVAS, WIDE
from playground.inference.models import DEFAULT_MODEL, Model, load_model
from playground.inference.network_picture import VIEWS
from playground.inference.segmentation import segment
from playground.network.build import build
from playground.network.presets import preset
from playground.runs.run import Run
from playground.server.routes import drawing

from ..support.learners import ADA, BOB, as_learner


def canvas_with_one() -> np.ndarray:
    canvas = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    canvas[30:110, 66:74] = 255
    return canvas


def canvas_with_eleven() -> np.ndarray:
    canvas = np.zeros((CANVAS, WIDE * CANVAS), dtype=np.uint8)
    canvas[30:110, 100:108] = canvas[20:100, 300:310] = 255
    return canvas


INK = canvas_with_one().tobytes()


def post_ink(client: TestClient, path: str, ink: bytes = INK, **query: Any) -> Any:
    answer = client.post(f"/api/draw/{path}", params={"model": DEFAULT_MODEL, **query}, content=ink)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_drawn_one_is_classified_after_the_preprocessing_steps(client: TestClient) -> None:
    (piece,) = post_ink(client, "answer")["pieces"]
    (prediction,) = piece["answers"]
    assert prediction["label"] == "1" and prediction["warning"] == ""
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-5)
    digit = to_digit(canvas_with_one())
    for name, step in piece["steps"].items():
        expected = getattr(digit, name)
        assert (step["height"], step["width"]) == expected.shape
        assert np.frombuffer(base64.b64decode(step["values"]), np.uint8).tolist() == expected.round().astype(np.uint8).flatten().tolist()


def test_the_digits_of_a_number_are_classified_from_left_to_right(client: TestClient) -> None:
    document = post_ink(client, "answer", canvas_with_eleven().tobytes())
    assert [piece["answers"][0]["label"] for piece in document["pieces"]] == ["1", "1"]
    assert [piece["box"] for piece in document["pieces"]] == [[side / CANVAS for side in box] for box in ((30, 110, 100, 108), (20, 100, 300, 310))]


def test_signs_of_a_number_are_said_and_no_network_is_asked_about_them(client: TestClient) -> None:
    canvas = canvas_with_eleven()
    canvas[66:74, 200:240] = 255
    document = post_ink(client, "answer", canvas.tobytes(), model=[DEFAULT_MODEL, DEFAULT_MODEL])
    assert document["digit_count"] == 2
    assert [piece["kind"] for piece in document["pieces"]] == ["digit", "minus", "digit"]
    assert [answer["label"] for answer in document["pieces"][1]["answers"]] == ["−", "−"]
    assert all(answer["probabilities"] == [] and answer["warning"] == "" for answer in document["pieces"][1]["answers"])
    canvas[:, 90:120] = canvas[:, 290:] = 0
    (alone,) = post_ink(client, "answer", canvas.tobytes())["pieces"]
    assert alone["kind"] == "minus" and "without a digit" in alone["answers"][0]["warning"]


def test_strokes_after_the_ink_separate_overlapping_digits(client: TestClient) -> None:
    ink = canvas_with_eleven()
    ink[:, 200:] = 0
    ink[30:110, 108:116] = 255
    strokes = (ink > 0).astype(np.uint8)
    strokes[:, 108:116] *= 2
    assert len(post_ink(client, "answer", ink.tobytes())["pieces"]) == 1
    body = ink.tobytes() + strokes.tobytes()
    assert [piece["box"][2:] for piece in post_ink(client, "answer", body)["pieces"]] == [[100 / CANVAS, 108 / CANVAS], [108 / CANVAS, 116 / CANVAS]]
    assert post_ink(client, "layers", body, piece=1)["outputs"]


def test_digits_that_cannot_be_separated_are_doubted(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "segment", lambda ink, _classify, _strokes: segment(ink))
    ink = Image.new("L", (WIDE * CANVAS, CANVAS))
    draw = ImageDraw.Draw(ink)
    for start, end in (((30, 30), (380, 110)), ((30, 110), (380, 30)), ((30, 70), (380, 60))):
        draw.line([start, end], fill=255, width=26)
    (piece,) = post_ink(client, "answer", np.asarray(ink).tobytes())["pieces"]
    assert "wider than a digit" in piece["answers"][0]["warning"]


def test_layers_of_a_digit_of_a_number_end_in_its_probabilities(client: TestClient) -> None:
    """Also where the bounding boxes of neighbouring digits overlap."""
    ink = Image.new("L", (WIDE * CANVAS, CANVAS))
    draw = ImageDraw.Draw(ink)
    for left in (60, 94):
        draw.line([(left, 120), (left + 50, 20)], fill=255, width=8)
    body = np.asarray(ink).tobytes()
    pieces = post_ink(client, "answer", body)["pieces"]
    assert len(pieces) == 2 and pieces[0]["box"][3] > pieces[1]["box"][2]
    for number, piece in enumerate(pieces):
        probabilities = np.frombuffer(base64.b64decode(post_ink(client, "layers", body, piece=number)["outputs"][-1]["values"]), "<f2")
        np.testing.assert_allclose(probabilities, piece["answers"][0]["probabilities"], atol=2e-3)
    assert client.post("/api/draw/layers", params={"model": DEFAULT_MODEL, "piece": "2"}, content=body).status_code == 400


def test_a_digit_may_consist_of_many_dots(client: TestClient) -> None:
    ink = np.zeros((CANVAS, CANVAS), dtype=np.uint8)
    for row in range(4, 136, 8):
        ink[row : row + 4, 68:72] = ink[row : row + 4, 20 + row // 2 : 23 + row // 2] = 255
    document = post_ink(client, "answer", ink.tobytes())
    assert len(document["pieces"]) == 1 and document["digit_count"] >= 1


def test_noise_of_thousands_of_parts_is_refused(client: TestClient) -> None:
    ink = np.zeros((CANVAS, WIDE * CANVAS), dtype=np.uint8)
    ink[::2, ::2] = 255
    answer = client.post("/api/draw/answer", params={"model": DEFAULT_MODEL}, content=ink.tobytes())
    assert answer.status_code == 400 and "14700 separate parts" in answer.json()["error"]
    assert len(post_ink(client, "answer", ink[:, :CANVAS].tobytes())["pieces"]) == 1


def test_two_networks_classify_one_drawing(client: TestClient) -> None:
    (piece,) = post_ink(client, "answer", model=[DEFAULT_MODEL, DEFAULT_MODEL])["pieces"]
    assert len(piece["answers"]) == 2 and piece["answers"][0] == piece["answers"][1]


def test_preprocessing_steps_can_be_left_out(client: TestClient) -> None:
    complete, reduced = (post_ink(client, "answer", without=steps)["pieces"][0] for steps in ("", "crop,fit,centre"))
    assert (reduced["steps"]["cropped"]["width"], reduced["steps"]["fitted"]["width"]) == (CANVAS, 28)
    assert complete["steps"]["fitted"]["height"] == 20
    raw = post_ink(client, "layers", without="normalise")["outputs"][0]
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
def test_invalid_drawings_networks_and_steps_are_refused(client: TestClient, path: str, query: dict[str, str], body: bytes, status: int) -> None:
    valid = {"model": DEFAULT_MODEL, "layer": "0", "place": "0,0,0", "method": "saliency", "target": "1"}
    answer = client.post(f"/api/draw/{path}", params={**valid, **query}, content=body)
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
def test_missing_layers_places_methods_and_classes_are_refused(client: TestClient, path: str, query: dict[str, Any]) -> None:
    answer = client.post(f"/api/draw/{path}", params={"model": DEFAULT_MODEL, **query}, content=INK)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]


def test_a_network_of_another_learners_run_cannot_be_used(client: TestClient, run: Run) -> None:
    for path in ("answer", "layers", "calculation?layer=0&place=0", "attribution?method=saliency&target=0"):
        for name in (run.id, f"{run.id}@1"):  # the latest checkpoint, and an earlier one
            address = f"/api/draw/{path}{'&' if '?' in path else '?'}model={name}"
            assert as_learner(client, BOB).post(address, content=INK).status_code == 403
            assert as_learner(client, ADA).post(address, content=INK).status_code == 400  # no checkpoint yet
    assert as_learner(client, BOB).get(f"/api/draw/network?model={run.id}").status_code == 403


def test_layer_outputs_are_those_of_the_network(client: TestClient) -> None:
    model = load_model(DEFAULT_MODEL)
    outputs = layer_outputs(model, to_digit(canvas_with_one()).input)
    logits = model.network(model.prepare(to_digit(canvas_with_one()).input.unsqueeze(0)))
    assert torch.allclose(outputs[-2], logits, rtol=1e-5, atol=1e-5)
    assert torch.allclose(outputs[-1], logits.softmax(dim=1), rtol=1e-4, atol=1e-6)
    documents = post_ink(client, "layers")["outputs"]
    assert [document["shape"] for document in documents] == [list(value.shape[1:]) for value in outputs]
    for document, value in zip(documents, outputs, strict=True):
        sent = np.frombuffer(base64.b64decode(document["values"]), "<f2").astype(np.float32)
        np.testing.assert_allclose(sent, value.flatten()[: len(sent)].numpy(), rtol=1e-3, atol=1e-4)


def test_layers_have_windows_and_receptive_fields(client: TestClient) -> None:
    layers = client.get("/api/draw/network", params={"model": DEFAULT_MODEL}).json()["layers"]
    assert [layer["type"] for layer in layers] == [*(type(layer).__name__ for layer in load_model(DEFAULT_MODEL).network), "Softmax"]
    first = layers[0]
    assert first["receptive_field"] == first["window"]
    assert first["receptive_field"]["rows"][3] == [6, 11]  # a kernel of 5 with stride 2
    assert layers[3]["window"]["columns"][4] == [4, 7] and layers[3]["receptive_field"]["columns"][4] == [8, 17]
    assert layers[-1]["receptive_field"] is None


def test_a_calculation_results_in_the_value_of_the_layer_output(client: TestClient) -> None:
    outputs = layer_outputs(load_model(DEFAULT_MODEL), to_digit(canvas_with_one()).input)
    for index, place in ((0, (3, 5, 6)), (1, (3, 5, 6)), (3, (7, 2, 2)), (6, (0, 1, 1)), (12, (5,)), (14, (1,)), (15, (1,))):
        document = post_ink(client, "calculation", layer=index, place=",".join(map(str, place)))
        assert document["calculation"]["result"] == pytest.approx(float(outputs[index + 1][0][place]), rel=1e-4, abs=1e-4)
    assert document["receptive_field"] == [[0, 27], [0, 27]]  # with stride 2 the last row and column are in no window


def test_attribution_is_for_a_class_or_for_its_difference_from_another(client: TestClient) -> None:
    for query in ({"target": 1}, {"target": 1, "versus": 7}):
        document = post_ink(client, "attribution", method="integrated-gradients", **query)
        assert (document["width"], document["height"]) == (28, 28) and document["signed"] and document["bound"] > 0


@pytest.fixture
def colour_model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """An untrained network for colour images, in place of every network that is requested."""
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


def test_an_image_is_resized_to_the_networks_input(client: TestClient, colour_model: Model) -> None:
    (piece,) = post_ink(client, "answer", png())["pieces"]
    expected = to_input(Image.open(io.BytesIO(png())), colour_model.info)
    assert piece["seen"]["shape"] == [3, 32, 32]
    assert base64.b64decode(piece["seen"]["values"]) == expected.numpy().tobytes()
    assert piece["answers"][0]["probabilities"] == pytest.approx(colour_model.predict(expected).probabilities)
    assert "less than" in piece["answers"][0]["warning"]
    outputs = post_ink(client, "layers", png())["outputs"]
    assert outputs[0]["shape"] == [3, 32, 32]
    calculation = post_ink(client, "calculation", png(), layer=0, place="1,2,3")["calculation"]
    assert calculation["result"] == pytest.approx(float(layer_outputs(colour_model, expected)[1][0][1, 2, 3]), rel=1e-4, abs=1e-5)
    assert post_ink(client, "attribution", png(), method="occlusion", target=3)["width"] == 32


def test_an_image_is_decoded_once_for_all_networks(client: TestClient, colour_model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(drawing, "read_image", lambda body, most: decoded.append(body) or read_image(body, most))
    (piece,) = post_ink(client, "answer", png(), model=["colours", "colours"])["pieces"]
    assert len(piece["answers"]) == 2 and decoded == [png()]


def test_a_photograph_of_a_digit_is_classified_as_a_drawing_is(client: TestClient) -> None:
    file = io.BytesIO()
    Image.fromarray(255 - canvas_with_one()).save(file, "PNG")  # dark on light
    (piece,) = post_ink(client, "answer", file.getvalue())["pieces"]
    assert piece["answers"][0]["label"] == "1"


def test_a_network_for_colour_images_refuses_a_drawing(client: TestClient, colour_model: Model) -> None:
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
    ids=["truncated header", "truncated data", "too many pixels", "decompression bomb", "no JPEG", "signature only", "too long"],
)
def test_images_that_cannot_be_read_are_refused(client: TestClient, colour_model: Model, path: str, content: bytes) -> None:
    answer = client.post(f"/api/draw/{path}", params={"model": "colours"}, content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_network_is_drawn_at_work_on_a_drawing_on_nothing_and_on_a_test_image(client: TestClient, run: Run) -> None:
    run.checkpoints.save({"weights": build(preset("mnist-mlp")).state_dict(), "step": 30})

    def seen(body: bytes = b"", **query: str) -> list[int]:
        answer = as_learner(client, ADA).post("/api/draw/picture", params={"model": run.id, **query}, content=body)
        return np.frombuffer(base64.b64decode(answer.json()["columns"][0]["values"]), np.int8).tolist() if answer.status_code == 200 else []

    images = load("mnist-5k")
    three = images.test_images[int((images.test_labels == 3).nonzero()[0])]
    assert not any(seen()) and any(seen(INK))
    assert seen(gallery="3") == (three.ravel() // 2).tolist()
    assert seen(gallery="1000") == seen(gallery="one") == seen(view="sounds") == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_picture_shows_the_view_that_was_asked_for(client: TestClient, view: str) -> None:
    assert client.post("/api/draw/picture", params={"model": DEFAULT_MODEL, "view": view}, content=INK).json()["view"] == view


@pytest.mark.parametrize("path", ["draw/network", "evaluation"])
def test_of_an_unknown_network_the_one_with_the_nearest_name_is_proposed(client: TestClient, run: Run, path: str) -> None:
    answer = as_learner(client, ADA).get(f"/api/{path}", params={"model": "mnist-cn", "dataset": "mnist-5k"})
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("There is no trained network called “mnist-cn”. Did you mean “mnist-cnn”? Known: mnist-cnn")
    assert run.id not in answer.text  # it belongs to a learner


def photo_of_digits() -> bytes:
    """A one above two ones, on lined paper in uneven light."""
    image = Image.new("L", (400, 300), 220)
    draw = ImageDraw.Draw(image)
    for row in range(10, 300, 40):
        draw.line([(0, row), (400, row)], fill=150, width=2)
    for left, top in ((200, 50), (180, 180), (240, 180)):
        draw.line([(left, top), (left, top + 80)], fill=40, width=8)
    content = io.BytesIO()
    shade = np.linspace(1, 0.6, 400)
    Image.fromarray((np.asarray(image) * shade).astype(np.uint8)).save(content, "JPEG", quality=90)
    return content.getvalue()


def test_the_digits_of_a_photograph_are_classified_line_by_line(client: TestClient) -> None:
    answer = post_ink(client, "answer", photo_of_digits())
    assert [(piece["answers"][0]["label"], piece["line"]) for piece in answer["pieces"]] == [("1", 0), ("1", 1), ("1", 1)]
    assert answer["pieces"][1]["box"] == pytest.approx((180 / 300, 261 / 300, 176 / 300, 185 / 300), abs=0.02)
    assert answer["digit_count"] == 3
    for image in answer["photograph"].values():
        assert (image["width"], image["height"]) == (264, 198) and len(base64.b64decode(image["values"])) == 264 * 198


def test_the_network_is_shown_at_work_on_a_digit_of_a_photograph(client: TestClient) -> None:
    first, second = (post_ink(client, "layers", photo_of_digits(), piece=piece)["outputs"][0] for piece in (0, 1))
    assert first["shape"] == [1, 28, 28] and first != second
    answer = client.post("/api/draw/picture", params={"model": DEFAULT_MODEL, "piece": 3}, content=photo_of_digits())
    assert answer.status_code == 400 and "There is no digit “3”" in answer.json()["error"]


def test_a_photograph_without_digits_is_refused_in_a_sentence(client: TestClient) -> None:
    content = io.BytesIO()
    Image.new("L", (300, 200), 200).save(content, "PNG")
    answer = client.post("/api/draw/answer", params={"model": DEFAULT_MODEL}, content=content.getvalue())
    assert answer.status_code == 400 and "There is no writing in this image" in answer.json()["error"]
