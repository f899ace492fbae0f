"""A session's journal as one page for a risk manager: limits and their use, kills, acts, orders, the proof.

It answers "who authorised order 88 and what did they see": an order's row points to its permit, the permit's
row to the act that opened it. All of it follows from the journal, but for kills and releases that are on file
beside it only, which say so; no wall clock, so that the same files give the same page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

from pipeline.core.effects import Alert
from pipeline.core.inputs import Command
from pipeline.core.session_facts import RunFact, SessionFacts
from pipeline.core.types import Severity
from pipeline.research.report_parts import (
    day_and_time,
    document,
    linked_table,
    moment,
    money,
    table,
)
from pipeline.research.report_svg import Line, chart
from pipeline.research.risk_gate import (
    KILL_HEADS,
    beside_kills,
    beside_parts,
    kill_cells,
    releases,
    releases_by_shell,
)
from pipeline.research.risk_limits import (
    DENIAL_HEADS,
    LIMIT_HEADS,
    LimitRow,
    changed_limits,
    denial_cells,
    limit_rows,
)
from pipeline.research.risk_orders import (
    ACT_HEADS,
    MOST_ROWS,
    ORDER_HEADS,
    PERMIT_HEADS,
    act_cells,
    order_cells,
    permit_cells,
)

OVERRIDES = (
    Command.RELEASE,
    Command.RESUME,
    Command.SET_AUTHORITY,
    Command.EDIT_SIZE,
    Command.FLATTEN,
)
"""Acts by which a person goes beyond or takes back what the machine or a limit decided."""

_POINTS_DRAWN = 240

Words = Callable[[Alert], str]


def risk_page(run: RunFact, facts: SessionFacts, words: Words) -> str:
    """Give the page; `words` makes the sentence of an alert."""
    rows = limit_rows(run.params, facts)
    sections = (
        _verdict(run, facts, rows),
        _identity(run, facts),
        _limits(run, rows),
        _denials(run, facts),
        _kills(run, facts),
        _acts(run, facts),
        _permits(run, facts),
        _orders(run, facts),
        _doubts(run, facts),
        _exposure(run, facts),
        _alerts(facts, words),
        _evidence(run),
        _proof(run, facts),
    )
    return document(f"Risk: session {run.session}, run {run.run}", ("".join(part) for part in sections))


def _verdict(run: RunFact, facts: SessionFacts, rows: list[LimitRow]) -> Iterator[str]:
    if run.cut_short:
        yield f'<p class="warn">Not all of the journal could be read: {escape(run.cut_short)}</p>'
    if not run.chain.sound:
        yield '<p class="warn">The journal is NOT SOUND: see its proof at the end of the page.</p>'
    reached = [row for row in rows if row.reached]
    for row in reached:
        yield f'<p class="warn">Limit reached: {escape(" ".join(row.cells()[:5]))}</p>'
    kills = sum(kill.latched for kill in facts.kills) + beside_kills(run)
    unknown = sum(order.unknown_ns >= 0 for order in facts.orders)
    late = sum(fill.late for fill in facts.fills)
    overrides = sum(one.command.command in OVERRIDES for one in facts.commands)
    overrides += releases_by_shell(run, facts)
    denied = sum(denial.count for denial in facts.denials)
    unnoted = sum(not one.noted_by and one.alert.severity is Severity.CRITICAL for one in facts.alerts)
    yield table(
        (
            "limits reached",
            "kills",
            "orders",
            "fills",
            "denied",
            "unknown",
            "late fills",
            "overrides",
            "unnoted",
        ),
        [
            tuple(
                f"{count:,}"
                for count in (
                    *(len(reached), kills, len(facts.orders), len(facts.fills), denied, unknown, late),
                    *(overrides, unnoted),
                )
            )
        ],
    )
    yield '<p class="dim">unnoted: critical alerts nobody marked as noted.</p>'


def _identity(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    params, model = run.params, run.params.model
    yield "<h2>What ran</h2>"
    rows = [
        ("from, to", f"{day_and_time(facts.started_ns)} to {day_and_time(facts.ended_ns)}"),
        ("mode, authority at start", f"{params.mode.value}, {params.authority.name}"),
        ("instruments", ", ".join(f"{one.venue} {one.symbol}" for one in params.instruments)),
        ("limits from", ", ".join(sorted({one.profile for one in params.limits.values()})) or "none"),
        ("code version, journal version", f"{run.code_version}, {run.journal_version}"),
        ("parameters sha256 (policy)", facts.policy_hash),
    ]
    if model is not None:
        rows.append(("model", f"{model.name} {model.model_id}, generation {model.generation}"))
        rows.append(("feature schema", model.schema_hash))
    rows += [
        ("inputs sha256", run.inputs_sha256),
        ("effects sha256", run.effects_sha256),
        ("frames", f"{run.frames:,}"),
        *sorted(run.notes.items()),
    ]
    yield table(("", ""), rows)


def _limits(run: RunFact, rows: list[LimitRow]) -> Iterator[str]:
    yield "<h2>Limits and what was used of them</h2>"
    if not rows:
        yield "<p>No symbol had limits, so none could trade.</p>"
    else:
        yield table(LIMIT_HEADS, (row.cells() for row in rows))
    if run.limits_before is not None:
        changed = list(changed_limits(run.limits_before, run.params.limits))
        heads = ("changed since the run before", "limit", "before", "now")
        yield table(heads, changed) if changed else "<p>As in the run before.</p>"


def _denials(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Orders our own risk refused</h2>"
    if facts.denials:
        yield table(DENIAL_HEADS, denial_cells(facts, {one.symbol: one for one in run.params.instruments}))
    else:
        yield "<p>None.</p>"
    if facts.stopped:
        stopped = sorted(facts.stopped.items(), key=lambda entry: -entry[1])
        words = ", ".join(f"{code} {count:,}" for code, count in stopped)
        yield f'<p class="dim">What stopped decisions and orders, all told: {escape(words)}</p>'


def _kills(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Kills and halts</h2>"
    if facts.kills:
        yield table(KILL_HEADS, (kill_cells(one) for one in facts.kills))
    elif not run.beside:
        yield "<p>The gate was never closed.</p>"
    yield from beside_parts(run)
    released = [one for one in facts.gates if one.open]
    if released:
        heads = ("released", "by", "terminal", "reason")
        yield table(heads, ((moment(one.ts_ns), one.who, one.tty or "–", one.reason) for one in released))
    if facts.states:
        yield table(
            ("time", "trading state", "by"),
            ((moment(one.ts_ns), f"{one.before.name} → {one.after.name}", one.who) for one in facts.states),
        )


def _acts(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Acts of persons, and what they were answered</h2>"
    released = list(releases(run, facts))
    if not facts.commands and not released:
        yield "<p>None.</p>"
    if facts.commands:
        yield linked_table(ACT_HEADS, act_cells(facts), "act")
        yield _more(len(facts.commands), "acts")
    if released:
        yield table(("gate released", "by", "terminal", "reason", "from"), released)


def _permits(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Permits</h2>"
    if not facts.permits:
        yield "<p>None.</p>"
        return
    instruments = {one.symbol: one for one in run.params.instruments}
    yield linked_table(PERMIT_HEADS, permit_cells(facts, instruments), "permit")
    yield _more(len(facts.permits), "permits")


def _orders(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Orders: what each came from</h2>"
    if not facts.orders:
        yield "<p>None was sent.</p>"
        return
    instruments = {one.symbol: one for one in run.params.instruments}
    yield linked_table(ORDER_HEADS, order_cells(facts, instruments), "order")
    yield _more(len(facts.orders), "orders")


def _doubts(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    instruments = {one.symbol: one for one in run.params.instruments}
    yield "<h2>Orders in doubt and late fills</h2>"
    unknown = [one for one in facts.orders if one.unknown_ns >= 0]
    if unknown:
        yield table(
            ("order", "in doubt from", "ended", "as", "filled", "why"),
            (
                (
                    str(one.number),
                    moment(one.unknown_ns),
                    moment(one.ended_ns),
                    one.state.value,
                    instruments[one.intent.symbol].qty_text(one.filled_lots),
                    one.reason,
                )
                for one in unknown
            ),
        )
    late = [one for one in facts.fills if one.late]
    if late:
        yield table(
            ("late fill of order", "time", "side", "quantity", "price", "position after"),
            (
                (
                    str(one.number),
                    moment(one.ts_ns),
                    one.side.name,
                    instruments[one.symbol].qty_text(one.lots),
                    instruments[one.symbol].price_text(one.price_ticks),
                    instruments[one.symbol].qty_text(one.position_lots),
                )
                for one in late
            ),
        )
    if not unknown and not late:
        yield "<p>None.</p>"
    yield f"<p>Fills reported twice: {facts.duplicate_fills}. Reports of orders not ours: "
    yield f"{facts.foreign_answers}.</p>"


def _exposure(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    yield "<h2>Positions and exposure</h2>"
    rows = []
    for instrument, peak in zip(run.params.instruments, facts.peaks, strict=True):
        last = facts.position.get(instrument.symbol, {})
        rows.append(
            (
                instrument.symbol,
                f"{instrument.qty_text(peak.lots)} at {moment(peak.lots_ns)}",
                f"{instrument.qty_text(peak.worst_lots)} at {moment(peak.worst_ns)}",
                money(peak.worst_quote_e8),
                str(peak.open_orders),
                *(last.get(name, "–") for name in ("qty", "closed", "open", "fees")),
            )
        )
    heads = (
        "symbol",
        "furthest",
        "worst case",
        "worth",
        "orders",
        "position at end",
        "closed",
        "open",
        "fees",
    )
    yield table(heads, rows)
    thin = facts.equity[:: max(1, len(facts.equity) // _POINTS_DRAWN)]
    if len(thin) > 1:
        start_ns = thin[0].ts_ns

        def line(name: str, values: list[int]) -> Line:
            places = zip(thin, values, strict=True)
            return Line(name, tuple(((one.ts_ns - start_ns) / 6e10, value / 1e8) for one, value in places))

        day = line("day", [one.day_quote_e8 for one in thin])
        fall = line("below its best", [-one.drawdown_quote_e8 for one in thin])
        yield chart("The day's result", "minutes", "quote", [day, fall])
        yield chart(
            "Gross exposure", "minutes", "quote", [line("gross", [one.gross_quote_e8 for one in thin])]
        )


def _alerts(facts: SessionFacts, words: Words) -> Iterator[str]:
    yield "<h2>Alerts above information</h2>"
    raised = [one for one in facts.alerts if one.alert.severity > Severity.INFO]
    if not raised:
        yield "<p>None.</p>"
        return
    yield table(
        ("time", "weight", "alert", "noted by", "after s"),
        (
            (
                moment(one.alert.ts_ns),
                one.alert.severity.name,
                words(one.alert),
                one.noted_by or "nobody",
                f"{(one.noted_ns - one.alert.ts_ns) / 1e9:.1f}" if one.noted_ns else "–",
            )
            for one in raised[:MOST_ROWS]
        ),
    )
    yield _more(len(raised), "alerts")


def _evidence(run: RunFact) -> Iterator[str]:
    if run.evidence:
        yield "<h2>Consoles and refusals</h2>"
        yield table(("time", "what"), ((moment(ts_ns), text) for ts_ns, text in run.evidence[:MOST_ROWS]))
        yield _more(len(run.evidence), "notes")


def _proof(run: RunFact, facts: SessionFacts) -> Iterator[str]:
    chain = run.chain
    verdict = "sound" if chain.sound else "NOT SOUND"
    ending = "ended in good order" if chain.complete else "not ended: its session runs or died"
    yield "<h2>The journal's proof</h2>"
    yield f"<p>{verdict}; {chain.runs} runs, {chain.segments} segments, {chain.records:,} records; {ending}."
    yield f" {chain.unsealed} records after the newest seal.</p><p>Head <code>{escape(chain.head)}</code>: "
    yield "compare it with the one that left this machine (printed at the end, syslog).</p>"
    if facts.heads:
        cells = ((moment(one.ts_ns), one.head, one.trouble or "out") for one in facts.heads)
        yield table(("sent", "head", "how it went"), cells)
    for problem in (*chain.problems, *chain.torn):
        yield f'<p class="warn">{escape(problem)}</p>'


def _more(count: int, what: str) -> str:
    left = count - MOST_ROWS
    return f'<p class="dim">{left:,} more {what} are in the journal.</p>' if left > 0 else ""
