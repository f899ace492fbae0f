"""Searches readers of foreign bytes for undeclared errors: `python -m tests.fuzz.guided [TARGET ...]`.

An input that ran a step of ours nobody ran before is kept and bent further. Python alone is traced: what
msgspec, zstandard and ONNX Runtime do inside is not seen. Prints what it did, and each input that broke
something, as hex.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.bending import bend
from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT / name}/" for name in ("app", "pipeline", "widgets"))
MOST_BYTES = 64 * 1024
SLOW_S = 1.0
"""An input that takes longer is a finding too."""

Step = tuple[str, int, int]
"""A file and two lines of it that were run one after the other."""


@dataclass
class Findings:
    """What a search found."""

    runs: int = 0
    kept: list[bytes] = field(default_factory=list)
    steps: set[Step] = field(default_factory=set)
    broken: dict[str, bytes] = field(default_factory=dict)
    """The first input for each kind of error and place."""


class Tracer:
    """Notes the steps of one run."""

    def __init__(self, ours: Sequence[str] = OURS) -> None:
        self._ours = tuple(ours)
        self.steps: set[Step] = set()

    def run(self, read: Callable[[bytes], object], data: bytes) -> str:
        """Read; give what went wrong, empty where nothing did."""
        self.steps = set()
        began_s, before = time.process_time(), sys.gettrace()
        sys.settrace(self._enter)
        try:
            read(data)
        except BaseException as error:  # noqa: BLE001  whatever it was is what is looked for
            if isinstance(error, KeyboardInterrupt):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        finally:
            sys.settrace(before)
        return "slow" if time.process_time() - began_s > SLOW_S else ""

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(self._ours):
            return None
        last = 0

        def line(inner: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                self.steps.add((name, last, inner.f_lineno))
                last = inner.f_lineno
            return line

        return line


def search(
    read: Callable[[bytes], object],
    seeds: Sequence[bytes],
    chance: random.Random,
    goes_on: Callable[[Findings], bool],
    tracer: Tracer | None = None,
) -> Findings:
    """Bend and run until told to end; the same chance takes the same way."""
    tracer, found = tracer or Tracer(), Findings(kept=list(seeds))
    waiting = list(seeds)
    while goes_on(found):
        data = waiting.pop() if waiting else bend(chance.choice(found.kept), found.kept, chance.randrange)
        data = data[:MOST_BYTES]
        problem = tracer.run(read, data)
        found.runs += 1
        if problem:
            found.broken.setdefault(problem, data)
        elif not tracer.steps <= found.steps:
            found.kept.append(data)
        found.steps |= tracer.steps
    return found


def report(target: Target, found: Findings) -> str:
    """Say in a few lines what was found."""
    lines = [f"{target.name}: {found.runs} runs, {len(found.steps)} steps, {len(found.kept)} inputs kept"]
    lines += [f"  {problem}: {data.hex()}" for problem, data in found.broken.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Search the targets named, all of them by default; 1 where something broke."""
    targets = all_targets()
    given = argparse.ArgumentParser("tests.fuzz.guided", description=__doc__)
    given.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(one.name for one in targets))
    given.add_argument("--seconds", type=float, default=30.0, help="for each target")
    given.add_argument("--seed", type=int, default=1)
    options = given.parse_args(arguments)
    broken = False
    for target in targets:
        if options.targets and target.name not in options.targets:
            continue
        until_s = time.monotonic() + options.seconds
        chance = random.Random(options.seed)
        found = search(target.read, target.seeds, chance, lambda _: time.monotonic() < until_s)  # noqa: B023
        sys.stdout.write(report(target, found) + "\n")
        sys.stdout.flush()
        broken = broken or bool(found.broken)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
