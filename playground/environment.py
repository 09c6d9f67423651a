"""Read the environment variables: folders, timeouts, and how many cores to use."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from playground.errors import ConfigError
from playground.messages import msg

PACKAGE = Path(__file__).resolve().parent
ROOT = bundled if (bundled := PACKAGE / "bundled").is_dir() else PACKAGE.parent
"""The folder that holds `streamlit_app.py`, `pages/`, `models/` and `.streamlit/`: the checkout, or `bundled/` inside the installed package."""

T = TypeVar("T", int, float)


def home() -> Path:
    """Return the folder of data, runs and learners' networks: `PLAYGROUND_HOME`, else the checkout, else the user's data folder."""
    return _path("PLAYGROUND_HOME", PACKAGE.parent if PACKAGE.parent == ROOT else _user_data_folder())


def data_folder() -> Path:
    """Return the folder of downloaded and parsed data sets: `PLAYGROUND_DATA`, else `data/` in `home()`."""
    return _path("PLAYGROUND_DATA", home() / "data")


def runs_folder() -> Path:
    """Return the folder of the training runs: `PLAYGROUND_RUNS`, else `runs/` in `home()`."""
    return _path("PLAYGROUND_RUNS", home() / "runs")


def models_folder() -> Path:
    """Return the folder of the networks that come with the playground: `PLAYGROUND_MODELS`, else `models/` in `ROOT`."""
    return _path("PLAYGROUND_MODELS", ROOT / "models")


def model_folders() -> list[Path]:
    """List the folders of networks: `models_folder()`, and `models/` in `home()` unless `PLAYGROUND_MODELS` is set."""
    home_models = home() / "models"
    return [models_folder()] if os.environ.get("PLAYGROUND_MODELS") or home_models == models_folder() else [models_folder(), home_models]


def mirror() -> str | None:
    """Return the address from which data sets are downloaded first, `PLAYGROUND_MIRROR`, `http(s)://` or `file://`; None if it is not set."""
    return os.environ.get("PLAYGROUND_MIRROR") or None


def network_timeout() -> float:
    """Return the timeout of a connection and of a read, in seconds: `PLAYGROUND_TIMEOUT`, else 15."""
    return _number("PLAYGROUND_TIMEOUT", 15.0, float)


def script_seconds() -> float:
    """Return the limit of processor time of a learner's script, in seconds: `PLAYGROUND_SCRIPT_SECONDS`, else 2."""
    return _number("PLAYGROUND_SCRIPT_SECONDS", 2.0, float)


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have this function
        return os.cpu_count() or 1


def workers() -> int:
    """Return the maximum number of runs that train at the same time: `PLAYGROUND_WORKERS`, else one for every four cores."""
    return _number("PLAYGROUND_WORKERS", max(1, cores() // 4), int)


def training_threads() -> int:
    """Return the number of threads of one training process: `PLAYGROUND_THREADS`, else the cores divided by the workers.

    It is the same for the command line and the app, so that a run that one starts and the other resumes keeps its losses
    to the last bit: the order of floating-point sums depends on the number of threads.
    """
    return _number("PLAYGROUND_THREADS", max(1, cores() // workers()), int)


SPINS = 30_000
"""Iterations for which a waiting training thread spins before it sleeps: some tens of microseconds."""


def training_environment() -> dict[str, str]:
    """Return the variables to set for a training process before it imports torch; those already set are kept.

    If training uses all cores, a waiting thread must soon sleep. A thread that spins without a limit, the default, takes the core
    of the thread that it waits for when another process is busy, and training falls to a tenth of its speed; a thread that sleeps
    at once costs a third of the speed. Source: https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
    """
    uses_all_cores = training_threads() * workers() >= cores()
    return {"GOMP_SPINCOUNT": str(SPINS)} if uses_all_cores and not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & set(os.environ) else {}


def _user_data_folder() -> Path:
    """Return the folder in which this system stores a program's files of one user.

    Source: https://platformdirs.readthedocs.io/en/latest/api.html#platformdirs.user_data_dir
    """
    home = Path.home()
    match platform.system():
        case "Darwin":
            parent = home / "Library" / "Application Support"  # no text: a folder
        case "Windows":
            parent = _path("LOCALAPPDATA", home / "AppData" / "Local")
        case _:
            parent = _path("XDG_DATA_HOME", home / ".local" / "share")
    return parent / "pytorch-playground"


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
        raise ConfigError([msg("The environment variable {variable} must be a number above zero, not “{text}”.", variable=variable, text=text)])
    return value
