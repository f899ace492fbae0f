"""The gate and the lock between real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.locks import InstanceLock, LockHeldError, is_held

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.5

CLOSING = """
import sys, time
from pathlib import Path
from pipeline.runtime.gate import Closer, Gate

gate, closer, seconds = Gate.attach(Path(sys.argv[1])), Closer[sys.argv[2]], float(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
until = time.monotonic() + seconds
opened = []
while time.monotonic() < until:
    generation = gate.close(closer, "child", "", "stress", time.time_ns())
    # Most closes come while the gate is closed: only those can fall into the middle of a release.
    for _ in range(generation % 7):
        if gate.is_open():
            opened.append(generation)
            break
print(*opened, flush=True)
sys.stdin.readline()
last = gate.close(closer, "child", "", "last", time.time_ns())
print(last, flush=True)
"""

HOLDING = """
import sys, time
from pathlib import Path
from pipeline.runtime.locks import InstanceLock
lock = InstanceLock.acquire(Path(sys.argv[1]), "child", 1)
print("held", flush=True)
time.sleep(60)
"""


def child(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def test_no_close_of_two_processes_is_lost_to_an_operator_releasing_all_the_time(tmp_path: Path) -> None:
    gate = Gate.create(tmp_path)
    closers = (Closer.CONSOLE, Closer.SHELL)
    children = {closer: child(CLOSING, str(tmp_path), closer.name, str(SECONDS)) for closer in closers}
    openings = 0
    shown: dict[Closer, set[int]] = {closer: set() for closer in closers}
    try:
        for process in children.values():
            assert line_of(process) == "ready"
        for process in children.values():
            tell(process)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            view = {record.closer: record.generation for record in gate.state().closers}
            gate.release(view, "operator", "", "stress", 1)
            for closer, generation in view.items():
                shown[closer].add(generation)
            time.sleep(0)
        for closer, process in children.items():
            opened = {int(generation) for generation in line_of(process).split()}
            openings += len(opened)
            assert opened <= shown[closer], "opened without a release that had seen the close"
            tell(process)
            assert int(line_of(process)) not in shown[closer]
        assert openings, "the gate never opened: the test tested nothing"
    finally:
        for process in children.values():
            process.kill()
            process.communicate()
    assert {record.closer for record in gate.state().closers} == set(closers)
    gate.detach()


def test_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = child(HOLDING, str(path))
    try:
        assert line_of(holder) == "held"
        with pytest.raises(LockHeldError, match=f"pid {holder.pid} "):
            InstanceLock.acquire(path, "me", 2)
    finally:
        holder.kill()
        holder.communicate()
    assert not is_held(path)
    InstanceLock.acquire(path, "me", 3).release()
