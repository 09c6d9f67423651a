"""The queue of runs: as many train at once as there are workers, the others wait in order."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque

from playground import environment
from playground.errors import RunError
from playground.forking import CAN_FORK, Forker
from playground.messages import msg
from playground.runs.execution.commands import Command
from playground.runs.execution.launcher import PREPARE, Worker, start
from playground.runs.history import History
from playground.runs.run import STATES, Run, all_runs
from playground.training.events import Stopped


class Scheduler:
    """Starts workers for queued runs. One for each server; beyond the run folders it only knows the workers' processes.

    Args:
        workers: maximum number of runs that train at the same time.
        forker: starts their processes; a new one by default.
    """

    def __init__(self, workers: int | None = None, forker: Forker | None = None) -> None:
        self._free_slots = list(range(workers or environment.workers()))
        """Indices of the free worker slots; with several accelerators, each slot has another one."""
        self._forker = forker or Forker(PREPARE)
        self._lock = threading.Condition()
        self._waiting: deque[Run] = deque()
        self._starting: set[Run] = set()
        """Queued runs whose worker is being started."""
        self._working: dict[str, Worker] = {}
        self._closed = False

    def warm_up(self) -> None:
        """Start the forking process, so that the first run finds it ready."""
        if CAN_FORK:
            self._forker.warm_up()

    def requeue(self) -> None:
        """Queue the runs that were queued when an earlier server ended, the oldest first."""
        for run in reversed(all_runs()):
            history = History(run).follow()
            if history.created and history.state == "queued":
                with contextlib.suppress(RunError):  # another server has queued it already
                    self.submit(run)

    def submit(self, run: Run) -> None:
        """Queue a new run, or one that continues from its last checkpoint.

        Raises:
            RunError: it is running, queued or finished.
        """
        state = History(run).follow().state
        if state == "finished":
            raise RunError(msg("The run “{run}” is finished, so it cannot be resumed.", run=run.id), msg("Fork it to train it further."))
        if state in ("running", "paused"):
            raise RunError(msg("The run “{run}” is {state} already, so it cannot be queued.", run=run.id, state=STATES[state]))
        with self._lock:
            if run in self._waiting or (state == "queued" and run.id in self._working):
                raise RunError(msg("The run “{run}” is queued already.", run=run.id))
            self._waiting.append(run)
        self._hand_out()

    def command(self, run: Run, command: Command) -> None:
        """Send a command to the worker of a run; stopping a queued run removes it from the queue.

        Raises:
            RunError: no worker trains the run.
        """
        with self._lock:
            self._lock.wait_for(lambda: run not in self._starting)
            worker = self._working.get(run.id)
            if worker is None and command.name == "stop" and run in self._waiting:
                self._waiting.remove(run)
                run.journal.append(Stopped(time.time(), History(run).follow().step))
                return
        if worker is None:
            raise RunError(
                msg("The command “{command}” could not be sent: no worker trains the run “{run}”.", command=command.name, run=run.id),
                msg("Resume the run first."),
            )
        worker.send(command.to_json())

    def position(self, run: Run) -> int:
        """Return the run's place in the queue, counted from 1; 0 if it is not queued."""
        with self._lock:
            return self._waiting.index(run) + 1 if run in self._waiting else 0

    def worker_pid(self, run: Run) -> int | None:
        """Return the id of the process that trains this run; None if none does."""
        with self._lock:
            worker = self._working.get(run.id)
        return worker.pid if worker else None

    def close(self) -> None:
        """Hang up on every worker, which saves a checkpoint and ends, and wait for all to end."""
        with self._lock:
            self._closed = True
            self._lock.wait_for(lambda: not self._starting)
            working = list(self._working.values())
        for worker in working:
            worker.hang_up()
        for worker in working:
            worker.wait()
        self._forker.close()

    def _hand_out(self) -> None:
        """Start workers for queued runs while there are free slots; the lock is not held while a process starts."""
        while next_start := self._take():
            run, slot = next_start
            worker = None
            try:
                worker = start(run.path, self._forker, slot)
            finally:
                with self._lock:
                    self._starting.remove(run)
                    self._waiting.remove(run)
                    if worker:
                        self._working[run.id] = worker
                    else:
                        self._free_slots.append(slot)
                    self._lock.notify_all()
            threading.Thread(target=self._watch, args=(run, worker, slot), daemon=True).start()

    def _take(self) -> tuple[Run, int] | None:
        """Return the next run to start a worker for, with its slot; the run stays queued until the worker has started."""
        with self._lock:
            run = next((run for run in self._waiting if run not in self._starting), None)
            if run is None or not self._free_slots or self._closed:
                return None
            self._starting.add(run)
            return run, self._free_slots.pop(0)

    def _watch(self, run: Run, worker: Worker, slot: int) -> None:
        """Wait until a worker ends for any reason, then free its slot."""
        worker.wait()
        with self._lock:
            self._free_slots.append(slot)
            if self._working.get(run.id) is worker:  # not the one that took over while this one was ending
                del self._working[run.id]
        self._hand_out()
