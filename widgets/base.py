"""The widget every panel is made of: it keeps its picture as lines and repaints only what changed.

A panel turns a `ConsoleSnapshot` into lines of (text, role) in `content`; this module frames them,
compares them with the lines on the screen, and asks Textual to repaint the cells that differ. Strips are
made once per changed line, when Textual asks for them. No clock, no I/O, no colours: time is in the
snapshot, colours in the theme.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment as RichSegment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from pipeline.core.snapshot import ConsoleSnapshot
from widgets.frame import OLD_AFTER_MS, PLAIN_BLANKS, Frame, aged, merged, sided, titled
from widgets.glyphs import HORIZONTAL, to_ascii
from widgets.lean import is_lean, mark_dirty
from widgets.lines import BLANK, Line, changed_runs, exact, line_width
from widgets.roles import ROLES, styles_of


class SnapshotWidget(Widget):
    """A panel drawn from snapshots on Textual's line API.

    Subclasses give `content` and, if they like, `title_parts`; both are called once per snapshot and size.
    """

    TITLE: ClassVar[str] = ""
    """Name in the title row; a panel without one has no title row."""
    DEFAULT_CSS = "SnapshotWidget { width: 1fr; height: 1fr; }"

    class Clicked(Message):
        """The mouse selected a panel; `widget` is the panel."""

        def __init__(self, widget: SnapshotWidget) -> None:
            """Name the panel."""
            super().__init__()
            self.widget = widget

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make an empty panel; `plain` draws with ASCII characters only."""
        super().__init__(id=id)
        self.plain = plain
        self.spans = False
        """True marks every changed run of a row by itself; set on mount where the screen is lean."""
        self.snapshot: ConsoleSnapshot | None = None
        self.screen_age_ms = 0
        self.marked = False
        """True while the keyboard looks at this panel."""
        self._frame = Frame(top=HORIZONTAL if self.TITLE else "")
        self._lines: list[Line] = []
        self._body: list[Line] = []
        self._body_key: tuple[int, Frame] = (-1, self._frame)
        self._done: list[Line] = []
        self._known: object = None
        self._content: list[Line] = []
        self._title: tuple[object, Line] = (None, BLANK)
        self._strips: list[Strip | None] = []
        self._built_for = Size(0, 0)
        self._styles: dict[str, Style] = {}

    # What a panel is.

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give at most `height` lines of at most `width` cells, most important first where room is short."""
        del snapshot, width, height
        return []

    def waiting(self, width: int, height: int) -> list[Line]:
        """Give the lines for as long as there has been no snapshot at all."""
        del width, height
        return []

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give what follows the title, and what stands before the mode; `room` cells are left for both.

        What does not fit is left out, the right part first.
        """
        del snapshot, room
        return BLANK, BLANK

    def facts(self, snapshot: ConsoleSnapshot) -> object:
        """Give all that `content` depends on, to draw nothing twice; None where that is not worth it."""
        del snapshot
        return None

    def advance(self, snapshot: ConsoleSnapshot) -> None:
        """Follow a snapshot in what the panel remembers; called once for each, also while not on screen."""

    def pick(self, row: int) -> None:
        """Take a mouse click on a row of the content, counted from 0; selects, never acts."""

    # What the screen does with it.

    def show(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Draw a snapshot that is `screen_age_ms` old; repaints only the cells that changed."""
        self.keep(snapshot, screen_age_ms)
        self.redraw()

    def keep(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Follow a snapshot without drawing it, while the panel is not on the screen."""
        if snapshot is not self.snapshot:
            self.advance(snapshot)
        self.snapshot = snapshot
        self.screen_age_ms = screen_age_ms

    def redraw(self) -> None:
        """Build the lines again from the snapshot at hand and repaint those that differ."""
        if not self._lines:
            return
        before = self._lines
        after = self.framed(*self._built_for)
        if len(before) != len(after):
            return
        dirty: list[Region] = []
        for row, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is not new and old != new:
                dirty += self._dirty_of(row, old, new)
                self._strips[row] = None
        self._lines = after
        if dirty:
            self.repaint(dirty)

    def repaint(self, dirty: list[Region]) -> None:
        """Have some cells painted again."""
        if self.spans:
            mark_dirty(self, dirty)
        else:
            self.refresh(*dirty)

    def _dirty_of(self, row: int, old: Line, new: Line) -> list[Region]:
        runs = changed_runs(old, new, PLAIN_BLANKS)
        if runs and not self.spans:
            return [Region(0, row, runs[-1][1], 1)]
        return [Region(start, row, end - start, 1) for start, end in runs]

    @property
    def frame(self) -> Frame:
        """The rules around the panel."""
        return self._frame

    @frame.setter
    def frame(self, frame: Frame) -> None:
        if frame != self._frame:
            self._frame = frame
            self._forget()
            self.refresh()

    def mark(self, marked: bool) -> None:
        """Show in the title whether the keyboard looks at this panel."""
        if marked != self.marked:
            self.marked = marked
            self.redraw()

    def framed(self, width: int, height: int) -> list[Line]:
        """Give exactly `height` lines of exactly `width` cells, with title and rules."""
        frame, snapshot = self._frame, self.snapshot
        inner = max(0, width - (1 if frame.left else 0) - (1 if frame.right else 0))
        rows = max(0, height - (1 if frame.top else 0) - (1 if frame.bottom else 0))
        body = self._body_of(snapshot, inner, rows)
        if self.screen_age_ms >= OLD_AFTER_MS:
            body = [tuple((words, aged(role)) for words, role in line) for line in body]
        body = [*body[:rows], *[BLANK] * (rows - len(body))]
        lines = self._finished(body, inner, width)
        if frame.top:
            lines.insert(0, self._title_row(width))
        if frame.bottom:
            lines.append(exact(((frame.bottom, "rule"),), width))
        return lines[:height]

    def _body_of(self, snapshot: ConsoleSnapshot | None, width: int, height: int) -> list[Line]:
        if snapshot is None:
            return self.waiting(width, height)
        facts = self.facts(snapshot)
        if facts is None:
            return self.content(snapshot, width, height)
        known = (facts, width, height)
        if self._known != known:
            self._known, self._content = known, self.content(snapshot, width, height)
        return self._content

    def _finished(self, body: list[Line], inner: int, width: int) -> list[Line]:
        """Pad and frame the lines; a line like the one before it in the same place is taken over as it is."""
        frame, key = self._frame, (width, self._frame)
        known = self._body if self._body_key == key and len(self._body) == len(body) else None
        lines: list[Line] = []
        for row, line in enumerate(body):
            if known is not None and known[row] == line:
                lines.append(self._done[row])
            else:
                lines.append(sided(exact(line, inner), row, frame))
        self._body, self._body_key, self._done = body, key, list(lines)
        return lines

    def _title_row(self, width: int) -> Line:
        rule = self._frame.top if len(self._frame.top) == width else HORIZONTAL * width
        name: Line = ((f" {self.TITLE} ", "focus" if self.marked else "title"),)
        if self.snapshot is None:
            return titled(rule, name, BLANK)
        mode = self.snapshot.header.mode.value
        mark: Line = ((f" {mode} ", mode.lower()),)
        room = width - 4 - line_width(name) - line_width(mark)
        start, end = self.title_parts(self.snapshot, room - 3)
        if self.screen_age_ms >= OLD_AFTER_MS:
            start, end = ((f" SCREEN {self.screen_age_ms // 1_000} s OLD ", "overprint"),), BLANK
        for left, right in ((start, end), (start, BLANK), (BLANK, BLANK)):
            if line_width(left) + line_width(right) + 3 <= room:
                break
        known = (rule, name, left, right, mark)
        if self._title[0] == known:
            return self._title[1]
        head = (*name, *left, *((" ", "text"),) * bool(left))
        chip = bool(right) and ROLES[mark[0][1]].reverse
        tail = (*((" ", "text"),) * bool(right), *right, *((" ", "text"),) * chip, *mark)
        self._title = (known, titled(rule, head, tail))
        return self._title[1]

    # Textual's side.

    def on_mount(self) -> None:
        """Follow the theme from now on, and see how the screen sends its updates."""
        self.spans = is_lean(self.screen)
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, theme: Theme) -> None:
        del theme
        self._styles = {}
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        self._built_for = Size(0, 0)
        self._lines = []

    def on_resize(self) -> None:
        """Build everything anew at the next paint."""
        self._forget()

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked."""
        event.stop()
        self.pick(event.y - (1 if self._frame.top else 0))
        self.post_message(self.Clicked(self))

    def _build(self, size: Size) -> None:
        self._lines = self.framed(size.width, size.height)
        self._strips = [None] * len(self._lines)
        self._built_for = size

    def render_line(self, y: int) -> Strip:
        """Give one row as Textual draws it."""
        size = self.size
        if self._built_for != size:
            self._build(size)
        if not 0 <= y < len(self._strips):
            return Strip.blank(size.width)
        strip = self._strips[y]
        if strip is None:
            strip = self._strips[y] = self._strip_of(self._lines[y], size.width)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Give the rows of a region; cached strips make Textual's own cache of lines unnecessary."""
        size = self.size
        if self._built_for != size:
            self._build(size)
        strips = [
            strip or self.render_line(y)
            for y, strip in zip(crop.line_range, self._strips[crop.y :], strict=False)
        ]
        strips += [Strip.blank(size.width)] * (crop.height - len(strips))
        if crop.x or crop.width != size.width:
            return [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _strip_of(self, line: Line, width: int) -> Strip:
        styles = self._styles or self._make_styles()
        if self.plain:
            line = tuple((to_ascii(words), role) for words, role in line)
        return Strip([RichSegment(words, styles[role]) for words, role in merged(line)], width)

    def _make_styles(self) -> dict[str, Style]:
        """Make the style of every role as this terminal gets it: after the app's filters, NO_COLOR too."""
        variables = self.app.theme_variables
        styles = styles_of(variables, variables["foreground"], variables["background"])
        background = self.background_colors[1]
        for line_filter in self.app.get_line_filters():
            filtered = line_filter.apply([RichSegment(" ", style) for style in styles.values()], background)
            styles = {role: segment.style or Style() for role, segment in zip(styles, filtered, strict=True)}
        self._styles = styles
        return styles
