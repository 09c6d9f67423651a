"""What every test starts from: folders of its own for data and runs, and no way out to the internet."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from playground.forking import Forker
from playground.server.services import services

from .support.marker import MARKER
from .support.scheduling import IdleScheduler
from .support.tiers import QUICK, is_quick, register_profiles

# Before anything imports torch: the tests of one process must not depend on how many cores there are.
os.environ.setdefault("PLAYGROUND_THREADS", "1")
# A busy machine counts more processor time for the same work; tests of the bound itself set their own.
os.environ.setdefault("PLAYGROUND_SCRIPT_SECONDS", "60")
# Texts are compared in English, whatever the language of the machine.
os.environ["LANGUAGE"] = "en"
# Whichever test starts the forking process: what its environment holds is there for a script that finds a way to it.
os.environ["PLAYGROUND_SECRET"] = MARKER

if TYPE_CHECKING:
    from playground.data.images import ImageSet

BROWSER = Path(__file__).parent / "browser"

register_profiles()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the tier: ``HYPOTHESIS_PROFILE``, unless ``--hypothesis-profile`` says so."""
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", QUICK))


@pytest.hookimpl(tryfirst=True)  # before xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the quick tier what only repeats another test; let one worker run all tests of a module, and the browser's first."""
    slow = [item for item in items if is_quick() and item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)
    left_out = set(slow)
    items[:] = sorted((item for item in items if item not in left_out), key=lambda item: BROWSER not in item.path.parents)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(config.rootpath))))


@pytest.fixture(scope="session", autouse=True)
def forker() -> Iterator[Forker]:
    """The server's forking process, which all tests of the session share: importing torch takes it seconds."""
    yield services().forker
    services().sandbox.close()
    services().forker.close()


@pytest.fixture(scope="session")
def numbered_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Paths for the folders of the session's tests, none of which exists yet."""
    parent = tmp_path_factory.mktemp("tests")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture
def own_folder(numbered_folders: Iterator[Path]) -> Path:
    """The path of a folder for this test alone, which does not exist: most tests need none."""
    return next(numbered_folders)


@pytest.fixture
def tmp_path(own_folder: Path) -> Path:
    """A folder for this test alone. To find a free name, pytest's own fixture reads the names of all folders before, thousands of times."""
    own_folder.mkdir(exist_ok=True)  # a run made before is in it
    return own_folder


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parsed data sets, shared by all tests of the session."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def digits(data_folder: Path) -> ImageSet:
    """MNIST 5k."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYGROUND_DATA", str(data_folder))
        from playground.data.load import load  # imports torch, which tests of other rooms need not wait for

        return load("mnist-5k")


@pytest.fixture
def few_drawn_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trainings draw few images to mix into their batches, which takes an instant instead of seconds."""
    from playground.data import drawn

    for name, value in (("DRAWN", 40), ("ADDED", {"0": 10, "1": 15, "7": 5}), ("SCRIBBLED", 20)):
        monkeypatch.setattr(drawn, name, value)
    drawn.drawn_images.cache_clear()
    yield
    drawn.drawn_images.cache_clear()


@pytest.fixture(autouse=True)
def surroundings(data_folder: Path, own_folder: Path) -> None:
    """The shared data folder, a folder of runs for this test alone, and one thread: to share out what tests compute costs more than it saves.

    All of it is set for every test, so nothing needs to be set back, and one fixture costs the many tests less than several.
    """
    import torch

    torch.set_num_threads(1)
    os.environ["PLAYGROUND_DATA"] = str(data_folder)
    os.environ["PLAYGROUND_RUNS"] = str(own_folder / "runs")
    os.environ.pop("PLAYGROUND_MIRROR", None)


@pytest.fixture
def idle_scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdleScheduler]:
    """In place of the server's scheduler, one that starts no worker."""
    scheduler = IdleScheduler(workers=1)
    monkeypatch.setattr(services(), "scheduler", scheduler)
    yield scheduler
    scheduler.close()
