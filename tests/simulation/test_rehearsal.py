"""Whole sessions from seeds, judged by the exchange: 300 here, more with `lobdeck simulate --seeds N`."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace

import pytest

from pipeline.core.types import Authority, VenueMode
from pipeline.rehearsal import stage
from pipeline.rehearsal.crash import CrashPoint, Fuse
from pipeline.rehearsal.memory_journal import Disk
from pipeline.rehearsal.outcome import Outcome
from pipeline.rehearsal.rehearse import DEFAULT_STEPS, rehearse, rehearse_scenario
from pipeline.rehearsal.rules import Rule
from pipeline.rehearsal.scenario import CRASHES, HAS_LOOKED_AT_GATE, draw
from pipeline.runtime.journal_format import Record
from pipeline.sim.protocol.venue import Session, SimVenue
from tests.fakes.planted_bugs import PLANTS, Plant
from tests.fakes.planted_guard_bugs import GUARD_PLANTS

SEEDS, CHUNK = 300, 50
MOST_SEEDS = 1_000
"""Within so many a planted bug must be found."""
BEGINS_AT = {"one_zero": 100, "zero_twice_at_once": 130, "hung_engine_is_left_alone": 85}
"""Where the search begins for bugs that show in few seeds, to save time; it goes through all of them."""


@functools.cache
def played(first: int) -> list[Outcome]:
    """Rehearse a chunk of the seeds, once."""
    return [rehearse(seed) for seed in range(first, first + CHUNK)]


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_rule_holds(first: int) -> None:
    outcomes = played(first)
    broken = [f"--seed {one.seed} --steps {one.steps}: {one.broken}" for one in outcomes if one.broken]
    assert not broken, broken
    # A rehearsal in which nothing happens proves nothing.
    assert sum(one.orders for one in outcomes) > 2 * CHUNK
    assert sum(one.fills for one in outcomes) > CHUNK
    assert sum(one.deaths for one in outcomes) > 0


def test_guards_fence_and_processes_stand_still_at_every_length() -> None:
    outcomes = [one for first in range(0, SEEDS, CHUNK) for one in played(first)]
    assert sum(one.fenced for one in outcomes) > 10
    assert sum(name == HAS_LOOKED_AT_GATE for one in outcomes for name in one.stopped_at) > 20
    assert sum("guard" in name for one in outcomes for name in one.died_at) > 5


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("what", CRASHES)
def test_a_process_may_die_at_every_kind_of_write_and_send(what: str, where: str) -> None:
    name = f"{where} a {what}"
    # Wherever a seed comes by it, first with the guard left alive and then without.
    seeds = [one.seed for first in range(0, SEEDS, CHUNK) for one in played(first) if name in one.passed]
    for power_rate in (0.0, 1.0):
        for seed in seeds:
            scenario = replace(
                draw(seed, DEFAULT_STEPS), deaths=(CrashPoint(0, name),), stops=(), power_rate=power_rate
            )
            outcome = rehearse_scenario(scenario)
            assert not outcome.broken, (seed, name, outcome.broken)
            if name in outcome.died_at:
                break
        else:
            pytest.fail(f"no seed has a process die {name}")


def test_nothing_is_written_or_sent_but_at_a_crash_point(monkeypatch: pytest.MonkeyPatch) -> None:
    disks: list[Disk] = []
    heard: list[bytes] = []
    passed: Counter[str] = Counter()
    point, receive = Fuse.point, SimVenue.receive

    def remembered(records: list[Record]) -> Disk:
        disks.append(Disk(records))
        return disks[-1]

    def receives(venue: SimVenue, session: Session, frame: bytes, now_ns: int) -> None:
        heard.append(frame)
        receive(venue, session, frame, now_ns)

    def counted(fuse: Fuse, name: str) -> None:
        passed[name.partition(":")[0]] += 1
        point(fuse, name)

    monkeypatch.setattr(stage, "Disk", remembered)
    monkeypatch.setattr(SimVenue, "receive", receives)
    monkeypatch.setattr(Fuse, "point", counted)
    scenario = replace(draw(3, DEFAULT_STEPS), deaths=(), stops=(), cut_rate=0.0)
    assert not rehearse_scenario(scenario).broken
    written = sum(len(one.records) for one in disks)
    assert passed["before a journal write"] == passed["after a journal write"] == written > 100
    assert passed["before a send"] == passed["after a send"] >= len(heard) > 10


def test_a_seed_is_a_session() -> None:
    first, again, other = rehearse(2), rehearse(2), rehearse(4)
    assert first == again
    assert first.effects_sha256 != other.effects_sha256


def test_scenarios_reach_both_modes_and_every_kind_of_trouble() -> None:
    scenarios = [draw(seed, DEFAULT_STEPS) for seed in range(SEEDS)]
    assert {one.mode for one in scenarios} == {VenueMode.SIM, VenueMode.LIVE}
    assert {one.authority for one in scenarios} == {Authority.APPROVE, Authority.AUTO}
    assert len({fault.kind for one in scenarios for fault in one.faults}) >= 20
    assert sum(1 for one in scenarios if one.deaths) > SEEDS // 5
    assert sum(1 for one in scenarios if any(one.fees_e6)) > SEEDS // 5
    assert sum(1 for one in scenarios if len(one.symbols) > 1) > SEEDS // 10


@pytest.mark.parametrize("plant", [*PLANTS, *GUARD_PLANTS], ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    first = BEGINS_AT.get(plant.__name__, 0)
    broken = (rehearse(seed).broken for seed in (*range(first, MOST_SEEDS), *range(first)))
    found = next((one for one in broken if one), "")
    assert found
    # A plant that no longer fits the program is no bug of the kind it stands for.
    assert not found.startswith(Rule.CRASHED.value)


@pytest.mark.parametrize("mode", [VenueMode.SIM, VenueMode.LIVE])
def test_a_process_may_die_at_every_send_and_at_the_writes_around_it(
    mode: VenueMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = replace(
        draw(1, 120),
        mode=mode,
        authority=Authority.AUTO,
        faults=(),
        cut_rate=0.0,
        act_rate=0.0,
        delay_ms=30,
        deaths=(),
        power_rate=1.0 if mode is VenueMode.LIVE else 0.0,
        stops=(),
        slow=(),
        guard_deaths=(),
        guard_stops=(),
    )
    passed: list[str] = []
    point = Fuse.point

    def noted(fuse: Fuse, name: str) -> None:
        if "guard" not in name:
            passed.append(name)
        point(fuse, name)

    with monkeypatch.context() as patch:
        patch.setattr(Fuse, "point", noted)
        assert not rehearse_scenario(scenario).broken
    sends = [number for number, name in enumerate(passed) if name.startswith("before a send")]
    points = dict.fromkeys(near for one in sends for near in range(one - 2, one + 3))
    assert len(points) > 40
    for number in points:
        outcome = rehearse_scenario(replace(scenario, deaths=(CrashPoint(max(number, 0)),)))
        assert not outcome.broken, (number, passed[number], outcome.broken)
