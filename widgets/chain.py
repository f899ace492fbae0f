"""The machinery on one line: a delay for every stage, the slowest, and what stops the chain."""

from __future__ import annotations

from pipeline.core.snapshot import ChainView, ConsoleSnapshot, FeedView, StageView
from widgets.base import SnapshotWidget
from widgets.cells import clean
from widgets.glyphs import ARROW
from widgets.lines import Item, Line, fit, text
from widgets.times import delay_text
from widgets.words import reason_words, stage_word

_SHORT_NAMES = {"features": "feat", "decide": "dec"}


class ChainPanel(SnapshotWidget):
    """From the feed to the venue's acknowledgement."""

    TITLE = "CHAIN"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Name the unit, and at the right what stops the chain or that nothing does."""
        del room
        return text("ms now", "dim"), verdict(snapshot.chain)

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give stages, slowest and health on one line; on two where there are two."""
        chain = snapshot.chain
        stages = fit([(0, ((" ", "text"), *stage_parts(chain))), (1, slowest(chain))], width)
        health = fit(health_items(chain), max(0, width - 1))
        if height >= 2:
            return [stages, ((" ", "text"), *health)]
        items: list[Item] = [(0, ((" ", "text"), *stage_parts(chain))), (1, slowest(chain))]
        items += [(priority + 2, part) for priority, part in health_items(chain)]
        return [fit(items, width)]


def verdict(chain: ChainView) -> Line:
    """Say what stops the chain, or that every stage is inside its budget."""
    if chain.stopped:
        return text(f"STOPPED: {reason_words(chain.stopped)}", "alert")
    slow = [stage_word(stage.name) for stage in chain.stages if not stage.ok]
    return text(f"slow: {', '.join(slow)}", "warn") if slow else text("all inside budget", "good")


def stage_parts(chain: ChainView) -> Line:
    """Give the stages with their newest delay."""
    parts: list[tuple[str, str]] = []
    for stage in chain.stages:
        if parts:
            parts.append((f" {ARROW} ", "rule"))
        parts += [
            (f"{stage_word(stage.name)} ", "dim"),
            (delay_text(stage.now_us).rjust(4), _role(stage)),
        ]
        if stage.name == "model":
            ready, count = chain.workers_ready, len(chain.workers)
            parts.append((f" ({ready}/{count})", "dim" if ready == count else "warn"))
    return tuple(parts)


def _role(stage: StageView) -> str:
    if not stage.ok:
        return "warn"
    return "text" if stage.now_us >= 0 else "dim"


def slowest(chain: ChainView) -> Line:
    """Name the slowest stage with its p99."""
    stage = next((stage for stage in chain.stages if stage.name == chain.slowest), None)
    if stage is None:
        return text("slowest --", "dim")
    name = stage_word(stage.name)
    return ("slowest ", "dim"), (name, _role(stage)), (f" p99 {delay_text(stage.p99_us)}", "dim")


def health_items(chain: ChainView) -> list[Item]:
    """Give what else must be well; what is not well stays longest."""
    dropped = chain.conflated + chain.late + chain.void
    facts = (
        ("guard", clean(chain.guard, 30), _guard_is_well(chain)),
        ("journal", "ok" if chain.journal_ok else "FAILS", chain.journal_ok),
        ("clock", f"{chain.clock_offset_ms:+d} ms", abs(chain.clock_offset_ms) < 50),
        ("dropped", str(dropped), True),
        ("feed", *feed_words(chain)),
        ("loop lag", delay_text(chain.loop_lag_us), chain.loop_lag_us < 100_000),
        ("memory", f"{chain.rss_mb:.0f} MB", True),
    )
    return [
        (index if well else -1, ((f"{name} ", "dim"), (words, "text" if well else "alert")))
        for index, (name, words, well) in enumerate(facts)
    ]


def _guard_word(chain: ChainView) -> str:
    """Give the guard's state without its dead-man switch."""
    return chain.guard.partition(",")[0]


def _guard_is_well(chain: ChainView) -> bool:
    return _guard_word(chain) not in ("DOWN", "no venue")


def feed_words(chain: ChainView) -> tuple[str, bool]:
    """Say whether the feed is well; where it is not, why, and when it is tried again."""
    state = "up" if chain.feed_up else "DOWN"
    down = _first_down(chain)
    if down is None:
        return state, chain.feed_up
    return f"{state} {clean(down.name, 12)}: {clean(down.reason, 80)}{_wait(down)}", False


def _first_down(chain: ChainView) -> FeedView | None:
    return next((feed for feed in chain.feeds if not feed.up), None)


def _wait(feed: FeedView) -> str:
    return f", again in {-(-feed.retry_ms // 1000)} s" if feed.retry_ms >= 0 else ""


def compact_chain(snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give verdict and delays for the small screen's header."""
    chain, fees = snapshot.chain, snapshot.why
    stopped = (
        ((" STOPPED: ", "alert"), (reason_words(chain.stopped), "alert"))
        if chain.stopped
        else text(" ok:", "good")
    )
    delays: list[tuple[str, str]] = []
    for stage in chain.stages:
        short = _SHORT_NAMES.get(stage.name) or stage_word(stage.name)
        delays += [(f"{short} ", "dim"), (f"{delay_text(stage.now_us)} ", _role(stage))]
    ready = chain.workers_ready == len(chain.workers)
    down = _first_down(chain)
    items: list[Item] = [
        (0, stopped),
        *(() if down is None else ((0, text(f"feed {down.name} down{_wait(down)}", "alert")),)),
        (1, (*delays, ("ms", "dim"))),
        (2, ((f"w{chain.workers_ready}/{len(chain.workers)}", "text" if ready else "warn"),)),
        (4, text(f"fee {fees.maker_e6 / 100:.1f}/{fees.taker_e6 / 100:.1f}", "dim")),
        (3, ((f"guard {clean(_guard_word(chain), 8)}", "dim" if _guard_is_well(chain) else "alert"),)),
    ]
    return fit(items, width, gap=1)
