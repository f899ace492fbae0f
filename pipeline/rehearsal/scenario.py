"""What a seed means: the session's mode, how bad the lines are, what the venue does wrong, when things die.

Everything is drawn before the first step, from the seed alone; the storm ends with the last step, and what
comes after is the calm in which everything must come to be known.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.params import EntryStyle
from pipeline.core.types import Authority, VenueMode
from pipeline.rehearsal.crash import CrashPoint, StopPoint
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
_MS = 1_000_000
CRASHES = (
    "journal write: INPUT",
    "journal write: FRAME",
    "journal write: EFFECT",
    "send: order.place",
    "send: order.cancel",
    "send: order.status",
    "send: openOrders.status",
    "send: account.status",
    "send: time",
    "send: userDataStream.subscribe.signature",
    "send: exchangeInfo",
    "send: myTrades",
)
"""Everything a process writes or sends: it may die before and after each."""
GUARD_SENDS = ("GET time", "GET openOrders", "DELETE order")
HAS_LOOKED_AT_GATE = "before a send: order.place"
"""Where an order leaves though somebody closes the gate now."""
_STOPS_MS = (40, 200, 280, 320, 500, 900, 1_300, 3_000, 5_600)
"""Around what a guard waits for: 300 ms for an acknowledgement, 1 s to halt, 5 s to fence."""
_FEES_E6 = ((0, 0), (0, 0), (50, 100), (200, 400))
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
    deaths: tuple[CrashPoint, ...]
    """Where the first process dies, the second and so on; what follows lives to the end."""
    power_rate: float
    """Chance of a death to be the whole machine's: the guard dies too, and what no disk has is gone."""
    symbols: tuple[str, ...] = ("BTCUSDT",)
    fees_e6: tuple[int, int] = (0, 0)
    """What the account pays as maker and as taker, in 1e-6."""
    stops: tuple[StopPoint, ...] = ()
    """Where processes stand still."""
    slow: tuple[tuple[int, int, int], ...] = ()
    """When the process is slow: from, for how long, and how long each turn takes then."""
    guard_delay_ms: int = 0
    """The longest way of a frame between guard and venue."""
    guard_deaths: tuple[CrashPoint, ...] = ()
    """Where the first guard dies, the second and so on."""
    guard_stops: tuple[tuple[int, int], ...] = ()
    """When whatever guard there is stands still, and for how long."""

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
        deaths=_deaths(chance, steps),
        power_rate=(0.0, 0.0, 0.7)[chance.below(3)],
        symbols=("BTCUSDT", "ETHUSDT") if chance.unit() < 0.2 else ("BTCUSDT",),
        fees_e6=_FEES_E6[chance.below(len(_FEES_E6))],
        stops=_stops(chance, steps),
        slow=_slow(chance, steps),
        guard_delay_ms=_DELAYS_MS[chance.below(len(_DELAYS_MS))],
        guard_deaths=_guard_deaths(chance),
        guard_stops=_guard_stops(chance, steps),
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


def _deaths(chance: Chance, steps: int) -> tuple[CrashPoint, ...]:
    if chance.unit() < 0.5:
        return ()
    return tuple(_point(chance, steps) for _ in range(1 + chance.below(2)))


def _point(chance: Chance, steps: int) -> CrashPoint:
    """Draw a point: anywhere, around an order that leaves, or of any kind there is."""
    drawn, early = chance.unit(), chance.unit()
    if drawn < 0.25:
        return CrashPoint(chance.below(6 * steps))
    if drawn < 0.55:
        return CrashPoint(chance.below(6), f"{'before' if early < 0.25 else 'after'} a send: order.place")
    where = "before" if early < 0.5 else "after"
    return CrashPoint(chance.below(3), f"{where} a {CRASHES[chance.below(len(CRASHES))]}")


def _stops(chance: Chance, steps: int) -> tuple[StopPoint, ...]:
    """Give where processes stand still: most of them between the look at the gate and the send."""
    if chance.unit() < 0.7:
        return ()
    found = []
    for _ in range(1 + chance.below(3)):
        at_send = chance.unit() < 0.7
        at = CrashPoint(chance.below(8), HAS_LOOKED_AT_GATE) if at_send else _point(chance, steps)
        found.append(StopPoint(at, _STOPS_MS[chance.below(len(_STOPS_MS))] * _MS))
    return tuple(found)


def _slow(chance: Chance, steps: int) -> tuple[tuple[int, int, int], ...]:
    if chance.unit() < 0.85:
        return ()
    start_ns, length_ns = _window(chance, steps)
    return ((start_ns, length_ns, chance.between(60, 700) * _MS),)


def _guard_deaths(chance: Chance) -> tuple[CrashPoint, ...]:
    if chance.unit() < 0.8:
        return ()
    return tuple(_guard_point(chance) for _ in range(1 + chance.below(2)))


def _guard_point(chance: Chance) -> CrashPoint:
    if chance.unit() < 0.5:
        return CrashPoint(chance.below(30))
    where = "before" if chance.unit() < 0.5 else "after"
    return CrashPoint(
        chance.below(2), f"{where} a guard's send: {GUARD_SENDS[chance.below(len(GUARD_SENDS))]}"
    )


def _guard_stops(chance: Chance, steps: int) -> tuple[tuple[int, int], ...]:
    if chance.unit() < 0.9:
        return ()
    start_ns, _ = _window(chance, steps)
    return ((start_ns, chance.between(100, 2_500) * _MS),)


def _window(chance: Chance, steps: int) -> tuple[int, int]:
    storm_ns = steps * STEP_NS
    return chance.below(storm_ns // _MS) * _MS, chance.between(200, 2_000) * _MS
