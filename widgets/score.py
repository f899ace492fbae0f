"""The model's score over the last minute, its probabilities, and how its last calls came out."""

from __future__ import annotations

from functools import lru_cache

from pipeline.core.snapshot import NONE_E6, ConsoleSnapshot, ScoreView
from widgets.base import SnapshotWidget
from widgets.cells import clean, left, ratio
from widgets.chart import POINT_NS, columns_in
from widgets.glyphs import CENTRE, DOT, RIGHT, VERTICAL, WRONG
from widgets.lines import Item, Line, flow, line_width, overprint, pick_rows, text
from widgets.plot import averages, bar, braille_chart, whole_columns
from widgets.times import age_text, horizon_text

_E6 = 1_000_000
_GUTTER = 6


class ScorePanel(SnapshotWidget):
    """Score, thresholds, probabilities."""

    TITLE = "SCORE"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the score with the age of its row, and the horizon."""
        score = snapshot.score
        horizon = text(f"h {horizon_text(score.horizon_ms)}" if score.horizon_ms else "", "dim")
        if not score.ready:
            return text("not ready", "stale"), horizon
        now = (
            (ratio(score.score_e6), score_role(score)),
            (f"  row {age_text(score.age_ms).rjust(6)}", "dim"),
        )
        return now if line_width(now) <= room else now[:1], horizon

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the path with the entry thresholds, then the probabilities, then the outcomes."""
        score = snapshot.score
        below: list[Item] = [(0, probabilities(score, width)), (2, outcomes(score, width))]
        room = height - (2 if height >= 5 else 1)
        rows = path_rows(score, width, room, snapshot.ts_ns // POINT_NS) if room >= 2 else []
        if not score.ready:
            words = "MODEL NOT READY" if snapshot.model is not None else "NO MODEL"
            rows = _not_ready(score, rows, words, width)
        return rows + pick_rows(below, height - len(rows))


def score_role(score: ScoreView) -> str:
    """Give the role of the score: coloured only once it passes the entry threshold."""
    if not score.ready or abs(score.score_e6) < score.entry_e6:
        return "text"
    return "bid-strong" if score.score_e6 > 0 else "ask-strong"


def probabilities(score: ScoreView, width: int) -> Line:
    """Give p(up), p(flat) and p(down) with bars."""
    if not score.ready:
        return text("up --   flat --   down --", "stale")
    words = (("up", score.p_up_e6, "bid"), ("flat", score.p_flat_e6, "dim"), ("down", score.p_down_e6, "ask"))
    room = (width - sum(len(word) + 6 for word, _, _ in words) - 2) // 3
    parts: list[tuple[str, str]] = []
    for word, value, role in words:
        picture = bar(value, _E6, room) + " " if room >= 3 else " "
        parts += [(f"{word} ", "dim"), (f"{ratio(value, sign=False)} ", role), (picture, role)]
    return tuple(parts)


def outcomes(score: ScoreView, width: int) -> Line:
    """Give how the last calls came out, newest last."""
    shown = score.came_true[-max(0, (width - 30) // 2) :] if width > 32 else ""
    marks = {"+": (RIGHT, "good"), "-": (WRONG, "down"), ".": (DOT, "dim")}
    parts = [marks.get(call, (DOT, "dim")) for call in shown]
    if not parts:
        return text("came true: nothing called yet" if not score.came_true else "", "dim")
    words = tuple((f"{glyph} ", role) for glyph, role in parts)
    return ("came true  ", "dim"), *words, (f" ({DOT} no move)", "dim")


def path_rows(score: ScoreView, width: int, rows: int, phase: int) -> list[Line]:
    """Give the path with the entry thresholds behind it; `phase` is the number of the newest point."""
    across = max(1, width - _GUTTER - 1)
    per = columns_in(max(1, len(score.path_e6)), across)
    path_e6 = whole_columns(score.path_e6, per, phase)
    return list(_drawn_path(path_e6, score.entry_e6, across, rows, per))


@lru_cache(maxsize=4)
def _drawn_path(
    path_e6: tuple[int, ...], entry_e6: int, across: int, rows: int, per: int
) -> tuple[Line, ...]:
    """Draw the rows; kept, because the path changes less often than the screen is drawn."""
    points = [None if value == NONE_E6 else value for value in path_e6]
    marks = _threshold_rows(entry_e6, rows)
    lines: list[Line] = []
    for row, cells in enumerate(braille_chart(averages(points, per), -_E6, _E6, across, rows)):
        label = marks.get(row, "")
        ruled = "".join(CENTRE if cell == " " else cell for cell in cells) if label in ("in", "0") else cells
        gutter = (f"{label:>{_GUTTER - 1}} {VERTICAL}", "dim")
        lines.append((gutter, *_two_tone(ruled)))
    return tuple(lines)


def _threshold_rows(entry_e6: int, rows: int) -> dict[int, str]:
    """Give the labels by row from the top: ends, entry thresholds, zero where a row is left."""

    def row_of(value_e6: int) -> int:
        return (rows * 4 - 1 - ((value_e6 + _E6) * (rows * 4 - 1) + _E6) // (2 * _E6)) // 4

    labels = {0: "+1", rows - 1: "-1"} if rows >= 3 else {}
    for value in (entry_e6, -entry_e6):
        labels.setdefault(row_of(value), "in")
    labels.setdefault(row_of(0), "0")
    return labels


def _two_tone(cells: str) -> Line:
    """Split a row into path and rule, so that the rule stays quiet behind the path."""
    parts: list[tuple[str, str]] = []
    for cell in cells:
        role = "rule" if cell in (CENTRE, " ") else "path"
        if parts and parts[-1][1] == role:
            parts[-1] = (parts[-1][0] + cell, role)
        else:
            parts.append((cell, role))
    return tuple(parts)


def _waited_for(score: ScoreView) -> list[Line]:
    names = [text(clean(name), "stale") for name in score.not_ready[:8]]
    return [text("waits for", "dim"), *names] if names else []


def _not_ready(score: ScoreView, rows: list[Line], words: str, width: int) -> list[Line]:
    lines = overprint(rows, words, "overprint", width)
    names = flow(_waited_for(score), width, gap=1)
    for offset, line in enumerate(names, len(lines) // 2 + 1):
        if offset < len(lines):
            lines[offset] = line
    return lines


def score_words(score: ScoreView, width: int) -> str:
    """Give the score as a word of fixed width, for one-line panels."""
    return left(ratio(score.score_e6) if score.ready else "--", width)
