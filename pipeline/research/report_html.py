"""Evaluations as one HTML page that needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from pipeline.research.evaluation import QI_BUNDLED, QI_BUNDLED_MEANS, Evaluation
from pipeline.research.report_parts import document, table
from pipeline.research.report_svg import Chart, Line, drawn

_COST_LINE = (
    "Edges are of the mid, before any cost. The cost is a taker's fee twice and the spread once; where the "
    "gross edge of the most confident tenth is below it, no threshold makes the signal pay."
)


_DECILE_HEADS = (
    *("model", "tenth", "rows", "mean p", "hit rate", "gross bp", "|move| bp", "cost bp"),
    "break-even p",
)
_HUMAN_HEADS = (
    *("model", "ideas a minute", "live s", "at once bp", "blind bp", "permit bp", "lapsed"),
    "touch moved",
)


def report_page(evaluations: Sequence[Evaluation]) -> str:
    """Give the page; one section an evaluation, in the order given."""
    names = ", ".join(dict.fromkeys(one.name for one in evaluations))
    return document(names, ("".join(_section(one)) for one in evaluations))


def _section(one: Evaluation) -> Iterator[str]:
    where = f"{one.venue} {one.symbol}, {one.horizon_ms} ms after a delay of {one.delay_ms} ms"
    yield f"<h2>{escape(one.name)}: {escape(where)}</h2>"
    yield f'<p class="dim">{one.rows:,} rows · model {escape(one.model_id[:16])} · dataset '
    yield f"{escape(one.dataset_sha256[:16])}</p>"
    if one.warning:
        yield f'<p class="warn">CAUTION: {escape(one.warning)}</p>'
    if any(row.model == QI_BUNDLED for row in one.scores):
        yield f'<p class="dim">{escape(QI_BUNDLED_MEANS)}</p>'
    yield from map(drawn, evaluation_charts(one))
    yield "<h3>Direction given a move</h3>"
    yield table(("cut", "model", "rows", "AUC", "95 %", "log-loss", "Brier", "ECE"), _score_cells(one))
    yield f"<h3>By confidence: edge and cost</h3><p>{_COST_LINE}</p>"
    yield table(_DECILE_HEADS, _decile_cells(one))
    yield "<h3>With a person in the loop</h3>"
    yield table(_HUMAN_HEADS, _human_cells(one))
    for row in one.human[:1]:
        yield f'<p class="dim">The key is pressed {row.press_delay_s:g} s after the idea; a permit lives '
        yield f"{row.permit_s:g} s. Touch moved: within 350 ms of the idea.</p>"


def evaluation_charts(one: Evaluation) -> list[Chart]:
    """Give the charts of an evaluation, for its page and for pictures."""
    names = list(dict.fromkeys(row.model for row in one.decay))
    areas = [Line(n, tuple((r.delay_ms, r.auc) for r in one.decay if r.model == n)) for n in names]
    bins = [Line(n, tuple((r.mean_p, r.up_rate) for r in one.reliability if r.model == n)) for n in names]
    edges = [Line(n, tuple((r.decile, r.gross_bps) for r in one.deciles if r.model == n)) for n in names]
    costs = Line("cost", tuple((r.decile, r.cost_bps) for r in one.deciles if r.model == names[0]))
    return [
        Chart("decay", "Decay with delay", "delay, ms", "AUC", tuple(areas)),
        Chart("reliability", "Reliability", "P(up) said", "share that rose", tuple(bins), diagonal=True),
        Chart("edge", "Gross edge and cost by confidence", "tenth", "bp", (*edges, costs)),
    ]


def _score_cells(one: Evaluation) -> Iterator[tuple[str, ...]]:
    for row in one.scores:
        interval = f"{row.auc_low:.3f} – {row.auc_high:.3f}" if row.auc_low != row.auc_high else ""
        losses = f"{row.logloss:.4f}", f"{row.brier:.4f}", f"{row.ece:.4f}"
        yield f"{row.cut} {row.value}", row.model, f"{row.rows:,}", f"{row.auc:.3f}", interval, *losses


def _decile_cells(one: Evaluation) -> Iterator[tuple[str, ...]]:
    for row in one.deciles:
        even = f"{row.break_even:.2f}" if row.break_even <= 1.0 else "never"
        hits = f"{row.mean_p:.3f}", f"{row.hit_rate:.3f}", f"{row.gross_bps:+.3f}"
        cost = f"{row.moved_bps:.2f}", f"{row.cost_bps:.2f}", even
        yield row.model, str(row.decile), f"{row.rows:,}", *hits, *cost


def _human_cells(one: Evaluation) -> Iterator[tuple[str, ...]]:
    for row in one.human:
        edges = (f"{edge:+.2f}" for edge in (row.at_once_bps, row.blind_bps, row.permit_bps))
        shares = f"{row.permits_lapsed:.0%}", f"{row.touch_moved:.0%}"
        yield row.model, f"{row.ideas_per_minute:.1f}", f"{row.life_s:.1f}", *edges, *shares
