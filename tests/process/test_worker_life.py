"""What a worker inherits, imports, writes, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.core.inputs import PredictionReceived
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.rings import request_struct
from pipeline.runtime.worker_process import WorkerProcess
from pipeline.runtime.workers import WorkerPool
from tests.fakes.models import expectation, request, spec_for, write_model

ROOT = str(Path(next(iter(pipeline.__path__))).parent)


def until(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Wait for a state."""
    deadline_s = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.01)
    return True


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not collected yet does not."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    path = write_model(tmp_path)
    made = WorkerPool(
        path, spec_for(path), expectation(), PoolParams(workers=1, spares=0, log_path=tmp_path / "log")
    )
    yield made
    made.close(0)


def pid_of(pool: WorkerPool) -> int:
    assert pool.wait_ready(20), pool.gave_up
    return pool.counters(0).workers[0].pid


def test_a_worker_inherits_no_secret_no_terminal_and_no_group(
    pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOBDECK_API_SECRET", "hunter2")
    pool.start()
    pid = pid_of(pool)

    assert b"hunter2" not in Path(f"/proc/{pid}/environ").read_bytes()
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"
    assert os.getsid(pid) == pid
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert "Max core file size        0                    0" in limits
    assert "Max file size             1048576              1048576" in limits
    assert not [name for name in os.listdir(f"/proc/{pid}/fd") if "socket" in link(pid, name)]


def link(pid: int, fd: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}")
    except FileNotFoundError:
        return ""


def test_ctrl_c_and_an_idle_second_leave_a_worker_alone(pool: WorkerPool) -> None:
    pool.start()
    pid = pid_of(pool)
    os.kill(pid, signal.SIGINT)
    before = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
    time.sleep(1.0)
    after = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))

    assert is_alive(pid)
    assert after - before <= 2, "an idle worker used more than 2 % of a processor"
    pool.tick(0)
    assert pool.counters(0).workers[0].pid == pid


def test_close_ends_the_worker(pool: WorkerPool) -> None:
    pool.start()
    pid = pid_of(pool)
    assert pool.close(0) == []
    assert not is_alive(pid)
    assert pool.close(0) == []


def test_workers_end_with_a_session_that_is_killed(tmp_path: Path) -> None:
    write_model(tmp_path)
    session = subprocess.Popen(
        [sys.executable, "-c", SESSION, str(tmp_path / "test-logit.onnx")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert session.stdout is not None
    pids = json.loads(session.stdout.readline())
    session.stdout.close()
    assert len(pids) == 3
    assert all(map(is_alive, pids))
    os.kill(pids[0], signal.SIGSTOP)

    session.kill()
    session.wait()

    assert until(lambda: not any(map(is_alive, pids)))


def push_unaccounted(process: WorkerProcess, ticket: int) -> bool:
    """Write a row past the session's own accounts, which never let more in than the rings hold."""
    pushed = process.memory.requests.push(
        request_struct(3, process.memory.width).pack(ticket, 1, 0.0, 0.0, 0.0)
    )
    os.eventfd_write(process._wake_fd, 1)
    return pushed or not is_alive(process.pid)


SESSION = """
import json, sys, time
from pathlib import Path
from pipeline.runtime.pool_params import PoolParams
from pipeline.runtime.rings import request_struct
from pipeline.runtime.worker_process import WorkerProcess
from pipeline.runtime.workers import WorkerPool
from tests.fakes.models import expectation, spec_for
path = Path(sys.argv[1])
pool = WorkerPool(path, spec_for(path), expectation(), PoolParams(workers=2, spares=1))
pool.start()
while pool.ready < 2 or pool.spares_ready < 1:
    pool.wait_any(0.01)
    pool.tick(0)
    pool.poll(0)
print(json.dumps([process.pid for process in pool._crew.processes]), flush=True)
time.sleep(60)
"""


def test_a_model_exchanged_after_the_session_checked_it_is_refused_by_the_worker(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    spec = spec_for(path)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    pool = WorkerPool(path, spec, expectation(sha256=spec.model_id), PoolParams(workers=1))
    pool.start()
    try:
        pool.submit(request(spec, 1))
        assert pool.wait_ready(20) is False
        assert pool.gave_up.startswith("E_SHA: test-logit.onnx is ")
        assert pool.counts.open == 0
    finally:
        pool.close(0)


def test_an_error_in_the_worker_ends_it_and_is_told(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    spec = spec_for(path)
    log = tmp_path / "log"
    params = PoolParams(workers=1, spares=0, deaths_max=1, log_path=log)
    pool = WorkerPool(path, spec, expectation(), params)
    pool.start()
    try:
        assert pool.wait_ready(20)
        process = pool._crew.processes[0]
        for ticket in range(100):
            while not push_unaccounted(process, ticket):
                time.sleep(0.001)
        assert until(lambda: pool.tick(0) or bool(pool.gave_up))
        assert "RuntimeError: result ring full" in pool.gave_up
        assert "result ring full" in log.read_text()
    finally:
        pool.close(0)


def modules_after(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_session_that_runs_workers_loads_no_onnx_runtime() -> None:
    loaded = modules_after("import pipeline.runtime.workers, pipeline.models.inspection")
    assert not {"onnxruntime", "onnx", "multiprocessing", "asyncio"} & loaded


def test_a_worker_loads_little() -> None:
    loaded = modules_after("import pipeline.runtime.worker_main")
    ours = {name for name in loaded if name.startswith(("pipeline.", "app", "widgets", "themes"))}
    allowed = ("pipeline.core", "pipeline.models", "pipeline.runtime")
    assert {name for name in ours if not name.startswith(allowed)} == set()
    assert not {"onnx", "asyncio", "multiprocessing", "ssl", "pydantic", "textual", "rich", "psutil"} & loaded
    assert not {"pipeline.core.engine", "pipeline.core.book", "pipeline.runtime.session"} & loaded


def test_both_ends_of_a_worker_agree_on_many_rows_in_bursts(pool: WorkerPool) -> None:
    pool.start()
    pid_of(pool)
    spec = pool._live
    answers: list[int] = []
    for burst in range(50):
        for at in range(60):
            pool.submit(request(spec, burst * 60 + at, f"S{at}"))
        while pool.counts.open:
            pool.wait_any(0.1)
            for end in pool.poll(0):
                assert isinstance(end, PredictionReceived)
                answers.append(end.feature_seq)

    assert answers == list(range(3000))
