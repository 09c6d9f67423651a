"""Keeps the process of each learner's notebook: starts it with the first cell, and ends it when it is idle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress

from anyio import to_thread

from playground import environment
from playground.errors import BusyError, PlaygroundError
from playground.messages import msg, translated
from playground.tensors.notebook import CELL_SECONDS, Request
from playground.tensors.sandbox import CHUNK, WALL_CLOCK_FACTOR, Start

ENTRY = "playground.tensors.notebook.process:run_cells"
"""What a forked process calls."""
IDLE_SECONDS = 900.0
"""Elapsed time after the last cell, until the process ends."""
MOST_PROCESSES = 60
"""Of all learners together; for another one, that which has been idle longest ends."""
STOP_SECONDS = 5.0
"""Elapsed time after which a cell that shall stop is ended with its process: inside of a native operation nothing else can."""
ANSWERS = (b'{"report"', b'{"error"')
"""How an `Answer` begins."""
WAIT_SECONDS = 0.1
"""Between two looks whether a cell may begin."""


class Notebook:
    """The process of one learner's notebook."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid, self._connection = pid, connection
        connection.setblocking(False)
        self._received = b""
        self._unread = 0  # answers to cells whose browser has gone
        self.used = time.monotonic()
        """When its last cell ended."""
        self.is_running = False
        self.is_stopped = False
        """Whether the cell that runs, or waits, shall end."""
        self.is_gone = False
        """Whether the process has ended."""

    async def run(self, request: Request) -> AsyncGenerator[bytes]:
        """Run a cell; yield lines of JSON, `Progress` of `process` and at last an `Answer`. A cell is stopped when no one reads on."""
        self._unread += 1
        try:
            await asyncio.get_running_loop().sock_sendall(self._connection, json.dumps(request).encode() + b"\n")
            async with asyncio.timeout(WALL_CLOCK_FACTOR * CELL_SECONDS):
                while self._unread:
                    line = await self._line()
                    is_of_this_cell = self._unread == 1
                    if line.startswith(ANSWERS):
                        self._unread -= 1
                    if is_of_this_cell:
                        yield line
        except OSError:  # a timeout is one, too
            self.close()
            text = translated(msg("The process of this notebook has ended, and its variables are gone: run the cells again."))
            yield json.dumps({"error": text, "is_gone": True}).encode() + b"\n"
        finally:
            if self._unread:
                self._signal(signal.SIGINT)

    async def _line(self) -> bytes:
        while b"\n" not in self._received:
            part = await asyncio.get_running_loop().sock_recv(self._connection, CHUNK)
            if not part:
                raise ConnectionError("the process has ended")
            self._received += part
        line, self._received = self._received.split(b"\n", 1)
        return line + b"\n"

    def stop(self) -> None:
        """Let the cell that runs end before its next statement, and the process where it does not."""
        if not self.is_running:
            return
        self.is_stopped = True
        self._signal(signal.SIGINT)
        used = self.used
        timer = threading.Timer(STOP_SECONDS, lambda: self.close() if self.is_running and self.used == used else None)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """End the process."""
        if not self.is_gone:
            self.is_gone = True
            self._signal(signal.SIGKILL)
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)  # then a cell that runs reads its end
        if not self.is_running:
            self._connection.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


class Notebooks:
    """The notebooks of all learners; used by the server's event loop.

    Args:
        start: starts a process, as `Forker.start` does; None on systems that cannot fork.
        idle_seconds: elapsed time after its last cell, until the process of a notebook ends.
        most: processes at the same time.
    """

    def __init__(self, start: Start | None, idle_seconds: float = IDLE_SECONDS, most: int = MOST_PROCESSES, now: Callable[[], float] = time.monotonic) -> None:
        self._start, self._idle_seconds, self._most, self._now = start, idle_seconds, most, now
        self._notebooks: dict[str, Notebook] = {}
        self._starting: set[str] = set()
        self._running = 0
        self._timer: threading.Timer | None = None

    async def run(self, learner: str, request: Request) -> AsyncIterator[bytes]:
        """Begin to run a cell of a learner's notebook; return the lines of JSON that follow, `Progress` and an `Answer`.

        Raises:
            PlaygroundError: another cell of it runs, there is no room for another notebook, or this system has none.
        """
        self.end_idle()
        if learner in self._starting or self.is_running(learner):
            raise PlaygroundError(msg("Another cell of your notebook runs."), msg("Wait until it is done, or stop it."))
        notebook = await self._notebook(learner)
        notebook.is_running, notebook.is_stopped = True, False
        return self._lines(notebook, request)

    def is_running(self, learner: str) -> bool:
        """Return whether a cell of a learner's notebook runs."""
        return learner in self._notebooks and self._notebooks[learner].is_running

    def process(self, learner: str) -> int:
        """Return the id of the process of a learner's notebook, which there must be."""
        return self._notebooks[learner].pid

    def stop(self, learner: str) -> None:
        """Stop the cell that runs in a learner's notebook; its variables stay."""
        if notebook := self._notebooks.get(learner):
            notebook.stop()

    def restart(self, learner: str) -> None:
        """Forget all variables of a learner's notebook."""
        if notebook := self._notebooks.pop(learner, None):
            notebook.close()

    def close(self) -> None:
        """End every process."""
        if self._timer:
            self._timer.cancel()
        for learner in list(self._notebooks):
            self.restart(learner)

    async def _lines(self, notebook: Notebook, request: Request) -> AsyncIterator[bytes]:
        has_slot = False
        try:
            while self._running >= 2 * environment.cores() and not notebook.is_stopped:  # others wait, in no order
                await asyncio.sleep(WAIT_SECONDS)
            if notebook.is_stopped:
                yield json.dumps({"error": translated(msg("The cell was stopped before it began."))}).encode() + b"\n"
                return
            self._running, has_slot = self._running + 1, True
            async with aclosing(notebook.run(request)) as lines:
                async for line in lines:
                    yield line
        finally:
            self._running -= has_slot
            notebook.used, notebook.is_running = time.monotonic(), False
            if notebook.is_gone:
                notebook.close()

    async def _notebook(self, learner: str) -> Notebook:
        notebook = self._notebooks.get(learner)
        if notebook is None or notebook.is_gone:
            if self._start is None:
                raise PlaygroundError(msg("This system cannot run notebooks: its processes cannot fork."), msg("They run on Linux and macOS."))
            if len(self._notebooks) >= self._most:
                resting = [other for other, each in self._notebooks.items() if not each.is_running]
                if not resting:
                    raise BusyError(msg("Too many notebooks run on this server."), msg("Try again in a minute."))
                self.restart(min(resting, key=lambda other: self._notebooks[other].used))
            self._starting.add(learner)
            try:
                notebook = self._notebooks[learner] = Notebook(*await to_thread.run_sync(self._start, ENTRY, ""))
            finally:
                self._starting.discard(learner)
        return notebook

    def end_idle(self) -> None:
        """End the processes that have been idle too long; look again later, as long as there are any."""
        for learner, notebook in list(self._notebooks.items()):
            if notebook.is_gone or (not notebook.is_running and self._now() - notebook.used >= self._idle_seconds):
                self.restart(learner)
        if self._timer:
            self._timer.cancel()
        if self._notebooks:
            self._timer = threading.Timer(self._idle_seconds / 3, self.end_idle)
            self._timer.daemon = True
            self._timer.start()
