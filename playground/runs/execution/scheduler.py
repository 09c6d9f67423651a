"""The queue of jobs: as many are trained at once as there are workers, the others wait in order. A job is a run, or all runs of a race."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from playground import environment
from playground.errors import RunError
from playground.forking import CAN_FORK, Forker
from playground.messages import msg
from playground.runs.execution.commands import Command
from playground.runs.execution.launcher import PREPARE, Worker, start
from playground.runs.history import History
from playground.runs.run import STATES, Run, State, all_runs
from playground.training.events import Stopped


@dataclass(eq=False)
class _Job:
    """What one worker trains: a run, or the runs of a race."""

    runs: list[Run]
    is_starting: bool = False
    """Whether its worker is being started."""


def _jobs(runs: Iterable[Run], state: State) -> list[list[Run]]:
    """Return the runs that are in this state, in their order; those of a race stand together."""
    jobs: dict[str, list[Run]] = {}
    for run in runs:
        history = History(run).follow()
        if history.created and history.state == state:
            jobs.setdefault(history.created.race or run.id, []).append(run)
    return list(jobs.values())


class Scheduler:
    """Starts workers for queued runs. One for each server; beyond the run folders it only knows the workers' processes.

    Args:
        workers: maximum number of jobs that are trained at the same time.
        forker: starts their processes; a new one by default.
    """

    def __init__(self, workers: int | None = None, forker: Forker | None = None) -> None:
        self._free_slots = list(range(workers or environment.workers()))
        """Indices of the free worker slots; with several accelerators, each slot has another one."""
        self._forker = forker or Forker(PREPARE)
        self._lock = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._working: dict[Run, Worker] = {}
        self._closed = False

    def warm_up(self) -> None:
        """Start the forking process, so that the first run finds it ready."""
        if CAN_FORK:
            self._forker.warm_up()

    def requeue(self) -> None:
        """Queue the runs that were queued when an earlier server ended, the oldest first, and those of a race together."""
        for runs in _jobs(reversed(all_runs()), "queued"):
            with contextlib.suppress(RunError):  # another server has queued it already
                self.submit(*runs)

    def resume(self, runs: Iterable[Run]) -> None:
        """Queue those of the runs that were interrupted; the runs of a race are trained in turns again."""
        for interrupted in _jobs(runs, "interrupted"):
            self.submit(*interrupted)

    def submit(self, *runs: Run) -> None:
        """Queue a new run, or one that continues from its last checkpoint; several, the runs of a race, are trained by one worker in turns.

        Raises:
            RunError: one is running, queued or finished; then none is queued.
        """
        states = {run: History(run).follow().state for run in runs}
        for run, state in states.items():
            if state == "finished":
                raise RunError(msg("The run “{run}” is finished, so it cannot be resumed.", run=run.id), msg("Fork it to train it further."))
            if state in ("running", "paused"):
                raise RunError(msg("The run “{run}” is {state} already, so it cannot be queued.", run=run.id, state=STATES[state]))
        with self._lock:
            for run, state in states.items():
                if self._job_of(run) or (state == "queued" and run in self._working):
                    raise RunError(msg("The run “{run}” is queued already.", run=run.id))
            self._waiting.append(_Job(list(runs)))
        self._hand_out()

    def command(self, run: Run, command: Command) -> None:
        """Send a command to the worker of a run; stopping a queued run removes it from the queue.

        Raises:
            RunError: no worker trains the run.
        """
        with self._lock:
            self._lock.wait_for(lambda: not ((job := self._job_of(run)) and job.is_starting))
            job = self._job_of(run)
            if job and command.name == "stop":
                self._withdraw(run, job)
                return
            worker = None if job else self._working.get(run)
        if worker is None:
            raise RunError(
                msg("The command “{command}” could not be sent: no worker trains the run “{run}”.", command=command.name, run=run.id),
                msg("Resume the run first."),
            )
        worker.send(command.to_json(run))

    def position(self, run: Run) -> int:
        """Return the place in the queue of the run's job, counted from 1; 0 if it is not queued."""
        with self._lock:
            return next((place for place, job in enumerate(self._waiting, 1) if run in job.runs), 0)

    def worker_pid(self, run: Run) -> int | None:
        """Return the id of the process that trains this run, or trained it and still trains others of its race; None if there is none."""
        with self._lock:
            worker = self._working.get(run)
        return worker.pid if worker else None

    def close(self) -> None:
        """Hang up on every worker, which saves a checkpoint and ends, and wait for all to end."""
        with self._lock:
            self._closed = True
            self._lock.wait_for(lambda: not any(job.is_starting for job in self._waiting))
            working = set(self._working.values())
        for worker in working:
            worker.hang_up()
        for worker in working:
            worker.wait()
        self._forker.close()

    def _job_of(self, run: Run) -> _Job | None:
        """Return the queued job that the run belongs to; None if it is not queued."""
        return next((job for job in self._waiting if run in job.runs), None)

    def _withdraw(self, run: Run, job: _Job) -> None:
        """Remove a run from a queued job, and the job from the queue if no run is left in it."""
        job.runs.remove(run)
        if not job.runs:
            self._waiting.remove(job)
        run.journal.append(Stopped(time.time(), History(run).follow().step))

    def _hand_out(self) -> None:
        """Start workers for queued jobs while there are free slots; the lock is not held while a process starts."""
        while next_start := self._take():
            job, slot = next_start
            worker = None
            try:
                worker = start(job.runs, self._forker, slot)
            finally:
                with self._lock:
                    self._waiting.remove(job)
                    if worker:
                        self._working |= dict.fromkeys(job.runs, worker)
                    else:
                        self._free_slots.append(slot)
                    self._lock.notify_all()
            threading.Thread(target=self._watch, args=(job, worker, slot), daemon=True).start()

    def _take(self) -> tuple[_Job, int] | None:
        """Return the next job to start a worker for, with its slot; it stays queued until the worker has started."""
        with self._lock:
            job = next((job for job in self._waiting if not job.is_starting), None)
            if job is None or not self._free_slots or self._closed:
                return None
            job.is_starting = True
            return job, self._free_slots.pop(0)

    def _watch(self, job: _Job, worker: Worker, slot: int) -> None:
        """Wait until a worker ends for any reason, then free its slot."""
        worker.wait()
        with self._lock:
            self._free_slots.append(slot)
            for run in job.runs:
                if self._working.get(run) is worker:  # not the one that took over while this one was ending
                    del self._working[run]
        self._hand_out()
