"""An evaluation as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.research.evaluation import QI_BUNDLED, QI_BUNDLED_MEANS, Evaluation


def evaluation_lines(found: Evaluation) -> Iterator[str]:
    """Yield the lines: scores, deciles with their cost, decay, and the person in the loop."""
    where = f"{found.venue} {found.symbol}, {found.horizon_ms} ms after {found.delay_ms} ms"
    yield f"{found.name} on {where}, {found.rows:,} rows"
    if found.warning:
        yield f"CAUTION: {found.warning}"
    if any(row.model == QI_BUNDLED for row in found.scores):
        yield QI_BUNDLED_MEANS
    yield from _scores(found)
    yield from _deciles(found)
    yield "delay ms   " + "".join(f"{row.delay_ms:>15}" for row in found.decay if row.model == "model")
    for name in dict.fromkeys(row.model for row in found.decay):
        cells = (f"{row.auc:.3f} {row.gross_bps:+.2f} bp" for row in found.decay if row.model == name)
        yield f"{name:<11}" + "".join(f"{cell:>15}" for cell in cells)
    yield from _human(found)


def _scores(found: Evaluation) -> Iterator[str]:
    yield f"{'cut':<18}{'model':<12}{'rows':>8}  auc [95 %]              log-loss   brier    ece"
    for row in found.scores:
        interval = f"[{row.auc_low:.3f}, {row.auc_high:.3f}]" if row.auc_low != row.auc_high else ""
        losses = f"{row.logloss:.4f}  {row.brier:.4f}  {row.ece:.4f}"
        cut = f"{row.cut} {row.value}"
        yield f"{cut:<18}{row.model:<12}{row.rows:>8}  {row.auc:.3f} {interval:<17} {losses}"


def _deciles(found: Evaluation) -> Iterator[str]:
    yield "decile  model        rows   mean p    hits  gross bp   |move|    cost bp  break-even p"
    for row in found.deciles:
        even = f"{row.break_even:.2f}" if row.break_even <= 1.0 else "never"
        numbers = f"{row.gross_bps:>+10.3f}{row.moved_bps:>9.2f}{row.cost_bps:>11.2f}{even:>14}"
        yield f"{row.decile:>6}  {row.model:<12}{row.rows:>5}{row.mean_p:>9.3f}{row.hit_rate:>8.3f}{numbers}"


def _human(found: Evaluation) -> Iterator[str]:
    for row in found.human:
        yield (
            f"{row.model}: {row.ideas} ideas, {row.ideas_per_minute:.1f} a minute, living "
            f"{row.life_s:.1f} s; edge at once {row.at_once_bps:+.2f} bp, "
            f"sent blind {row.press_delay_s:g} s later "
            f"{row.blind_bps:+.2f}, by a {row.permit_s:g} s permit {row.permit_bps:+.2f} "
            f"({row.permits_lapsed:.0%} lapse); the touch moves within 350 ms of {row.touch_moved:.0%}"
        )
