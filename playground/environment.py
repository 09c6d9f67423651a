"""Where things live and how much of the machine to use: the environment variables, in one place."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from playground.errors import ConfigError

PACKAGE = Path(__file__).resolve().parent
ROOT = bundled if (bundled := PACKAGE / "bundled").is_dir() else PACKAGE.parent
"""The folder that holds `streamlit_app.py`, `pages/`, `models/` and `.streamlit/`: the checkout, or `bundled/` inside the installed package."""

T = TypeVar("T", int, float)


def home() -> Path:
    """Where data, runs and a learner's own networks are kept: `PLAYGROUND_HOME`, else the checkout, else the user's data folder."""
    return _path("PLAYGROUND_HOME", PACKAGE.parent if PACKAGE.parent == ROOT else _user_data_folder())


def data_folder() -> Path:
    """Downloaded and parsed data sets: `PLAYGROUND_DATA`, else `data/` in the home."""
    return _path("PLAYGROUND_DATA", home() / "data")


def runs_folder() -> Path:
    """One folder a training run: `PLAYGROUND_RUNS`, else `runs/` in the home."""
    return _path("PLAYGROUND_RUNS", home() / "runs")


def models_folder() -> Path:
    """The networks that come with the playground: `PLAYGROUND_MODELS`, else `models/` beside the pages."""
    return _path("PLAYGROUND_MODELS", ROOT / "models")


def model_folders() -> list[Path]:
    """Every folder in which networks are looked for: `models_folder()`, and unless `PLAYGROUND_MODELS` names another one, `models/` in the home."""
    own = home() / "models"
    return [models_folder()] if os.environ.get("PLAYGROUND_MODELS") or own == models_folder() else [models_folder(), own]


def mirror() -> str | None:
    """Where data sets are looked for first: `PLAYGROUND_MIRROR`, an `http(s)://` or `file://` address, or none."""
    return os.environ.get("PLAYGROUND_MIRROR") or None


def network_timeout() -> float:
    """Seconds that connecting, or one read, may take: `PLAYGROUND_TIMEOUT`, else 15."""
    return _number("PLAYGROUND_TIMEOUT", 15.0, float)


def script_seconds() -> float:
    """Seconds of processor time that a learner's script may use: `PLAYGROUND_SCRIPT_SECONDS`, else 2."""
    return _number("PLAYGROUND_SCRIPT_SECONDS", 2.0, float)


def cores() -> int:
    """Processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity to ask for
        return os.cpu_count() or 1


def workers() -> int:
    """Runs that may train at the same time: `PLAYGROUND_WORKERS`, else one for every four cores."""
    return _number("PLAYGROUND_WORKERS", max(1, cores() // 4), int)


def training_threads() -> int:
    """Threads of one training process: `PLAYGROUND_THREADS`, else the cores shared out among the workers.

    The same for the command line and the app: the order of floating-point sums depends on the
    number of threads, so a run resumed elsewhere on this machine keeps its losses to the last bit.
    """
    return _number("PLAYGROUND_THREADS", max(1, cores() // workers()), int)


SPINS = 30_000
"""Rounds that a waiting training thread spins before it sleeps: some tens of microseconds."""


def training_environment() -> dict[str, str]:
    """Variables that a training process must find set before it imports torch; those already set are left alone.

    Where training takes all cores, a waiting thread soon sleeps. One that spins for as long as it likes, as by default,
    starves its own partner when another process is busy, and training falls to a tenth of its speed; one that sleeps
    at once costs a third of it. Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
    """
    crowded = training_threads() * workers() >= cores()
    return {"GOMP_SPINCOUNT": str(SPINS)} if crowded and not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ) else {}


def _user_data_folder() -> Path:
    """The folder that this system has for a program's files of one user.

    Source: https://platformdirs.readthedocs.io/en/latest/api.html#platformdirs.user_data_dir
    """
    home = Path.home()
    match platform.system():
        case "Darwin":
            shared = home / "Library" / "Application Support"
        case "Windows":
            shared = _path("LOCALAPPDATA", home / "AppData" / "Local")
        case _:
            shared = _path("XDG_DATA_HOME", home / ".local" / "share")
    return shared / "pytorch-playground"


def _path(variable: str, default: Path) -> Path:
    return Path(os.environ[variable]).expanduser().resolve() if os.environ.get(variable) else default


def _number(variable: str, default: T, kind: Callable[[str], T]) -> T:
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = kind("0")
    if not 0 < value < math.inf:
        raise ConfigError([f"The environment variable {variable} must be a number above zero, not “{text}”."])
    return value
