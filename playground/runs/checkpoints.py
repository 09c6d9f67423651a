"""Checkpoints of a run: the last training state, and up to twelve earlier ones from which a fork can continue.

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
from playground.messages import msg

MAX_EARLIER = 12
"""Maximum number of earlier checkpoints of a run."""


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
        """Save a training state as the last one and among the earlier ones.

        It is written to a temporary file, which is then renamed, so that a crash leaves the old state.

        Raises:
            RunError: the disk is full.
        """
        import torch  # readers of a run, such as the coach, work without it

        temporary = self.latest_path.with_suffix(".tmp")
        try:
            temporary.unlink(missing_ok=True)  # after a crash it may be a hard link to an earlier checkpoint, which writing would change
            torch.save(state, temporary)
            self._link(temporary, state["step"])
            temporary.replace(self.latest_path)
        except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
            temporary.unlink(missing_ok=True)
            if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise RunError(
                msg("The checkpoint could not be written: the disk seems to be full."),
                msg("Free some space, then resume the run; it continues from its last checkpoint."),
            ) from error

    def _link(self, path: Path, step: int) -> None:
        """Link the file under its step, or copy it; then delete the earlier checkpoints that are closest together."""
        self._earlier.mkdir(exist_ok=True)
        earlier = self.path_at(step)
        earlier.unlink(missing_ok=True)
        try:
            os.link(path, earlier)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, earlier)
        steps = self.steps()
        while len(steps) > MAX_EARLIER:
            gaps = [after - before for before, after in zip(steps, steps[2:], strict=False)]
            self.path_at(steps.pop(1 + gaps.index(min(gaps)))).unlink(missing_ok=True)

    def steps(self) -> list[int]:
        """Return the steps of the earlier checkpoints, ascending."""
        return sorted(int(path.stem) for path in self._earlier.glob("*.pt") if path.stem.isdecimal())

    def path_at(self, step: int) -> Path:
        """Return the path of the checkpoint at this step."""
        return self._earlier / f"{step:08d}.pt"

    def load(self, step: int | None = None) -> dict[str, Any] | None:
        """Load the training state at a step, by default the last one; None if there is none yet.

        Raises:
            CheckpointError: there is no checkpoint at that step, or the file contains more than plain data and tensors, or is damaged.
        """
        if step is None:
            return load_state(self.latest_path) if self.latest_path.exists() else None
        if step not in self.steps():
            steps = ", ".join(map(str, self.steps()))
            raise CheckpointError(
                msg("The run “{run}” has no checkpoint at step {step}.", run=self.folder.name, step=step),
                msg("It has checkpoints at steps {steps}.", steps=steps) if steps else "",
            )
        return load_state(self.path_at(step))


def load_state(path: Path) -> dict[str, Any]:
    """Load plain data and tensors from a file; no code in it is ever run.

    Raises:
        CheckpointError: the file contains anything else, or is damaged.
    """
    import torch  # as in `save`

    if not _is_archive(path):  # torch.save writes zip archives; older pickles are refused
        raise CheckpointError(msg("{file} is not a checkpoint, or it is damaged: it is not a zip archive.", file=path.name))
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(msg("{file} contains more than tensors and plain data, which could run code, so it was not opened.", file=path.name)) from None
    except Exception as error:  # a damaged file makes torch's reader raise anything: IndexError, AssertionError, …
        raise CheckpointError(msg("{file} is not a checkpoint, or it is damaged: {error}", file=path.name, error=str(error))) from None
    if not isinstance(state, dict):
        raise CheckpointError(
            msg("{file} is not a checkpoint of the playground: it contains a {kind}, not a dictionary.", file=path.name, kind=type(state).__name__)
        )
    return state


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False
