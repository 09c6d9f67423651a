"""Environment variables: their values, defaults, and the errors for invalid ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground import environment
from playground.errors import ConfigError

FOLDERS = {
    "PLAYGROUND_DATA": (environment.data_folder, "data"),
    "PLAYGROUND_RUNS": (environment.runs_folder, "runs"),
    "PLAYGROUND_MODELS": (environment.models_folder, "models"),
}
NUMBERS = {
    "PLAYGROUND_WORKERS": environment.workers,
    "PLAYGROUND_THREADS": environment.training_threads,
    "PLAYGROUND_TIMEOUT": environment.network_timeout,
    "PLAYGROUND_SCRIPT_SECONDS": environment.script_seconds,
}


@pytest.mark.parametrize("variable", FOLDERS)
def test_a_folder_is_beside_the_app_unless_its_variable_is_set(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, name = FOLDERS[variable]
    monkeypatch.setenv(variable, str(tmp_path / "else"))
    assert folder() == (tmp_path / "else").resolve()
    for unset in (lambda: monkeypatch.setenv(variable, ""), lambda: monkeypatch.delenv(variable)):
        unset()
        assert folder() == environment.ROOT / name


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The playground as from a wheel: pages and models inside the package; returns the folder that holds them."""
    package = tmp_path / "site-packages" / "playground"
    monkeypatch.setattr(environment, "PACKAGE", package)
    monkeypatch.setattr(environment, "ROOT", package / "bundled")
    for variable in ("PLAYGROUND_HOME", *FOLDERS):
        monkeypatch.delenv(variable, raising=False)
    return package / "bundled"


@pytest.mark.parametrize(
    ("system", "variables", "folder"),
    [
        pytest.param("Linux", {}, ".local/share", id="linux"),
        pytest.param("Linux", {"XDG_DATA_HOME": "~/shared"}, "shared", id="linux-xdg"),
        pytest.param("Darwin", {}, "Library/Application Support", id="macos"),
        pytest.param("Windows", {}, "AppData/Local", id="windows"),
        pytest.param("Windows", {"LOCALAPPDATA": "~/local"}, "local", id="windows-local-appdata"),
    ],
)
def test_an_installed_playground_keeps_files_in_the_users_data_folder(
    system: str, variables: dict[str, str], folder: str, installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("platform.system", lambda: system)
    home = tmp_path / folder / "pytorch-playground"
    assert (environment.home(), environment.data_folder(), environment.runs_folder()) == (home, home / "data", home / "runs")
    assert environment.model_folders() == [installed / "models", home / "models"]


def test_in_a_checkout_the_home_is_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_HOME", raising=False)
    monkeypatch.delenv("PLAYGROUND_MODELS", raising=False)
    assert environment.home() == environment.ROOT == environment.PACKAGE.parent
    assert environment.model_folders() == [environment.ROOT / "models"]


def test_playground_home_contains_data_runs_and_own_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    assert (environment.data_folder(), environment.runs_folder()) == (tmp_path / "data", tmp_path / "runs")
    assert environment.model_folders() == [environment.ROOT / "models", tmp_path / "models"]
    monkeypatch.setenv("PLAYGROUND_MODELS", str(tmp_path / "only-these"))
    assert environment.model_folders() == [tmp_path / "only-these"]


def test_a_folder_can_be_relative_or_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLAYGROUND_RUNS", "here")
    assert environment.runs_folder() == (tmp_path / "here").resolve()
    monkeypatch.setenv("PLAYGROUND_RUNS", "~/there")
    assert environment.runs_folder() == (tmp_path / "home" / "there").resolve()


def test_the_root_holds_the_app() -> None:
    assert (environment.ROOT / "streamlit_app.py").is_file() and (environment.ROOT / "models" / "mnist-cnn.json").is_file()


@pytest.mark.parametrize("variable", NUMBERS)
@pytest.mark.parametrize("text", ["0", "-1", "many", "nan", "1e", " "], ids=repr)
def test_an_invalid_number_is_refused(variable: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(ConfigError) as caught:
        NUMBERS[variable]()
    assert variable in str(caught.value) and f"“{text}”" in str(caught.value)


@pytest.mark.parametrize("variable", NUMBERS)
def test_a_number_is_read_from_its_variable(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "3")
    assert NUMBERS[variable]() == 3


def test_an_infinite_timeout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket takes no infinite timeout."""
    monkeypatch.setenv("PLAYGROUND_TIMEOUT", "inf")
    with pytest.raises(ConfigError, match="PLAYGROUND_TIMEOUT"):
        environment.network_timeout()


@pytest.mark.parametrize(("cores", "workers", "threads"), [(1, 1, 1), (2, 1, 2), (4, 1, 4), (8, 2, 4), (64, 16, 4)])
def test_cores_are_divided_among_workers(cores: int, workers: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "cores", lambda: cores)
    for variable in ("PLAYGROUND_WORKERS", "PLAYGROUND_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    assert (environment.workers(), environment.training_threads()) == (workers, threads)


def test_with_more_workers_than_cores_each_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "cores", lambda: 2)
    monkeypatch.setenv("PLAYGROUND_WORKERS", "5")
    monkeypatch.delenv("PLAYGROUND_THREADS", raising=False)
    assert environment.training_threads() == 1


def test_cores_are_those_available_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert environment.cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert environment.cores() == 1


def test_there_is_no_mirror_unless_its_variable_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_MIRROR", "")
    assert environment.mirror() is None
    monkeypatch.setenv("PLAYGROUND_MIRROR", "file:///srv/data")
    assert environment.mirror() == "file:///srv/data"
