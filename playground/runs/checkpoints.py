"""Checkpoints of a run: the last training state, and up to twelve earlier ones that one can go back to.

checkpoint.pt         the last state: weights, optimizer, scheduler, random numbers, position
checkpoints/STEP.pt   earlier states, by their step
"""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import CheckpointError, RunError

KEPT = 12
"""Checkpoints that a run keeps, at most."""


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of the run in `folder`."""

    folder: Path

    @property
    def latest_path(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def _earlier(self) -> Path:
        return self.folder / "checkpoints"

    def save(self, state: dict[str, Any]) -> None:
        """Keep a training state: written beside its place, then renamed, so that a crash leaves the old one.

        It also stays among the earlier ones until it is thinned out.

        Raises:
            RunError: the disk is full.
        """
        import torch  # readers of a run, such as the coach, work without it

        temporary = self.latest_path.with_suffix(".tmp")
        try:
            temporary.unlink(missing_ok=True)  # after a crash it may be a second name of an earlier checkpoint, which writing into it would change
            torch.save(state, temporary)
            self._keep(temporary, state["step"])
            temporary.replace(self.latest_path)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RunError(
                "The checkpoint could not be written: the disk seems to be full.",
                "Free some space, then resume the run; it goes on from its last checkpoint.",
            ) from error

    def _keep(self, path: Path, step: int) -> None:
        """Let the file be known by its step, too, and thin out those that lie closest together; nothing is written twice where links can be made."""
        self._earlier.mkdir(exist_ok=True)
        kept = self.path_at(step)
        kept.unlink(missing_ok=True)
        try:
            os.link(path, kept)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, kept)
        steps = self.steps()
        while len(steps) > KEPT:
            gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
            self.path_at(steps.pop(1 + gaps.index(min(gaps)))).unlink(missing_ok=True)

    def steps(self) -> list[int]:
        """The steps whose states are kept, rising."""
        return sorted(int(path.stem) for path in self._earlier.glob("*.pt") if path.stem.isdecimal())

    def path_at(self, step: int) -> Path:
        """The file of the state after so many steps."""
        return self._earlier / f"{step:08d}.pt"

    def load(self, step: int | None = None) -> dict[str, Any] | None:
        """The last kept training state, or None where none was kept yet; or the one after so many steps.

        Raises:
            CheckpointError: the file is not a checkpoint, or holds more than plain data and tensors; or none was kept at that step.
        """
        if step is None:
            return load_state(self.latest_path) if self.latest_path.exists() else None
        if step not in self.steps():
            known = ", ".join(map(str, self.steps())) or "none"
            raise CheckpointError(f"No checkpoint of step {step} was kept.", f"Kept: {known}.")
        return load_state(self.path_at(step))


def load_state(path: Path) -> dict[str, Any]:
    """Read a file of plain data and tensors; never runs code that a file carries.

    Raises:
        CheckpointError: it is not such a file, or holds anything else.
    """
    import torch  # as in `save`

    if not _is_archive(path):  # torch.save writes nothing else; older pickles are not worth their risk
        raise CheckpointError(f"{path.name} is not a checkpoint, or is damaged.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(f"{path.name} holds more than weights and plain data, so it was not opened: it could run code.") from None
    except Exception as error:  # a damaged file makes torch's reader raise anything: IndexError, AssertionError, …
        raise CheckpointError(f"{path.name} is not a checkpoint, or is damaged: {error}") from None
    if not isinstance(state, dict):
        raise CheckpointError(f"{path.name} is not a checkpoint of the playground.")
    return state


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False
