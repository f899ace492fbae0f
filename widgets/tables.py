"""Quiet tables of the other screens: limits, workers, the model's features."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.snapshot import DRIFT_WAITS, NONE_E6, ConsoleSnapshot, LimitRow, StageView, WorkerView
from widgets.base import SnapshotWidget
from widgets.cells import MISSING, clean, grouped, left, percent, ratio, right
from widgets.lines import Line, fit, flow, line_width, shortened, text
from widgets.marks import WORKER_ROLES
from widgets.plot import bar
from widgets.position import loss_role
from widgets.times import age_text, delay_text, horizon_text
from widgets.words import stage_word

_E6 = 1_000_000
_LIMIT_CELLS = 46
"""What a limit's line takes beside its name, without the bar."""


class LimitsPanel(SnapshotWidget):
    """Every limit and how much of it is used."""

    TITLE = "LIMITS"

    _top = 0
    """The first limit drawn, where not all have room."""
    _rows = _room = 0

    def move(self, step: int) -> None:
        """Go on to limits that have no room, and back."""
        self._top = max(0, min(self._top + step, self._rows - self._room))
        self.redraw()

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Name the profile the limits come from."""
        del room
        profile = snapshot.header.limits_profile
        if profile in ("", "none"):
            return text("NONE: nothing may be sent", "warn"), ()
        return text(clean(profile), "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one line a limit."""
        if not snapshot.limits:
            return [text("  no limits", "warn")]
        names = min(max(len(clean(row.name)) for row in snapshot.limits), 24)
        if len(snapshot.limits) > height and width >= 2 * (names + _LIMIT_CELLS):
            return _two_columns(snapshot.limits, names, width, height)
        self._rows, self._room = len(snapshot.limits), max(1, height - 1)
        if self._rows <= height or height < 2:
            return shortened([_limit_line(row, names, width) for row in snapshot.limits], height)
        top = min(self._top, self._rows - self._room)
        shown = snapshot.limits[top : top + self._room]
        where = f"  {top + 1} to {top + len(shown)} of {self._rows}, j and k go through them"
        return [*(_limit_line(row, names, width) for row in shown), text(where, "dim")]


def _two_columns(limits: Sequence[LimitRow], names: int, width: int, height: int) -> list[Line]:
    """Go on beside the first column where that ends at the foot of the panel."""
    half = width // 2
    first = [_limit_line(row, names, half) for row in limits[:height]]
    second = shortened([_limit_line(row, names, width - half) for row in limits[height:]], height)
    blank = (" " * half, "text")
    padded = [(*line, (" " * (half - line_width(line)), "text")) for line in first]
    return [
        (*(padded[row] if row < len(padded) else (blank,)), *(second[row] if row < len(second) else ()))
        for row in range(height)
    ]


def _limit_line(row: LimitRow, names: int, width: int) -> Line:
    room = width - names - _LIMIT_CELLS
    role = loss_role(row.used_e6)
    return (
        (f" {left(clean(row.name), names)} ", "dim"),
        (right(grouped_text(row.used_text), 16), role),
        (" of " if row.used_text else "    ", "dim"),
        (left(grouped_text(row.limit_text), 16), "text"),
        (right(percent(row.used_e6) if row.used_text else "", 7), role),
        (" " + bar(row.used_e6, _E6, room) if room >= 6 else "", role),
    )


def grouped_text(words: str) -> str:
    """Give a limit's text with thousands separators in the number it begins with."""
    number, blank, unit = clean(words).partition(" ")
    whole = number.partition(".")[0].lstrip("+-")
    return (grouped(number) if whole.isascii() and whole.isdigit() else number) + blank + unit


class StagesPanel(SnapshotWidget):
    """How long after a frame each stage of the chain was done."""

    TITLE = "DELAYS"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Name the unit and where the clock starts."""
        del snapshot
        words = ("ms from receive to each stage, whole session", "ms from receive", "ms")
        return text(next((each for each in words if len(each) <= room), ""), "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give head and one line a stage."""
        del width
        head: Line = ((f" {'stage':<10}{'now':>8}{'p50':>8}{'p99':>8}", "dim"),)
        rows = [_stage_line(stage) for stage in snapshot.chain.stages]
        return [head, *shortened(rows or [text("  no stage measured yet", "dim")], height - 1)][:height]


def _stage_line(stage: StageView) -> Line:
    delays = "".join(right(delay_text(us), 8) for us in (stage.now_us, stage.p50_us, stage.p99_us))
    note = "age of the newest frame" if stage.name == "feed" else "inside budget" if stage.ok else "SLOW"
    return (
        (f" {left(stage_word(stage.name), 10)}", "dim"),
        (delays, "text" if stage.ok else "warn"),
        (f"  {note if stage.now_us >= 0 else ''}", "dim" if stage.ok else "warn"),
    )


class WorkersPanel(SnapshotWidget):
    """The inference workers, one line each."""

    TITLE = "WORKERS"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give how many are ready."""
        del room
        ready, count = snapshot.chain.workers_ready, len(snapshot.chain.workers)
        return text(f"{ready}/{count} ready", "text" if ready == count else "warn"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give head and one line a worker."""
        columns = _WORKER_COLUMNS if width >= 92 else _WORKER_COLUMNS[:6]
        head: Line = tuple((right(name, size), "dim") for name, size in columns)
        rows = [_worker_line(worker, columns) for worker in snapshot.chain.workers]
        return [head, *shortened(rows or [text("  no workers", "dim")], height - 1)]


_WORKER_COLUMNS = (
    ("worker", 7), ("state", 10), ("queue", 7), ("p50 us", 9), ("p99 us", 9), ("beat", 9), ("late", 7),
    ("served", 10), ("restarts", 9), ("MB", 7), ("pid", 9),
)  # fmt: skip


def _worker_line(worker: WorkerView, columns: tuple[tuple[str, int], ...]) -> Line:
    words = (
        (f"w{worker.worker_id}", "bright"),
        (str(worker.state), WORKER_ROLES.get(worker.state, "text")),
        (str(worker.queue_depth), "text"),
        (f"{worker.p50_us:.0f}", "text"),
        (f"{worker.p99_us:.0f}", "text"),
        (age_text(worker.heartbeat_age_ms), "text"),
        (str(worker.late), "warn" if worker.late else "text"),
        (str(worker.served), "text"),
        (str(worker.restarts), "warn" if worker.restarts else "text"),
        (f"{worker.rss_mb:.0f}", "text"),
        (str(worker.pid), "dim"),
    )
    cells = [(right(word, size), role) for (_, size), (word, role) in zip(columns, words, strict=False)]
    return tuple(part for (word, role) in cells for part in _padded(word, role))


def _padded(word: str, role: str) -> Line:
    """Keep the blanks before a word out of its role, so that a reversed state is not a reversed column."""
    bare = word.lstrip()
    return ((" " * (len(word) - len(bare)), "text"), (bare, role))


class ModelPanel(SnapshotWidget):
    """Identity of the model and its newest feature row."""

    TITLE = "MODEL"

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Name the model."""
        del room
        model = snapshot.model
        return text(clean(model.name) if model else "none", "text" if model else "dim"), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give identity, then the features in as many columns as fit."""
        model = snapshot.model
        if model is None:
            return [text("  no model: data and book only, no ideas", "dim")]
        facts: list[Line] = [
            (("id ", "dim"), (clean(model.model_id, 16), "text")),
            (("generation ", "dim"), (str(model.generation), "text")),
            (("horizon ", "dim"), (horizon_text(model.horizon_ms), "text")),
            (("schema ", "dim"), (clean(model.schema_hash, 16), "text")),
        ]
        files = [one.file for one in model.watch.records[:1]] if model.watch is not None else []
        facts += [((clean(words, 60), "text"),) for words in files if words]
        measured = [(each.p50_us, each.p99_us) for each in snapshot.chain.workers if each.served]
        if measured:
            p50, p99 = max(measured, key=lambda each: each[1])
            facts.append((("inference p50/p99 ", "dim"), (f"{p50:.0f}/{p99:.0f} us", "text")))
        lines = flow([((" ", "text"), *facts[0]), *facts[1:]], width, indent=1)
        drift = {one.feature: one.index_e6 for one in model.watch.drift} if model.watch is not None else {}
        lines += _drifted(drift, width)
        cells = [_feature(clean(f.name, 24), f.value_e6, f.ready, clean(f.unit, 10)) for f in model.features]
        across = max(1, width // _FEATURE_WIDTH)
        down = max(1, -(-len(cells) // across))
        room = max(0, height - len(lines))
        for row in range(min(down, room)):
            lines.append(tuple(part for cell in cells[row::down] for part in cell))
        return lines


def _drifted(drift: dict[str, int], width: int) -> list[Line]:
    """Name the features that have drifted most from their training; an explanation, never an alarm."""
    known = sorted((item for item in drift.items() if item[1] >= 0), key=lambda item: -item[1])
    head = text(" drift (PSI, explains only):", "dim")
    if not known:
        waits = DRIFT_WAITS in drift.values()
        return [fit([(0, head), (0, text(f"{MISSING} not enough rows", "dim"))], width)] if waits else []
    most = [
        (place, ((f"{clean(name, 20)} ", "text"), (f"{index / _E6:.2f}", "text")))
        for place, (name, index) in enumerate(known[:6])
    ]
    return [fit([(-2, head), *most], width)]


_FEATURE_WIDTH = 48


def _feature(name: str, value_e6: int, ready: bool, unit: str) -> Line:
    shown = ratio(value_e6, 4) if ready and value_e6 != NONE_E6 else "not ready"
    return (
        (f" {left(name, 24)} ", "dim"),
        (right(shown, 11), "text" if ready else "stale"),
        (f" {left(unit, 10)}", "dim"),
    )
