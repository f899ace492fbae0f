"""What closed and opened the gate: rows of the page for risk, from the journal and the files beside it."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.inputs import Command, GateChanged
from pipeline.core.session_facts import GateFileFact, KillFact, RunFact, SessionFacts
from pipeline.research.report_parts import day_and_time, moment, span_ms, table

KILL_HEADS = (
    *("time", "kind", "who", "terminal", "why", "heard after ms", "ours", "cancels", "gone", "filled"),
    *("first cancel ms", "zero after ms"),
)
BESIDE_HEADS = (
    *("on file only", "kind", "who", "terminal", "why", "from", "guard", "engine", "cancels"),
    "NO ORDERS LEFT",
)
_SAME_CLOCK_NS = 600_000_000_000
_COMMANDS = {one.value for one in Command}


def kill_cells(one: KillFact) -> tuple[str, ...]:
    """Give the row of one closing the engine followed."""
    return (
        moment(one.ts_ns),
        "KILL" if one.latched else "halt",
        one.who,
        one.tty or "–",
        one.reason,
        _heard_ms(one),
        *(str(count) for count in (one.ours, one.cancels_sent, one.canceled, one.filled)),
        span_ms(one.ts_ns, one.first_cancel_ns),
        span_ms(one.ts_ns, one.gone_ns),
    )


def beside_kills(run: RunFact) -> int:
    """Count the kills that are on file only."""
    return sum(one.kind == "KILL" for one in run.beside)


def beside_parts(run: RunFact) -> Iterator[str]:
    """Give what is on file only, and that no chain vouches for it."""
    if run.beside:
        yield "<p>From the guard's report, the latch and the gate's page beside the journal, "
        yield "NOT in the journal's chain: the engine stood still or was dead then.</p>"
        yield table(BESIDE_HEADS, (_beside(one) for one in run.beside))


def releases(run: RunFact, facts: SessionFacts) -> Iterator[tuple[str, ...]]:
    """Give a row for each release a person made at the gate, in the journal or on file only."""
    for one in facts.gates:
        if _by_person(one):
            yield day_and_time(one.acted_ns or one.ts_ns), one.who, one.tty or "–", one.reason, "journal"
    for other in run.beside:
        if other.kind == "release":
            at = day_and_time(other.acted_ns)
            yield at, other.who, other.tty or "–", other.reason, f"{other.source}, not in the chain"


def releases_by_shell(run: RunFact, facts: SessionFacts) -> int:
    """Count those that are no command of a console, which is counted as a command already."""
    return sum(row[3] not in _COMMANDS for row in releases(run, facts))


def _by_person(gate: GateChanged) -> bool:
    return gate.open and gate.who not in ("", "engine")


def _beside(one: GateFileFact) -> tuple[str, ...]:
    return (
        day_and_time(one.acted_ns),
        one.kind,
        one.who,
        one.tty or "–",
        one.reason,
        one.source,
        one.guard or "–",
        one.engine or "–",
        str(one.cancels) if one.guard else "–",
        day_and_time(one.gone_ns),
    )


def _heard_ms(kill: KillFact) -> str:
    """Give how long the engine took to hear of it; a replay of old data has another clock than the gate.

    The gate's records bear the system's clock, the engine's are counted from its start: a step of the first
    may put the hearing before the act, and then nobody knows.
    """
    if abs(kill.ts_ns - kill.acted_ns) >= _SAME_CLOCK_NS:
        return "–"
    return "not known" if kill.ts_ns < kill.acted_ns else span_ms(kill.acted_ns, kill.ts_ns)
