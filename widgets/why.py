"""Why (not): the funnel of the last minute, the edge after costs, and what stopped the rest."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, WhyView
from widgets.base import SnapshotWidget
from widgets.cells import basis_points, clean, ratio
from widgets.glyphs import ARROW
from widgets.lines import Line, flow, plain, text
from widgets.marks import signed_role
from widgets.words import reason_words

_NEVER_E6 = 1_000_000


class WhyPanel(SnapshotWidget):
    """An empty proposal list explained."""

    TITLE = "WHY (NOT)"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Say which stretch the counts cover."""
        del snapshot, room
        return text("last 60 s", "dim"), ()

    def facts(self, snapshot: ConsoleSnapshot) -> object:
        """Give the slice, and whose scales it is printed with."""
        return plain(snapshot.why), snapshot.instrument.symbol

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give funnel, edge, reasons, fees."""
        why = snapshot.why
        blocks = [funnel(why), edge_parts(why), stopped_parts(why), fee_parts(why)]
        lines: list[Line] = []
        for block, gap in zip(blocks, (1, 2, 1, 1), strict=True):
            lines += flow(block, width, gap=gap, indent=1)
        return lines[:height]


def funnel(why: WhyView) -> list[Line]:
    """Give the counts from decisions to orders; each arrow keeps what passed."""
    steps = (
        (why.past_entry, "past entry"),
        (why.pays, "pay"),
        (why.offered, "offered"),
        (why.permitted, "permitted"),
        (why.sent, "sent"),
    )
    parts: list[Line] = [((f"{why.decisions:>3}", "bright"), (" decisions", "dim"))]
    for count, word in steps:
        parts.append(
            ((f"{ARROW} ", "rule"), (f"{count:>2}", "bright" if count else "dim"), (f" {word}", "dim"))
        )
    parts.append((("(", "dim"), (f"{why.declined}", "text"), (" not now,", "dim")))
    parts.append(((f"{why.lapsed}", "text"), (" lapsed)", "dim")))
    return parts


def edge_parts(why: WhyView) -> list[Line]:
    """Give the newest decision: score against entry, edge - cost = net, never the edge alone."""
    passes = abs(why.score_e6) >= why.entry_e6
    return [
        (
            ("score ", "dim"),
            (f"{ratio(why.score_e6):>5} ", "bright"),
            ("passes " if passes else "below ", "good" if passes else "dim"),
            (ratio(why.entry_e6, sign=False), "dim"),
        ),
        (
            ("edge ", "dim"),
            (basis_points(why.gross_edge_e6), "text"),
            (" - cost ", "dim"),
            (basis_points(why.cost_e6, sign=False), "text"),
            (" = ", "dim"),
            (f"{basis_points(why.net_edge_e6)} bp", signed_role(why.net_edge_e6)),
        ),
    ]


def stopped_parts(why: WhyView) -> list[Line]:
    """Give the reasons that stopped decisions, most frequent first."""
    if not why.stopped:
        return [text("stopped: nothing", "dim")]
    total = sum(count for _, count in why.stopped)
    parts: list[Line] = [(("stopped ", "dim"), (f"{total:>3}", "text"), (":", "dim"))]
    for place, (reason, count) in enumerate(why.stopped[:6]):
        comma = "," if place < min(6, len(why.stopped)) - 1 else ""
        parts.append(((f"{reason_words(reason)} ", "text"), (f"{count:>3}", "bright"), (comma, "dim")))
    return parts


def fee_parts(why: WhyView) -> list[Line]:
    """Give the fees with their source, and the probability at which an order pays."""
    return [
        (("fees maker ", "dim"), (basis_points(why.maker_e6, sign=False), "text")),
        (("taker ", "dim"), (basis_points(why.taker_e6, sign=False), "text"), (" bp", "dim")),
        text(f"({clean(why.fee_source)})", "dim"),
        (("pays above p ", "dim"), (_break_even(why.p_star_maker_e6), "text"), (" maker", "dim")),
        ((_break_even(why.p_star_taker_e6), "text"), (" taker", "dim")),
    ]


def _break_even(p_star_e6: int) -> str:
    return "never" if p_star_e6 > _NEVER_E6 else ratio(p_star_e6, sign=False)
