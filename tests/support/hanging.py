"""A command that trains in a forked process and stands still at a known step: no race with whoever kills it."""

from __future__ import annotations

import json
import os

CHECKPOINT_AT, HANGS_AT = 70, 90
"""Steps: the run keeps its state at the one, and stands still behind the other."""


def train(argument: str, descriptor: int) -> int:
    """Run a command that trains, until it hangs: an entry for `Forker.start`.

    Args:
        argument: JSON: the folder of runs, and the words of the command.
        descriptor: the other end of the line, which takes the output.
    """
    import threading

    from playground.cli import main
    from playground.runs import journal
    from playground.training import loop

    folder, words = json.loads(argument)
    os.environ["PLAYGROUND_RUNS"] = folder
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    journal.FLUSH_SECONDS = loop.FLUSH_SECONDS = -1.0  # every step at once
    loop.EVALUATED_SECONDS = -1.0
    step = loop.Training._train_step

    def step_until_hanging(training: loop.Training, *rest: object) -> object:
        if training.step == HANGS_AT:
            threading.Event().wait()
        return step(training, *rest)

    loop.Training._train_step = step_until_hanging
    main(words)
    return 0
