"""The gate under every order of single loads and stores: no close is lost, no opening shown that was not.

Actors run the real code on a page whose every access waits for its turn; Hypothesis picks the turns.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.gate_memory import SIZE, SLOTS, GateMemory, new_page

CLOSERS = (Closer.CONSOLE, Closer.SHELL)


class Actor:
    """One process, as a thread that moves only when it is told to."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self.finished = False
        self.next_access = ""
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._stopped.acquire()

    @property
    def ident(self) -> int:
        return self._thread.ident or 0

    def turn(self, access: str) -> None:
        """Announce the next access and wait until it may be made."""
        self.next_access = access
        self._stopped.release()
        self._go.acquire()

    def move(self) -> None:
        self._go.release()
        self._stopped.acquire()

    def move_until(self, access: str) -> None:
        """Move until `access` is next, or to the end."""
        while not self.finished and self.next_access != access:
            self.move()

    def finish(self) -> None:
        while not self.finished:
            self.move()
        self._thread.join()

    def _run(self) -> None:
        self.turn("start")
        self._work()
        self.finished = True
        self._stopped.release()


@dataclass
class World:
    """The page, the clock that counts accesses, and what happened when."""

    now: int = 0
    actors: dict[int, Actor] = field(default_factory=dict)
    closes: list[tuple[int, int, int]] = field(default_factory=list)
    """(slot or, of a kill, slot + SLOTS; time from which a view must show it; time from which it holds)"""
    stored: dict[int, int] = field(default_factory=dict)
    """By thread: time of its newest store of a closed word"""
    releases: list[tuple[int, int, int]] = field(default_factory=list)
    """(slot, time the operator's view was loaded, time of the store)"""
    viewed: dict[tuple[int, int], int] = field(default_factory=dict)
    """By (thread, slot): when this thread last loaded the closed word for a view"""
    openings: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of reads that said "open" """
    ends_killed: bool = False

    @property
    def lost_kill(self) -> bool:
        """Say whether a kill was made that no release had seen."""
        return self.lost_close_at(self.now, kills_only=True)

    def step(self, access: str) -> None:
        actor = self.actors.get(threading.get_ident())
        if actor is not None:  # the test itself waits for nobody
            actor.turn(access)
        self.now += 1

    def enter(self, work: Callable[[], None]) -> Actor:
        actor = Actor(work)
        actor.start()
        self.actors[actor.ident] = actor
        return actor

    def lost_close_at(self, time: int, *, kills_only: bool = False) -> bool:
        """Say whether a close made by `time` has no release, stored by `time`, that had seen it."""
        return any(
            not any(
                slot == released_slot and viewed >= visible and released_at <= time
                for released_slot, viewed, released_at in self.releases
            )
            for slot, visible, holds in self.closes
            if holds <= time and (slot >= SLOTS or not kills_only)
        )


class SteppedMemory(GateMemory):
    """A page on which every single load and store is one turn."""

    def __init__(self, world: World) -> None:
        super().__init__(bytearray(new_page("")))
        self._world = world
        self.viewing: set[int] = set()

    def _turn(self, access: str, slot: int) -> None:
        # The slots nobody uses stay zero: waiting for a turn there would only dilute the search.
        if slot < len(CLOSERS):
            self._world.step(access)

    def closed(self, slot: int) -> int:
        self._turn("load closed", slot)
        if threading.get_ident() in self.viewing:
            self._world.viewed[threading.get_ident(), slot] = self._world.now
        return super().closed(slot)

    def store_closed(self, slot: int, generation: int) -> None:
        self._world.step("store closed")
        self._world.stored[threading.get_ident()] = self._world.now
        super().store_closed(slot, generation)

    def released(self, slot: int) -> int:
        self._turn("load released", slot)
        return super().released(slot)

    def store_released(self, slot: int, generation: int) -> None:
        self._world.step("store released")
        seen = self._world.viewed[threading.get_ident(), slot]
        self._world.releases.append((slot, seen, self._world.now))
        super().store_released(slot, generation)

    def closed_all(self) -> bytes:
        return b"".join(self.closed(slot).to_bytes(8, "little") for slot in range(SLOTS))

    def released_all(self) -> bytes:
        return b"".join(self.released(slot).to_bytes(8, "little") for slot in range(SLOTS))

    def killed(self, slot: int) -> int:
        self._turn("load killed", slot)
        if threading.get_ident() in self.viewing:
            self._world.viewed[threading.get_ident(), SLOTS + slot] = self._world.now
        return super().killed(slot)

    def store_killed(self, slot: int, generation: int) -> None:
        self._world.step("store killed")
        self._world.stored[-threading.get_ident()] = self._world.now
        super().store_killed(slot, generation)

    def unkilled(self, slot: int) -> int:
        self._turn("load unkilled", slot)
        return super().unkilled(slot)

    def store_unkilled(self, slot: int, generation: int) -> None:
        self._world.step("store unkilled")
        seen = self._world.viewed[threading.get_ident(), SLOTS + slot]
        self._world.releases.append((SLOTS + slot, seen, self._world.now))
        super().store_unkilled(slot, generation)

    def killed_all(self) -> bytes:
        return b"".join(self.killed(slot).to_bytes(8, "little") for slot in range(SLOTS))

    def unkilled_all(self) -> bytes:
        return b"".join(self.unkilled(slot).to_bytes(8, "little") for slot in range(SLOTS))

    def store_record(self, slot: int, record: bytes) -> None:
        self._world.step("store record")
        super().store_record(slot, record)


@pytest.fixture(scope="module")
def gate_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    path: Path = tmp_path_factory.mktemp("gate") / "gate"
    path.write_bytes(bytes(SIZE))
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def closing(gate: Gate, world: World, closer: Closer, times: int, *, kill: bool = False) -> None:
    me = threading.get_ident()
    for _ in range(times):
        world.stored.pop(me, None)
        gate.close(closer, "ann", "pts/1", "halt", 1, kill=kill)
        world.closes.append((closer, world.stored.get(me, world.now), world.now))
        if kill:
            world.closes.append((SLOTS + closer, world.stored[-me], world.now))


def operating(gate: Gate, memory: SteppedMemory, rounds: int) -> None:
    for _ in range(rounds):
        memory.viewing.add(threading.get_ident())
        state = gate.state()
        shown = {record.closer: record.generation for record in state.closers}
        memory.viewing.discard(threading.get_ident())
        gate.release(shown, "bob", "pts/2", "all clear", 2, kills=state.kills)


def reading(gate: Gate, world: World, times: int) -> None:
    for _ in range(times):
        start = world.now
        if gate.is_open():
            world.openings.append((start, world.now))


actions = st.one_of(
    st.tuples(st.just("close"), st.sampled_from(CLOSERS), st.integers(1, 2)),
    st.tuples(st.just("kill"), st.sampled_from(CLOSERS), st.integers(1, 2)),
    st.tuples(st.just("operate"), st.just(Closer.CONSOLE), st.integers(1, 2)),
    st.tuples(st.just("read"), st.just(Closer.CONSOLE), st.integers(1, 2)),
)


Cast = list[tuple[str, Closer, int]]
Schedule = list[tuple[int, int]]
casts = st.lists(actions, min_size=4, max_size=4)
schedules = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), min_size=16, max_size=16)


def play(descriptor: int, cast: Cast, schedule: Schedule, kind: type[Gate] = Gate) -> World:
    world = World()
    memory = SteppedMemory(world)
    gate = kind(memory, descriptor, ())
    waiting: list[Actor] = []
    for what, closer, times in cast:
        match what:
            case "close" | "kill":
                act = partial(closing, gate, world, closer, times, kill=what == "kill")
                waiting.append(world.enter(act))
            case "operate":
                waiting.append(world.enter(partial(operating, gate, memory, times)))
            case _:
                waiting.append(world.enter(partial(reading, gate, world, times)))
    for who, moves in schedule:
        actor = waiting[who % len(waiting)]
        for _ in range(moves):
            if not actor.finished:
                actor.move()
    for actor in waiting:
        actor.finish()
    reading(gate, world, 1)
    world.ends_killed = gate.state().latched
    return world


def opens_too_early(world: World) -> bool:
    """Say whether a read said "open" while, all the time it took, somebody's close stood."""
    return any(
        all(world.lost_close_at(moment) for moment in range(start, end + 1)) for start, end in world.openings
    )


@settings(max_examples=150, deadline=None)
@given(cast=casts, schedule=schedules)
def test_no_interleaving_loses_a_close_or_shows_an_opening_that_was_not(
    gate_file: int, cast: Cast, schedule: Schedule
) -> None:
    world = play(gate_file, cast, schedule)
    assert not opens_too_early(world), world
    assert world.ends_killed or not world.lost_kill, world


class SingleFieldGate(Gate):
    """A gate as one byte a closer would be: a release compares, then clears the word a closer writes."""

    def _release_one(self, closer: Closer, generation: int) -> bool:
        if self._memory.closed(closer) != generation:
            return False
        self._memory.store_released(closer, 0)  # what the world counts as the release
        self._memory.store_closed(closer, 0)
        return True


def test_the_search_finds_the_close_a_gate_of_single_fields_loses(gate_file: int) -> None:
    find(
        st.tuples(casts, schedules),
        lambda case: opens_too_early(play(gate_file, case[0], case[1], SingleFieldGate)),
        settings=settings(max_examples=2_000, deadline=None, database=None, phases=(Phase.generate,)),
        random=Random(4),
    )


def test_close_that_lands_between_compare_and_store_of_a_release_stays(gate_file: int) -> None:
    world = World()
    memory = SteppedMemory(world)
    gate = Gate(memory, gate_file, ())
    closing(gate, world, Closer.CONSOLE, 1)
    operator = world.enter(partial(operating, gate, memory, 1))
    operator.move_until("store released")
    closing(gate, world, Closer.CONSOLE, 1)
    operator.finish()
    assert world.releases
    assert not gate.is_open()


def test_two_consoles_that_close_at_once_need_two_releases(gate_file: int) -> None:
    world = World()
    memory = SteppedMemory(world)
    gate = Gate(memory, gate_file, ())
    slow_console = world.enter(partial(closing, gate, world, Closer.CONSOLE, 1))
    slow_console.move_until("store closed")
    closing(gate, world, Closer.CONSOLE, 1)
    operating(gate, memory, 1)
    assert gate.is_open()
    slow_console.finish()
    assert not gate.is_open()


def test_reader_across_a_close_and_a_stale_release_sees_no_opening(gate_file: int) -> None:
    world = World()
    memory = SteppedMemory(world)
    gate = Gate(memory, gate_file, ())
    closing(gate, world, Closer.CONSOLE, 1)
    operator = world.enter(partial(operating, gate, memory, 1))
    operator.move_until("store released")
    reader = world.enter(partial(reading, gate, world, 1))
    reader.move()
    reader.move()
    closing(gate, world, Closer.CONSOLE, 1)
    operator.finish()
    reader.finish()
    assert world.releases
    assert world.openings == []
