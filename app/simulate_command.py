"""`lobdeck simulate`: rehearses whole sessions from seeds and says what broke, with how to see it again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from pipeline.rehearsal.outcome import Outcome
from pipeline.rehearsal.rehearse import rehearse_all

EXIT_BROKEN = 1
PROGRESS_S = 5.0
NAMED_FROM = 300
"""Seeds that reach every kind in the rule: from here on one that was missed is news and is named."""

Say = Callable[[str], None]


def run_simulate(first: int, seeds: int, steps: int, say: Say, progress: Say) -> int:
    """Rehearse `seeds` seeds from `first` on; give the exit status: 1 when a rule was broken."""
    began_s = told_s = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in rehearse_all(range(first, first + seeds), steps):
        outcomes.append(outcome)
        if outcome.broken:
            say(broken_words(outcome))
        now_s = time.monotonic()
        if now_s - told_s >= PROGRESS_S:
            told_s = now_s
            progress(f"{len(outcomes)} of {seeds} seeds, {len(outcomes) / (now_s - began_s):.1f} a second")
    say(summary_words(outcomes, time.monotonic() - began_s))
    return EXIT_BROKEN if any(outcome.broken for outcome in outcomes) else 0


def broken_words(outcome: Outcome) -> str:
    """Give what a seed broke, and the command that shows it again."""
    replay = f"lobdeck simulate --seed {outcome.seed} --steps {outcome.steps}"
    return f"seed {outcome.seed}: {outcome.broken}\n  again: {replay}"


def summary_words(outcomes: list[Outcome], took_s: float) -> str:
    """Give what was rehearsed, how fast, and whether every rule held."""
    broken = sum(1 for one in outcomes if one.broken)
    verdict = f"{broken} broke a rule" if broken else "every rule held"
    virtual_s = sum(one.virtual_ns for one in outcomes) / 1e9
    orders, fills = sum(one.orders for one in outcomes), sum(one.fills for one in outcomes)
    pace = len(outcomes) / max(took_s, 1e-9)
    return (
        f"{_count(len(outcomes), 'seed')} in {took_s:.1f} s, {pace:.1f} a second: {verdict}\n"
        f"{virtual_s:.0f} s of market, "
        f"{orders} orders sent, {fills} fills, {sum(one.deaths for one in outcomes)} deaths of the process, "
        f"{sum(one.fenced for one in outcomes)} by its guard, {sum(len(one.stopped_at) for one in outcomes)} "
        f"stops\n{coverage_words(outcomes)}"
    )


def coverage_words(outcomes: list[Outcome]) -> str:
    """Give how many kinds of crash points there are and at how many nothing died, named from 300 seeds on."""
    passed = sorted({name for one in outcomes for name in one.passed})
    died = Counter(name for one in outcomes for name in one.died_at)
    missed = [name for name in passed if not died[name]]
    words = f"crash points: died at {len(passed) - len(missed)} of {len(passed)} kinds, {died.total()} times"
    if not missed:
        return words
    names = f": {', '.join(missed)}" if len(outcomes) >= NAMED_FROM else ""
    return f"{words}; at none of {len(missed)} kinds{names}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
