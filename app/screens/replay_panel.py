"""The replay page: where the capture stands, at which pace, and how to steer it."""

from __future__ import annotations

from app.actions import ACTIONS, shown_keys
from pipeline.core.snapshot import ConsoleSnapshot, ReplayView
from widgets.base import SnapshotWidget
from widgets.cells import clean, left
from widgets.lines import Line, text
from widgets.plot import bar
from widgets.times import clock_text, date_text, span_text

_KEYS_WIDTH = 16


class ReplayPanel(SnapshotWidget):
    """Position, pace and keys of a replay."""

    TITLE = "REPLAY"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the state of the replay."""
        del room
        replay = snapshot.header.replay
        return text(state_word(replay), "replay") if replay is not None else (), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give position and keys."""
        replay = snapshot.header.replay
        if replay is None:
            lines = [text(" this session is no replay: its time is the venue's", "dim")]
        else:
            lines = _position(replay, snapshot, width)
        return [(), *lines, (), *_keys()][:height]


def state_word(replay: ReplayView) -> str:
    """Give what the replay is doing."""
    if replay.seeking_to_ms >= 0:
        return f"seeking {span_text(replay.seeking_to_ms)}"
    if replay.ended:
        return "ended"
    return "paused" if replay.paused else "running"


def pace_words(replay: ReplayView) -> str:
    """Give the pace."""
    return f"{replay.speed:g} times the capture's own pace" if replay.speed else "as fast as it goes"


def _position(replay: ReplayView, snapshot: ConsoleSnapshot, width: int) -> list[Line]:
    known = replay.length_ms > 0
    length = span_text(replay.length_ms) if known else "not known yet"
    lines = [
        _fact("capture", clean(replay.source, 80), "bright"),
        _fact(
            "time", f"{date_text(snapshot.ts_ns)} {clock_text(snapshot.ts_ns, milliseconds=True)}", "replay"
        ),
        _fact("position", f"{span_text(replay.position_ms)} of {length}", "replay"),
    ]
    if known:
        drawn = bar(min(replay.position_ms, replay.length_ms), replay.length_ms, max(10, width - 20))
        lines.append(((" " * 12, "text"), ("▕", "rule"), (drawn, "replay"), ("▏", "rule")))
    return [*lines, _fact("pace", pace_words(replay), "text")]


def _fact(name: str, words: str, role: str) -> Line:
    return ((f" {left(name, 10)} ", "dim"), (words, role))


def _keys() -> list[Line]:
    return [
        ((f" {left(shown_keys(action), _KEYS_WIDTH)}", "key"), (action.help, "text"))
        for action in ACTIONS
        if action.group == "replay"
    ]
