"""The networks in `models/`: shipped, damaged and added ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from playground import environment
from playground.errors import ConfigError, UnknownName
from playground.network.presets import load_presets, preset

DROPPED = {"name": "dropped", "input_shape": [4], "layers": [{"type": "Linear", "out_features": 2}]}


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the networks that come with it, to add to."""
    folder = tmp_path / "models"
    shutil.copytree(environment.ROOT / "models", folder, ignore=shutil.ignore_patterns("pretrained"))
    monkeypatch.setenv("PLAYGROUND_MODELS", str(folder))
    return folder


def test_all_presets_load() -> None:
    presets = load_presets()
    assert presets.faults == {}
    assert sorted(presets.networks) == sorted(path.stem for path in (environment.ROOT / "models").glob("*.json"))


def test_each_preset_has_a_summary_and_a_source() -> None:
    assert [spec.name for spec in load_presets().networks.values() if not (spec.title and spec.summary and spec.source)] == []


def test_a_new_file_in_the_folder_is_a_preset(models: Path) -> None:
    (models / "mine.json").write_text(json.dumps(DROPPED))
    assert preset("dropped").input_shape == (4,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not JSON"),
        (b"\xff", "cannot be read"),
        (b"[" * 100_000, "JSON"),
        (json.dumps({**DROPPED, "layers": [{"type": "Nope"}]}).encode(), "Nope"),
        (json.dumps({**DROPPED, "layers": [{"type": "Conv2d"}]}).encode(), "Layer 0"),
        (json.dumps({**DROPPED, "name": "lenet-5"}).encode(), "lenet-5"),
    ],
    ids=["not-json", "not-text", "deep", "unknown-layer", "does-not-fit", "name-taken"],
)
def test_a_damaged_file_is_listed_with_its_error_and_the_others_load(models: Path, content: bytes, message: str) -> None:
    (models / "zz-broken.json").write_bytes(content)
    presets = load_presets()
    assert list(presets.faults) == ["zz-broken.json"] and message in presets.faults["zz-broken.json"]
    assert len(presets.networks) == len(list(models.glob("*.json"))) - 1


def test_loading_a_damaged_file_by_name_raises_its_error(models: Path) -> None:
    (models / "mine.json").write_text("{")
    with pytest.raises(ConfigError, match=r"mine\.json.*not JSON"):
        preset("mine")


def test_a_folder_named_like_a_file_is_an_error(models: Path) -> None:
    (models / "mine.json").mkdir()
    assert list(load_presets().faults) == ["mine.json"]


def test_the_error_for_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"nope.*lenet-5.*tutorial-cnn"):
        preset("nope")


def test_a_missing_folder_has_no_presets(tmp_path: Path) -> None:
    assert load_presets(tmp_path / "nowhere").networks == {}
