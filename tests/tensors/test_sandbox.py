"""Scripts in processes of their own: answers, ends, crowds, random numbers, and a forking process that is killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from playground.errors import BusyError, PlaygroundError
from playground.forking import CAN_FORK, Forker
from playground.tensors import device_benchmark, sandbox
from playground.tensors.exercises import EXERCISES
from playground.tensors.sandbox import CHECK_EXERCISE, COMPARE_DEVICES, RUN, InProcessSandbox, Sandbox, run_once

from ..support.waiting import until

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs fork")

TASKS_MODULE = "tests.tensors.forked_tasks"
LONG = 60.0
"""Seconds that are never waited for."""


@pytest.fixture
def box(forker: Forker) -> Sandbox:
    return Sandbox(forker.start, max_processes=2)


def ran(box: Sandbox | InProcessSandbox, source: str, **request: Any) -> dict[str, Any]:
    return box.run(RUN, {"source": source, **request}, LONG)


def numbers(document: dict[str, Any], name: str) -> list[Any]:
    found: list[Any] = document["tiles"][document["names"][name]["tile"]]["values"]
    return found


def test_a_script_is_answered(box: Sandbox) -> None:
    found = ran(box, "x = torch.arange(3)\nprint(x.sum().item())")
    assert found["output"] == "3\n" and found["error"] is None and numbers(found, "x") == [0, 1, 2]


def test_a_brief_answer_has_the_values_alone(box: Sandbox) -> None:
    found = ran(box, "x = torch.arange(3)", brief=True)
    assert found["names"]["x"]["values"] == [0, 1, 2] and "tiles" not in found


def test_a_mistake_is_an_answer(box: Sandbox) -> None:
    found = ran(box, "x = torch.ones(2) + torch.ones(3)")
    assert found["error"]["line"] == 1 and found["error"]["fixes"]


def test_other_letters_arrive_whole(box: Sandbox) -> None:
    assert ran(box, "größe = '日本 😀'\nprint(größe)")["output"] == "日本 😀\n"


def test_an_answer_larger_than_one_packet(box: Sandbox) -> None:
    found = ran(box, "\n".join(f"x{number} = torch.rand(25, 40)" for number in range(40)))
    assert len(found["tiles"]) == 40 and all(len(tile["values"]) == 1000 for tile in found["tiles"])


def test_a_request_larger_than_one_packet(box: Sandbox) -> None:
    source = "x = 1\n" + "# ä\n" * 4900
    assert ran(box, source)["names"]["x"]["values"] == 1
    assert "characters" in ran(box, "#" * 300_000)["error"]["message"]


def test_an_exercise_is_judged(box: Sandbox) -> None:
    task = EXERCISES[0]
    assert box.run(CHECK_EXERCISE, {"exercise": task.name, "source": task.solution}, LONG)["correct"] is True
    assert box.run(CHECK_EXERCISE, {"exercise": task.name, "source": f"{task.result_name} = 0"}, LONG)["correct"] is False


def test_a_name_of_one_script_is_not_there_in_the_next(box: Sandbox) -> None:
    ran(box, "secret = 5\ntorch.set_default_dtype(torch.float64)")
    found = ran(box, "x = torch.ones(1)\nsecret")
    assert "secret" in found["error"]["message"] and found["names"]["x"]["dtype"] == "float32"


@pytest.mark.parametrize("how", ["spin", "multiply"])
def test_what_takes_too_long_is_ended_and_the_next_goes_on(box: Sandbox, how: str) -> None:
    with pytest.raises(PlaygroundError, match=r"took longer than \d+ seconds of processor time") as refused:
        box.run(f"{TASKS_MODULE}:{how}", {}, 0.05)
    assert "smaller" in refused.value.hint
    assert ran(box, "print(1)")["output"] == "1\n"


def test_what_hangs_is_ended_and_the_next_goes_on(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It uses no processor time, so the script is not blamed."""
    monkeypatch.setattr(sandbox, "WALL_CLOCK_FACTOR", 0.05)
    with pytest.raises(BusyError, match="no result after 0 seconds") as refused:
        box.run(f"{TASKS_MODULE}:sleep", {}, 1)
    assert "Nothing is wrong with your script" in refused.value.hint
    monkeypatch.undo()
    assert ran(box, "print(1)")["output"] == "1\n"


def test_waiting_is_no_processor_time(box: Sandbox) -> None:
    """A process that others keep from the processor is late, not wrong: it waits longer than its limit without computing."""
    assert box.run(f"{TASKS_MODULE}:nap", {}, 0.2) == {"rested": True}


def test_a_loop_without_end_is_stopped_by_its_own_bound(box: Sandbox) -> None:
    found = box.run(RUN, {"source": "print('here')\nwhile True:\n    x = 1"}, LONG)
    assert found["output"] == "here\n" and "stopped" in found["error"]["message"] and found["error"]["line"] in (2, 3)


def test_a_process_that_took_too_long_is_gone(forker: Forker) -> None:
    pids: list[int] = []

    def start(entry: str, task: str) -> tuple[int, socket.socket]:
        pid, line = forker.start(entry, task)
        pids.append(pid)
        return pid, line

    with pytest.raises(PlaygroundError, match="took longer"):
        Sandbox(start, 1).run(f"{TASKS_MODULE}:spin", {}, 0.05)
    until(lambda: not is_alive(pids[0]))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("how", "said"),
    [
        *((how, "ended before it returned a result") for how in ("die", "crash", "leave")),
        *((how, "The playground has a bug") for how in ("fail", "missing", "strange")),
    ],
)
def test_a_process_that_ends_without_an_answer(box: Sandbox, how: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PlaygroundError, match=said) as refused:
        box.run(f"{TASKS_MODULE}:{how}", {}, LONG)
    assert refused.value.hint
    assert ran(box, "print(1)")["output"] == "1\n"


def test_an_incomplete_answer_is_reported_as_none() -> None:
    """The process is killed while it sends."""
    ours, theirs = socket.socketpair()

    def start(_entry: str, _task: str) -> tuple[int, socket.socket]:
        theirs.sendall(b'{"names": {"x": ')
        theirs.shutdown(socket.SHUT_WR)
        return 0, ours

    with theirs, pytest.raises(PlaygroundError, match="ended before it returned a result"):
        Sandbox(start, 1).run(RUN, {"source": ""}, LONG)


def test_the_bytes_of_an_answer_are_passed_through() -> None:
    ours, theirs = socket.socketpair()

    def start(_entry: str, _task: str) -> tuple[int, socket.socket]:
        theirs.sendall(b'{ "not" :  "as json.dumps writes it"}' + sandbox.DONE)
        theirs.shutdown(socket.SHUT_WR)
        return 0, ours

    with theirs:
        assert Sandbox(start, 1).run_to_json(RUN, {"source": ""}, LONG) == b'{ "not" :  "as json.dumps writes it"}'


def test_a_whole_report_without_its_last_byte_was_cut_short() -> None:
    ours, theirs = socket.socketpair()

    def start(_entry: str, _task: str) -> tuple[int, socket.socket]:
        theirs.sendall(b"{}")
        theirs.shutdown(socket.SHUT_WR)
        return 0, ours

    with theirs, pytest.raises(PlaygroundError, match="ended before it returned a result"):
        Sandbox(start, 1).run(RUN, {"source": ""}, LONG)


def test_a_process_that_is_gone_before_the_request() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(PlaygroundError, match="ended before it returned a result"):
        Sandbox(lambda _entry, _task: (0, ours), 1).run(RUN, {"source": "x" * 10**6}, LONG)


def test_a_crowd_gets_everyone_their_own_answer(box: Sandbox) -> None:
    def one(number: int) -> tuple[int, list[Any]]:
        return number, numbers(ran(box, f"x = torch.full((3,), {number})"), "x")

    with ThreadPoolExecutor(12) as pool:
        for number, values in pool.map(one, range(24)):
            assert values == [number] * 3


def test_no_more_at_once_than_allowed(forker: Forker) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Counted(socket.socket):
        def close(self) -> None:
            nonlocal running
            if self.fileno() >= 0:
                with lock:
                    running -= 1
            super().close()

    def start(entry: str, task: str) -> tuple[int, socket.socket]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pid, line = forker.start(entry, task)
        return pid, Counted(fileno=line.detach())

    box = Sandbox(start, max_processes=3)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda number: box.run(f"{TASKS_MODULE}:echo", {"number": number}, LONG), range(20)))
    assert [answer["number"] for answer in found] == list(range(20)) and len({answer["pid"] for answer in found}) == 20
    assert most <= 3 and running == 0


def test_a_script_does_not_wait_for_tasks_that_yield(box: Sandbox) -> None:
    with ThreadPoolExecutor(3) as pool:
        naps = [pool.submit(box.run_to_json, f"{TASKS_MODULE}:nap", {}, LONG, yielding=True) for _ in range(3)]
        assert ran(box, "print(1)")["output"] == "1\n"
        assert not all(nap.done() for nap in naps)  # one naps after another, half a second each
        assert {nap.result() for nap in naps} == {b'{"rested":true}'}


def test_a_place_is_given_back_by_what_failed(forker: Forker) -> None:
    box = Sandbox(forker.start, max_processes=1)
    for _ in range(3):
        with pytest.raises(PlaygroundError):
            box.run(f"{TASKS_MODULE}:die", {}, LONG)
    assert ran(box, "print(1)")["output"] == "1\n"


@pytest.fixture
def ready_box(forker: Forker) -> Iterator[Sandbox]:
    """A sandbox that keeps a process ready."""
    box = Sandbox(forker.start, max_processes=1, rehearsal=f"{TASKS_MODULE}:rehearse")
    yield box
    box.close()


def test_the_next_task_finds_a_process_that_has_rehearsed(ready_box: Sandbox) -> None:
    def run() -> dict[str, Any]:
        answer = ready_box.run(f"{TASKS_MODULE}:rehearsed", {}, LONG)
        until(lambda: ready_box._spare is not None)
        return answer

    found = [run() for _ in range(3)]
    assert [answer["times"] for answer in found] == [0, 1, 1] and len({answer["pid"] for answer in found}) == 3


def test_a_process_that_was_killed_while_it_waited_gets_no_task(ready_box: Sandbox) -> None:
    ready_box.run(f"{TASKS_MODULE}:rehearsed", {}, LONG)
    until(lambda: ready_box._spare is not None)
    assert ready_box._spare is not None
    pid, line = ready_box._spare
    os.kill(pid, signal.SIGKILL)
    until(lambda: sandbox._has_ended(line))
    assert ready_box.run(f"{TASKS_MODULE}:rehearsed", {}, LONG)["times"] == 0


RANDOM = {"torch.rand(4)": "x = torch.rand(4)", "np.random.rand(4)": "x = np.random.rand(4)", "default_rng": "x = np.random.default_rng().random(4)"}


@pytest.mark.parametrize("source", RANDOM.values(), ids=list(RANDOM))
def test_every_run_has_random_numbers_of_its_own(box: Sandbox, source: str) -> None:
    runs = [numbers(ran(box, source), "x") for _ in range(4)]
    assert len({tuple(values) for values in runs}) == 4


def test_a_seed_reaches_its_own_script_alone(box: Sandbox) -> None:
    first, second = (numbers(ran(box, "torch.manual_seed(0)\nx = torch.rand(4)"), "x") for _ in range(2))
    unseeded = [numbers(ran(box, "x = torch.rand(4)"), "x") for _ in range(2)]
    assert first == second and first not in unseeded and unseeded[0] != unseeded[1]


@pytest.mark.parametrize("what", ["file", "memory"])
def test_the_system_bounds_a_process(box: Sandbox, what: str) -> None:
    """No file can be written, and not without end memory be taken."""
    assert box.run(f"{TASKS_MODULE}:take_{what}", {}, LONG)["refused"] is True


def test_the_forking_process_may_be_killed() -> None:
    """Another one takes its place. It has imported nothing: that would take seconds, and is the same for both."""
    forker = Forker()
    try:
        assert answered(forker, "1") == b"1"
        process = forker._process
        assert process is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert answered(forker, "2") == b"2"
        assert forker._process is not None and forker._process.pid != process.pid
    finally:
        forker.close()


def answered(forker: Forker, text: str) -> bytes:
    _, line = forker.start(f"{TASKS_MODULE}:answer", text)
    with line:
        return line.recv(100)


def test_a_race_may_take_its_time(box: Sandbox) -> None:
    """The bound on processor time is that of the request."""
    found = box.run(f"{TASKS_MODULE}:bound", {}, 30)
    assert 31 <= found["seconds"] <= 33  # with what the process has used before
    assert f"{device_benchmark.__name__}:compare_devices" == COMPARE_DEVICES


def test_a_system_that_cannot_fork_has_a_desk(forker: Forker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(sandbox.make_sandbox(forker), Sandbox)
    monkeypatch.setattr(sandbox, "CAN_FORK", False)
    desk = sandbox.make_sandbox(forker)
    assert isinstance(desk, InProcessSandbox)
    assert ran(desk, "x = torch.arange(3)\nprint(1)")["output"] == "1\n"
    assert run_once("x = torch.arange(3)")["names"]["x"]["values"] == [0, 1, 2]


def test_a_script_for_the_command_line() -> None:
    found = run_once("x = torch.arange(3)\nx[5]")
    assert found["names"]["x"]["values"] == [0, 1, 2] and found["error"]["line"] == 2


def test_a_script_for_the_command_line_that_had_to_be_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(_self: Sandbox, _task: str, _request: Mapping[str, Any]) -> dict[str, Any]:
        raise PlaygroundError("It took too long.", "Make it smaller.")

    monkeypatch.setattr(Sandbox, "run", give_up)
    found = run_once("x = 1")
    assert (found["error"]["message"], found["error"]["explanation"], found["names"]) == ("It took too long.", "Make it smaller.", {})
