"""Alerts, newest first; those nobody noted stand out until somebody does."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.snapshot import AlertView, ConsoleSnapshot
from pipeline.core.types import Severity
from widgets.base import SnapshotWidget
from widgets.cells import cell_width, clean, crop
from widgets.lines import Line, plain, spread, text
from widgets.scales import scales_of
from widgets.times import clock_text
from widgets.words import SEVERITY_WORDS, alert_words


class AlertsPanel(SnapshotWidget):
    """What happened."""

    TITLE = "ALERTS"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give how many nobody noted."""
        del room
        count = snapshot.header.alerts_unnoted
        words = f"{count} not noted, n notes the newest" if count else "newest first"
        return text(words, "warn" if count else "dim"), ()

    def facts(self, snapshot: ConsoleSnapshot) -> object:
        """Give the slice, and whose scales it is printed with."""
        return plain(snapshot.alerts), snapshot.instrument.symbol

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one line an alert."""
        if not snapshot.alerts:
            return [text(" nothing to report", "dim")]
        shown = in_sight(snapshot.alerts, height)
        return [alert_line(alert, snapshot, width) for alert in shown]


def in_sight(alerts: Sequence[AlertView], height: int) -> list[AlertView]:
    """Give the newest alerts for so many rows; the newest that waits to be noted is among them."""
    shown = list(alerts[:height])
    waiting = next((alert for alert in alerts if waits(alert)), None)
    if shown and waiting is not None and not any(waits(alert) for alert in shown):
        shown[-1] = waiting
    return shown


def waits(alert: AlertView) -> bool:
    """Tell whether an alert is loud and nobody has noted it."""
    return alert.severity > Severity.INFO and not alert.noted_by


def alert_line(alert: AlertView, snapshot: ConsoleSnapshot, width: int) -> Line:
    """Give one alert: time, weight, words, repeats, who noted it."""
    word, role = SEVERITY_WORDS[alert.severity]
    loud = waits(alert)
    head: Line = (
        (f" {clock_text(alert.ts_ns)}  ", "dim"),
        (word, role if loud or not alert.severity else "dim"),
        ("  ", "text"),
    )
    noted = f"noted by {clean(alert.noted_by, 16)} " if alert.noted_by and width >= 90 else ""
    repeats = f" x{alert.repeats + 1}" if alert.repeats else ""
    room = width - 17 - cell_width(noted) - len(repeats) - 1
    words = crop(alert_words(alert, snapshot.instrument, scales_of(snapshot, alert.symbol)), max(0, room))
    return spread((*head, (words, "bright" if loud else "text"), (repeats, "dim")), text(noted, "dim"), width)
