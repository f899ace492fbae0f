"""Rehearses seeds one after the other; each in a directory of its own, for the gate's file."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.rehearsal.outcome import Outcome
from pipeline.rehearsal.rules import Rule, RuleBroken
from pipeline.rehearsal.scenario import Scenario, draw
from pipeline.rehearsal.stage import Stage

DEFAULT_STEPS = 250
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files cost no disk: gate, heart and latch of a rehearsal need not survive anything."""


def rehearse(seed: int, steps: int = DEFAULT_STEPS) -> Outcome:
    """Rehearse one seed."""
    return rehearse_scenario(draw(seed, steps))


def rehearse_all(seeds: Iterable[int], steps: int = DEFAULT_STEPS) -> Iterator[Outcome]:
    """Rehearse seeds as they are asked for."""
    return (rehearse(seed, steps) for seed in seeds)


def rehearse_scenario(scenario: Scenario) -> Outcome:
    """Rehearse one scenario, drawn or written by hand."""
    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir=_MEMORY) as name:
        return asyncio.run(_play(scenario, Path(name)))


async def _play(scenario: Scenario, directory: Path) -> Outcome:
    stage = Stage(scenario, directory)
    begun_ns = stage.now_ns
    broken = ""
    try:
        await stage.play()
    except (AssertionError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as problem:
        found = f"{type(problem).__name__}: {problem}"
        broken = str(RuleBroken(Rule.CRASHED, found))
    finally:
        stage.close()
    oracle, process = stage.oracle, stage.process
    return Outcome(
        seed=scenario.seed,
        steps=scenario.steps,
        broken=broken or ("" if oracle.broken is None else str(oracle.broken)),
        orders=oracle.orders_left,
        fills=oracle.fills,
        deaths=stage.deaths,
        virtual_ns=stage.now_ns - begun_ns,
        passed=tuple(sorted({name for fuse in stage.fuses for name in fuse.passed})),
        died_at=tuple(fuse.burnt_at for fuse in stage.fuses if fuse.burnt_at),
        stopped_at=tuple(stage.stopped_at),
        fenced=stage.fenced,
        effects_sha256="" if process is None else process.run.pump.effects_sha256,
    )
