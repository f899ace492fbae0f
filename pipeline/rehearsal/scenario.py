"""What a seed means: the session's mode, how bad the lines are, what the venue does wrong, when things die.

Everything is drawn before the first step, from the seed alone; the storm ends with the last step, and what
comes after is the calm in which everything must come to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.params import EntryStyle
from pipeline.core.types import Authority, VenueMode
from pipeline.sim.chance import Chance
from pipeline.sim.protocol.faults import Fault, FaultKind, parse_fault

STEP_NS = 20_000_000
"""Virtual time of one step."""
CALM_BEFORE_S = 0.6
"""The venue does nothing wrong before this: a session has to come up first."""

_DELAYS_MS = (0, 3, 3, 30, 250, 900)
_SKEWS_MS = (0, 0, 400, -700, 5_000)
_REQUESTS = ("order.", "order.place", "order.cancel", "order.status", "openOrders", "")
_FAULTS = (
    "lost-ack={}:{target}", "unknown={}:{target}", "overload={}:{target}", "reject={}:order.place",
    "throttle={}:{target}", "html={}:{target}", "deaf={}:{target}", "lost-report={}:executionReport",
    "double-report={}", "late-fill={}:cancel", "slow-ack=700:{target}", "slow-report=600",
    "late-request=400:{target}", "late-request=1300:order.place", "ban", "end-stream=1", "disconnect=1:api",
    "disconnect=1:all", "drop=0.1", "duplicate=0.1", "reorder=0.1", "gap", "silence", "garbage=0.1",
)  # fmt: skip
_RATES = ("0.1", "0.3", "0.6", "1")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that is drawn before the first step; times in ns, rates per step."""

    seed: int
    steps: int
    mode: VenueMode
    authority: Authority
    entry: EntryStyle
    faults: tuple[Fault, ...]
    horizon_ms: int
    """How long an entry may rest."""
    delay_ms: int
    """The longest way of a frame between us and the venue."""
    skew_ns: int
    """How far our clock is ahead of the venue's."""
    disk_ms: int
    """How long the disk takes to make a record durable."""
    cut_rate: float
    """Chance of a step to end a connection without the venue's doing."""
    act_rate: float
    """Chance of a step to bring an act of the person, or of another process at the gate."""
    dies_after: tuple[int, ...]
    """Crash points the first process, the second and so on live to see; what follows lives to the end."""

    @property
    def storm_ns(self) -> int:
        """Give how long things go wrong."""
        return self.steps * STEP_NS


def draw(seed: int, steps: int) -> Scenario:
    """Draw what a seed means."""
    chance = Chance(seed * 0x9E37 + 11)
    live = chance.unit() < 0.35
    return Scenario(
        seed=seed,
        steps=steps,
        mode=VenueMode.LIVE if live else VenueMode.SIM,
        authority=Authority.AUTO if chance.unit() < 0.75 else Authority.APPROVE,
        entry=EntryStyle.PASSIVE if chance.unit() < 0.6 else EntryStyle.CROSS,
        faults=_faults(chance, steps),
        horizon_ms=(400, 400, 2_000)[chance.below(3)],
        delay_ms=_DELAYS_MS[chance.below(len(_DELAYS_MS))],
        skew_ns=_SKEWS_MS[chance.below(len(_SKEWS_MS))] * 1_000_000,
        disk_ms=(0, 1, 15, 60)[chance.below(4)],
        cut_rate=(0.0, 0.0, 0.004, 0.02)[chance.below(4)],
        act_rate=(0.0, 0.01, 0.03, 0.06)[chance.below(4)],
        dies_after=_deaths(chance, steps),
    )


def _faults(chance: Chance, steps: int) -> tuple[Fault, ...]:
    storm_s = steps * STEP_NS / 1e9
    found: list[Fault] = []
    for _ in range(chance.below(4)):
        text = _FAULTS[chance.below(len(_FAULTS))]
        form, _, tail = text.partition(":")
        start_s = CALM_BEFORE_S + chance.unit() * max(storm_s - CALM_BEFORE_S, 0.1)
        length_s = min(0.2 + chance.unit() * storm_s, max(storm_s - start_s, 0.1))
        target = f":{tail}" if tail else ""
        whole = f"{form}@{start_s:.2f}+{length_s:.2f}{target}"
        rate, asked = _RATES[chance.below(len(_RATES))], _REQUESTS[chance.below(len(_REQUESTS))]
        found.append(parse_fault(whole.format(rate, target=asked).rstrip(":")))
    return tuple(one for one in found if one.kind is not FaultKind.OVERSIZED)


def _deaths(chance: Chance, steps: int) -> tuple[int, ...]:
    """Give when processes die, in crash points: six a step or more."""
    if chance.unit() < 0.6:
        return ()
    return tuple(chance.below(6 * steps) for _ in range(1 + chance.below(2)))
