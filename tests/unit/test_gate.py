from __future__ import annotations

import fcntl
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.runtime import gate as gate_module
from pipeline.runtime.gate import Closer, Gate, GateError, GateState


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate.create(tmp_path)
    yield made
    made.detach()


def shut(gate: Gate, closer: Closer = Closer.CONSOLE, reason: str = "halt") -> int:
    return gate.close(closer, "ann", "pts/1", reason, 1_000)


def shown(state: GateState) -> dict[Closer, int]:
    return {record.closer: record.generation for record in state.closers}


def release_all(gate: Gate) -> None:
    state = gate.state()
    gate.release(shown(state), "bob", "pts/2", "all clear", 2_000, latches=state.latches)


def test_new_gate_is_open(gate: Gate) -> None:
    assert gate.is_open()
    assert gate.state() == GateState(
        open=True,
        latched=False,
        closers=(),
        generation=0,
        latches=(),
        kills={},
        kill_count=0,
        unknown_slots=(),
        orphaned=False,
        last_release=None,
    )


@pytest.mark.parametrize("closer", list(Closer))
def test_any_closer_closes_it_for_another_process_view(gate: Gate, tmp_path: Path, closer: Closer) -> None:
    other = Gate.attach(tmp_path)
    generation = shut(other, closer)
    assert not gate.is_open()
    (record,) = gate.state().closers
    assert (record.closer, record.generation, record.who) == (closer, generation, "ann")
    assert (record.tty, record.reason, record.ts_ns, record.pid) == ("pts/1", "halt", 1_000, os.getpid())
    other.detach()
    assert not gate.is_open()


def test_release_of_one_closer_leaves_the_other(gate: Gate) -> None:
    generation = shut(gate, Closer.CONSOLE)
    shut(gate, Closer.GUARD)
    result = gate.release({Closer.CONSOLE: generation}, "bob", "pts/2", "ok", 2_000)
    assert result.released == (Closer.CONSOLE,)
    assert not result.open
    assert [record.closer for record in gate.state().closers] == [Closer.GUARD]


def test_kill_is_one_without_any_latch_file_until_a_release_takes_it_back(gate: Gate) -> None:
    generation = gate.close(Closer.CONSOLE, "ann", "pts/1", "kill key", 1_000, kill=True)
    halted = shut(gate)
    state = gate.state()
    assert (state.latched, state.latches, state.kills) == (True, (), {Closer.CONSOLE: generation})
    gate.release({Closer.CONSOLE: halted}, "bob", "pts/2", "only the halt", 2_000)
    assert gate.state().closers == ()
    assert not gate.is_open()
    mark = gate.mark()
    gate.release({}, "bob", "pts/2", "the kill too", 2_000, kills=state.kills)
    assert gate.is_open()
    assert gate.mark() != mark
    assert not gate.state().latched


def test_release_of_one_kill_leaves_a_newer_one(gate: Gate) -> None:
    first = gate.close(Closer.SHELL, "ann", "", "kill", 1_000, kill=True)
    second = gate.close(Closer.SHELL, "ann", "", "kill", 1_000, kill=True)
    gate.release({Closer.SHELL: second}, "bob", "", "ok", 2_000, kills={Closer.SHELL: first})
    assert gate.state().kills == {Closer.SHELL: second}
    assert not gate.is_open()


def test_second_close_survives_release_of_the_first(gate: Gate) -> None:
    first = shut(gate)
    shut(gate, reason="again")
    result = gate.release({Closer.CONSOLE: first}, "bob", "pts/2", "ok", 2_000)
    assert (result.released, result.kept, result.open) == ((), (Closer.CONSOLE,), False)
    assert gate.state().closers[0].reason == "again"


def test_old_release_repeated_after_a_new_close_does_nothing(gate: Gate) -> None:
    first = shut(gate)
    release_all(gate)
    assert gate.is_open()
    shut(gate)
    gate.release({Closer.CONSOLE: first}, "bob", "pts/2", "ok", 2_000)
    assert not gate.is_open()


def test_processes_that_share_a_closer_never_make_the_same_generation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    for pid in (100, 101):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        monkeypatch.setattr(gate_module, "_turns", iter(range(10)))
        made.append(gate_module._generation_after(7 << 32))
    assert made[0] != made[1]
    assert {generation >> 32 for generation in made} == {8}


def test_generation_grows_with_each_close_of_any_closer(gate: Gate) -> None:
    seen = []
    for closer in (Closer.CONSOLE, Closer.ENGINE, Closer.CONSOLE):
        shut(gate, closer)
        seen.append(gate.state().generation)
    release_all(gate)
    shut(gate)
    seen.append(gate.state().generation)
    assert seen == sorted(set(seen))


def test_release_says_who_and_keeps_the_engine_acknowledgement_apart(gate: Gate) -> None:
    shut(gate)
    before = gate.state()
    assert not before.closers[0].acknowledged
    gate.acknowledge(before.closers)
    assert gate.state().closers[0].acknowledged
    shut(gate, reason="newer")
    assert not gate.state().closers[0].acknowledged
    release_all(gate)
    last = gate.state().last_release
    assert last is not None
    assert (last.who, last.tty, last.reason, last.ts_ns) == ("bob", "pts/2", "all clear", 2_000)


def test_close_and_reading_work_while_another_release_holds_the_lock(gate: Gate, tmp_path: Path) -> None:
    generation = shut(gate)
    with (tmp_path / "gate").open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        shut(gate, Closer.SHELL)
        result = gate.release({Closer.CONSOLE: generation}, "bob", "pts/2", "ok", 2_000)
        assert (result.busy, result.released, result.kept) == (True, (), (Closer.CONSOLE,))
    assert {record.closer for record in gate.state().closers} == {Closer.CONSOLE, Closer.SHELL}
    assert not gate.release({Closer.CONSOLE: generation}, "bob", "", "ok", 2_000).busy


def test_close_works_inside_a_signal_handler(gate: Gate) -> None:
    previous = signal.signal(signal.SIGUSR1, lambda *_: shut(gate, Closer.SIGNAL, "SIGUSR1") and None)
    try:
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert gate.state().closers[0].closer is Closer.SIGNAL


def test_mark_changes_with_close_release_and_latch(gate: Gate) -> None:
    marks = [gate.mark()]
    assert gate.mark() == marks[0]
    shut(gate)
    marks.append(gate.mark())
    gate.latch("ann", "pts/1", "kill", 1)
    marks.append(gate.mark())
    release_all(gate)
    marks.append(gate.mark())
    assert len(set(marks)) == 4


def test_texts_are_cut_cleaned_and_never_refused(gate: Gate) -> None:
    gate.close(Closer.SHELL, "ü" * 100, "\x1b]0;x\x07", "lone \ud800", 1)
    (record,) = gate.state().closers
    assert record.who == "ü" * 24
    assert record.tty == "?]0;x?"
    assert record.reason == "lone ?"


def test_half_written_record_still_closes(gate: Gate) -> None:
    generation = shut(gate)
    gate._memory.store_record(Closer.CONSOLE, b"\xff" * 20)
    state = gate.state()
    assert not state.open
    assert state.closers[0].reason == "record unreadable"
    assert state.closers[0].generation == generation


def test_closer_of_a_later_version_is_obeyed(gate: Gate) -> None:
    gate._memory.store_closed(6, 1 << 32)
    assert not gate.is_open()
    assert gate.state().unknown_slots == (6,)


def test_create_again_keeps_what_closed_it(gate: Gate, tmp_path: Path) -> None:
    shut(gate)
    again = Gate.create(tmp_path)
    assert not again.is_open()
    again.detach()


def test_removed_gate_counts_as_closed(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "gate").unlink()
    assert not gate.is_open()
    assert gate.state().orphaned
    Gate.create(tmp_path).detach()
    assert not gate.is_open()


def test_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        Gate.create(tmp_path).detach()
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "gate").stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["gate"]


def test_layout_never_changes(gate: Gate, tmp_path: Path) -> None:
    generation = shut(gate, Closer.GUARD)
    page = (tmp_path / "gate").read_bytes()
    assert len(page) == 4096
    assert page[:8] == b"LOBGATE1"
    assert int.from_bytes(page[64 + 2 * 8 : 64 + 3 * 8], "little") == generation
    release_all(gate)
    page = (tmp_path / "gate").read_bytes()
    assert int.from_bytes(page[128 + 2 * 8 : 128 + 3 * 8], "little") == generation
    record = 512 + 2 * 256
    assert int.from_bytes(page[record : record + 8], "little") == generation
    assert page[record + 20 : record + 23] == b"ann"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "no file of 4096"), (bytes(4096), "does not begin with LOBGATE1"), (b"x" * 9_000, "no file of")],
)
def test_file_that_is_no_gate_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "gate").write_bytes(content)
    (tmp_path / "gate").chmod(0o600)
    with pytest.raises(GateError, match=told):
        Gate.attach(tmp_path)


def test_missing_linked_or_open_to_others_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="No such file"):
        Gate.attach(tmp_path)
    Gate.create(tmp_path).detach()
    (tmp_path / "gate").chmod(0o666)
    with pytest.raises(GateError, match="chmod 600"):
        Gate.attach(tmp_path)
    (tmp_path / "gate").rename(tmp_path / "real")
    (tmp_path / "gate").symlink_to(tmp_path / "real")
    with pytest.raises(GateError, match="cannot use the gate"):
        Gate.attach(tmp_path)


def test_latch_closes_alone_and_stays_after_the_closers_are_released(gate: Gate) -> None:
    assert gate.latch("ann", "pts/1", "kill", 5)
    assert gate.sync_latch()
    assert not gate.is_open()
    generation = shut(gate)
    gate.release({Closer.CONSOLE: generation}, "bob", "", "ok", 6)
    state = gate.state()
    assert (state.open, state.latched, state.closers) == (False, True, ())
    assert state.latches[0].records[0].who == "ann"
    release_all(gate)
    assert gate.is_open()


def test_latch_of_the_account_closes_every_session_of_it(tmp_path: Path) -> None:
    account = tmp_path / "accounts" / "main"
    sessions = [tmp_path / "sessions" / name for name in ("a", "b")]
    for directory in (account, *sessions):
        directory.mkdir(parents=True)
    first, second = (Gate.create(session, account) for session in sessions)
    from_shell = Gate.attach(sessions[0])
    assert from_shell.latch("ann", "", "kill", 1)
    assert (account / "KILL").exists()
    assert not (sessions[0] / "KILL").exists()
    assert not first.is_open()
    assert not second.is_open()
    (sessions[1] / "KILL").touch()
    release_all(first)
    assert first.is_open()
    assert not second.is_open()
    for view in (first, second, from_shell):
        view.detach()


def test_latch_goes_to_the_session_when_the_account_takes_none(tmp_path: Path) -> None:
    account, session = tmp_path / "account", tmp_path / "session"
    account.mkdir()
    session.mkdir()
    gate = Gate.create(session, account)
    account.rmdir()
    assert gate.latch("ann", "", "kill", 1)
    assert not gate.is_open()
    assert (session / "KILL").exists()
    gate.detach()
    with pytest.raises(GateError, match="latch directory"):
        Gate.attach(session)


def test_gate_of_another_account_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two", "session"):
        (tmp_path / name).mkdir()
    Gate.create(tmp_path / "session", tmp_path / "one").detach()
    with pytest.raises(GateError, match="another account"):
        Gate.create(tmp_path / "session", tmp_path / "two")


def test_gate_in_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match=r"cannot make the gate .*No such file"):
        Gate.create(tmp_path / "ghost")
    with pytest.raises(GateError, match="longer than 256 bytes"):
        Gate.create(tmp_path, tmp_path / ("a" * 200) / ("b" * 200))


def test_latch_of_another_gate_is_not_released_here(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Gate.create(tmp_path / "other")
    other.latch("ann", "", "kill", 1)
    result = gate.release({}, "bob", "", "ok", 2, latches=other.state().latches)
    assert result.latches_kept == (str(tmp_path / "other" / "KILL"),)
    assert not other.is_open()
    other.detach()


def test_gate_that_somebody_else_makes_meanwhile_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Gate.create(tmp_path)
    shut(first)
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    second = Gate.create(tmp_path)
    assert not second.is_open()
    assert [entry.name for entry in tmp_path.iterdir()] == ["gate"]
    first.detach()
    second.detach()
