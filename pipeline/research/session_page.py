"""A session's journal as one page: result, fills by permit, what came after them, delays, denials.

Everything on it follows from the journal and nothing from a clock, so the same journal gives the same page.
What a risk manager wants stands on another one (`risk_page.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from pipeline.core.session_facts import EquityFact, RunFact, SessionFacts
from pipeline.research.report_parts import day_and_time, document, money, table
from pipeline.research.report_svg import Chart, Line, drawn
from pipeline.research.risk_limits import DENIAL_HEADS, denial_cells
from pipeline.research.session_tables import (
    AFTER_HEADS,
    DELAY_HEADS,
    E6_A_BP,
    MS_NS,
    PERMIT_HEADS,
    after_rows,
    delay_rows,
    permit_rows,
)

_POINTS_DRAWN = 240
_E8 = 1e8


def session_page(run: RunFact, facts: SessionFacts) -> str:
    """Give the page."""
    parts = (_head(run, facts), _result(run, facts), _fills(run, facts), _delays(facts), _denials(run, facts))
    return document(f"Session {run.session}, run {run.run}", ("".join(part) for part in parts))


def session_charts(run: RunFact, facts: SessionFacts) -> list[Chart]:
    """Give the charts of the page, in its order; those without a point are left out."""
    return [
        one for one in (*_equity_charts(run, facts), _after_chart(facts), _delay_chart(facts)) if one.points
    ]


def _head(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    if run.cut_short:
        yield f'<p class="warn">Not all of the journal could be read: {escape(run.cut_short)}</p>'
    if not run.chain.sound:
        yield '<p class="warn">The journal is NOT SOUND: `lobdeck journal verify` says where.</p>'
    model = run.params.model
    rows = [
        ("from, to", f"{day_and_time(facts.started_ns)} to {day_and_time(facts.ended_ns)}"),
        ("mode, authority at start", f"{run.params.mode.value}, {run.params.authority.name}"),
        ("instruments", ", ".join(f"{one.venue} {one.symbol}" for one in run.params.instruments)),
        ("model", f"{model.name} {model.model_id[:16]}" if model is not None else "none"),
        ("frames", f"{run.frames:,}"),
        ("inputs sha256", run.inputs_sha256),
    ]
    yield table(("", ""), rows)


def _result(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Result</h2>"
    heads = ("symbol", "orders", "fills", "resting", "position at end", "closed", "open", "fees")
    yield table(heads, (_result_cells(facts, one.symbol) for one in run.params.instruments))
    if facts.equity:
        last = facts.equity[-1]
        lowest = max(one.drawdown_quote_e8 for one in facts.equity)
        yield f"<p>The day after fees: {money(last.day_quote_e8)}, fees {money(last.fees_quote_e8)}, "
        yield f"furthest below its best {money(lowest)}.</p>"
    yield from (drawn(one) for one in _equity_charts(run, facts) if one.points)


def _result_cells(facts: SessionFacts, symbol: str) -> tuple[str, ...]:
    orders = sum(one.intent.symbol == symbol for one in facts.orders)
    fills = [one for one in facts.fills if one.symbol == symbol]
    rested = f"{sum(one.maker for one in fills) / len(fills):.0%}" if fills else "–"
    last = facts.position.get(symbol, {})
    ends = (last.get(name, "–") for name in ("qty", "closed", "open", "fees"))
    return symbol, f"{orders:,}", f"{len(fills):,}", rested, *ends


def _fills(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Fills by permit</h2>"
    rows = list(permit_rows(facts, {one.symbol: one for one in run.params.instruments}))
    if not rows:
        yield "<p>No permit was opened and nothing was filled.</p>"
        return
    yield f'<div class="wide">{table(PERMIT_HEADS, rows)}</div>'
    yield "<h2>Where the mid went after our fills</h2>"
    yield table(AFTER_HEADS, after_rows(facts))
    chart = _after_chart(facts)
    if chart.points:
        yield drawn(chart)
    yield '<p class="dim">Positive is for us, before fees. A fill whose horizon passed without a believed '
    yield "book, or had not passed at the end, is in none.</p>"


def _delays(facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Delays by stage</h2>"
    rows = list(delay_rows(facts))
    if not rows:
        yield "<p>None was measured.</p>"
        return
    yield table(DELAY_HEADS, rows)
    chart = _delay_chart(facts)
    if chart.points:
        yield drawn(chart)
    yield '<p class="dim">Delays since receive are what the session read of itself once a second; a replay '
    yield "has none, and its answers come after the latency it was given.</p>"


def _denials(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>What was refused, by code</h2>"
    instruments = {one.symbol: one for one in run.params.instruments}
    if facts.denials:
        yield table(DENIAL_HEADS, denial_cells(facts, instruments))
    else:
        yield "<p>Our own risk refused no order.</p>"
    if facts.stopped:
        yield "<h3>What stopped decisions and orders, all told</h3>"
        stopped = sorted(facts.stopped.items(), key=lambda entry: -entry[1])
        yield table(("code", "times"), ((code, f"{count:,}") for code, count in stopped))


def _equity_charts(run: RunFact, facts: SessionFacts) -> list[Chart]:
    thin = _thinned(facts.equity)
    day = _over_time(thin, "day, after fees", lambda one: one.day_quote_e8 / _E8)
    fees = _over_time(thin, "fees paid", lambda one: -one.fees_quote_e8 / _E8)
    fall = _over_time(thin, "below its best", lambda one: -one.drawdown_quote_e8 / _E8)
    held = [_position(thin, at, one.symbol) for at, one in enumerate(run.params.instruments)]
    return [
        Chart("equity", "Equity", "minutes", "quote", (day, fees, fall)),
        Chart("position", "Position", "minutes", "lots", tuple(held)),
    ]


def _position(thin: Sequence[EquityFact], at: int, symbol: str) -> Line:
    return _over_time(thin, symbol, lambda one: one.lots[at])


def _over_time(thin: Sequence[EquityFact], name: str, value: Callable[[EquityFact], float]) -> Line:
    return Line(name, tuple(((one.ts_ns - thin[0].ts_ns) / 6e10, value(one)) for one in thin))


def _thinned(equity: Sequence[EquityFact]) -> Sequence[EquityFact]:
    """Give at most some 240 of the seconds, the last one among them; none where one alone is known."""
    if len(equity) < 2:
        return ()
    step = max(1, len(equity) // _POINTS_DRAWN)
    return equity[(len(equity) - 1) % step :: step]


def _after_chart(facts: SessionFacts) -> Chart:
    lines = []
    for maker, name in ((False, "took"), (True, "rested")):
        matured = [one for one in facts.after_fills if one.maker is maker and one.fills]
        if matured:
            points = ((one.horizon_ns / 1e9, one.mean_e6 / E6_A_BP) for one in matured)
            lines.append(Line(name, tuple(points)))
    return Chart("after-fill", "The mid after our fills", "seconds", "bp for us", tuple(lines))


def _delay_chart(facts: SessionFacts) -> Chart:
    thin = facts.answers[:: max(1, len(facts.answers) // _POINTS_DRAWN)]
    if len(thin) < 2:
        return Chart("delays", "Delays of answers", "minutes", "ms", ())
    start_ns = thin[0].asked_ns
    lines = tuple(
        Line(name, tuple(((one.asked_ns - start_ns) / 6e10, value / MS_NS) for one, value in pairs))
        for name, pairs in (
            ("row → decision", [(one, one.age_ns) for one in thin]),
            ("worker", [(one, one.worked_ns) for one in thin]),
        )
    )
    return Chart("delays", "Delays of answers", "minutes", "ms", lines)
