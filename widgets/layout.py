"""The composed screen: every panel, arranged by size, drawn from one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from pipeline.core.snapshot import ConsoleSnapshot, OrderView, ProposalView
from widgets.alerts import AlertsPanel
from widgets.base import SnapshotWidget
from widgets.chain import ChainPanel
from widgets.chart import ChartPanel
from widgets.hints import HintsPanel
from widgets.imbalance import ImbalancePanel
from widgets.ladder import LadderPanel
from widgets.market import MarketPanel
from widgets.orders import OrdersPanel
from widgets.permits import PermitsPanel
from widgets.plan import Place, has_hints, kind_of, plan
from widgets.position import PositionPanel
from widgets.proposals import ProposalsPanel
from widgets.reliability import ReliabilityPanel
from widgets.score import ScorePanel
from widgets.skill import SkillPanel
from widgets.status import StatusPanel
from widgets.tables import LimitsPanel, ModelPanel, StagesPanel, WorkersPanel
from widgets.tape import TapePanel
from widgets.why import WhyPanel

PANELS: dict[str, type[SnapshotWidget]] = {
    "status": StatusPanel,
    "ladder": LadderPanel,
    "tape": TapePanel,
    "chart": ChartPanel,
    "score": ScorePanel,
    "imbalance": ImbalancePanel,
    "why": WhyPanel,
    "proposals": ProposalsPanel,
    "permits": PermitsPanel,
    "position": PositionPanel,
    "orders": OrdersPanel,
    "market": MarketPanel,
    "alerts": AlertsPanel,
    "chain": ChainPanel,
    "limits": LimitsPanel,
    "workers": WorkersPanel,
    "stages": StagesPanel,
    "model": ModelPanel,
    "skill": SkillPanel,
    "reliability": ReliabilityPanel,
    "hints": HintsPanel,
}
"""Every panel by the name the plan calls it."""


_P = TypeVar("_P", bound=SnapshotWidget)


class PlanLayout(Layout):
    """Arranges the children of a `TradingView` after its plan."""

    name: ClassVar[str] = "plan"

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        """Place every child the plan shows; the others are not drawn."""
        del greedy
        if not isinstance(parent, TradingView):
            raise TypeError(f"PlanLayout arranges a TradingView, not a {type(parent).__name__}")
        places = parent.places_for(size)
        return [
            WidgetPlacement(
                Region(place.x, place.y, place.width, place.height),
                NULL_OFFSET,
                NULL_SPACING,
                child,
                order=child.id == "hints",
            )
            for child in children
            if child.id and (place := places.get(child.id))
        ]


class TradingView(Container):
    """All panels of one page; hosts give it snapshots and keys, it draws and remembers what is selected.

    Pages are those of `plan.PAGES`: trading, orders, health, model.
    """

    DEFAULT_CSS = "TradingView { width: 1fr; height: 1fr; }"

    def __init__(self, *, page: str = "trading", plain: bool = False, kill_key: str = "Ctrl+K") -> None:
        """Make the panels; `plain` draws with ASCII only, `kill_key` is named in the header."""
        super().__init__()
        self.page = page
        self._panels = {name: kind(plain=plain, id=name) for name, kind in PANELS.items()}
        self.status.kill_key = kill_key
        self.maximised = ""
        self.focused_panel = ""
        self._places: dict[str, Place] = {}
        self._planned: tuple[Size, str] = (Size(0, 0), "")
        self._plan_layout = PlanLayout()

    @property
    def layout(self) -> Layout:
        """The plan; style sheets cannot change it."""
        return self._plan_layout

    def compose(self) -> ComposeResult:
        """Mount every panel; the plan decides which are drawn."""
        yield from self._panels.values()

    # The panels hosts speak to by name.

    def panel(self, name: str) -> SnapshotWidget:
        """Give a panel by its name in `PANELS`."""
        return self._panels[name]

    @property
    def status(self) -> StatusPanel:
        """The header."""
        return self._typed("status", StatusPanel)

    @property
    def limits(self) -> LimitsPanel:
        """The limits: `move(step)` where not all have room."""
        return self._typed("limits", LimitsPanel)

    @property
    def ladder(self) -> LadderPanel:
        """The ladder: `recentre()`, `change_step(+1 or -1)`."""
        return self._typed("ladder", LadderPanel)

    @property
    def proposals(self) -> ProposalsPanel:
        """The cards."""
        return self._typed("proposals", ProposalsPanel)

    @property
    def orders(self) -> OrdersPanel:
        """The blotter."""
        return self._typed("orders", OrdersPanel)

    @property
    def hints(self) -> HintsPanel:
        """The last line."""
        return self._typed("hints", HintsPanel)

    def _typed(self, name: str, kind: type[_P]) -> _P:
        panel = self._panels[name]
        assert isinstance(panel, kind)
        return panel

    # Pictures.

    def show(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Draw a snapshot that reached the console `screen_age_ms` ago; the same one again as it ages."""
        for name, panel in self._panels.items():
            if name in self._places:
                panel.show(snapshot, screen_age_ms)
            else:
                panel.keep(snapshot, screen_age_ms)

    def places_for(self, size: Size) -> dict[str, Place]:
        """Give the plan for a size, and hand every panel its rules."""
        wanted = (size, f"{self.page}/{self.maximised}/{self._strip_rows(size)}")
        if wanted != self._planned:
            self._planned = wanted
            self._places = self._with_strip(plan(size.width, size.height, self.page, self.maximised), size)
            for name, place in self._places.items():
                self._panels[name].frame = place.frame
        return self._places

    def _strip_rows(self, size: Size) -> int:
        """Give the rows a strip needs beyond the one the keys have; 0 where that one is enough."""
        most = max(0, min(1, size.height - 1), size.height - 2)
        rows = min(self.hints.strip_rows(size.width), most)
        return 0 if rows == 1 and has_hints(size.width, size.height) else rows

    def _with_strip(self, places: dict[str, Place], size: Size) -> dict[str, Place]:
        """Lay the strip over the lowest rows: the panels stay where they are, so nothing jumps.

        On the smallest screens the header, which is all there is, gives it the room.
        """
        if rows := self._strip_rows(size):
            places["hints"] = Place(0, size.height - rows, size.width, rows)
            if kind_of(size.width, size.height) == "line":
                places["status"] = Place(0, 0, size.width, size.height - rows)
        return places

    def set_strip(self, words: str, role: str = "selected") -> None:
        """Show a strip at the foot, in as many rows as it needs; empty gives the keys back."""
        rows = self._strip_rows(self.size)
        self.hints.set_strip(words, role)
        if rows != self._strip_rows(self.size):
            self.replan()

    # Selection and focus.

    def move_selection(self, step: int) -> None:
        """Select the next (+1) or previous (-1) card, or order where the blotter has the focus."""
        if self.focused_panel == "orders" or self.page == "orders":
            self.orders.move(step)
        else:
            self.proposals.move(step)

    def selected(self) -> tuple[int, int] | None:
        """Give (idea, revision) of the selected card as drawn, or None."""
        return self.proposals.selected()

    def selected_card(self) -> ProposalView | None:
        """Give the selected card as drawn, or None."""
        return self.proposals.selected_card()

    def clear_selection(self) -> None:
        """Select no card, as after every press."""
        self.proposals.select(0)

    def selected_order(self) -> OrderView | None:
        """Give the selected order as drawn, or None."""
        return self.orders.selected()

    def focus_next(self, step: int = 1) -> str:
        """Give the keyboard to the next (+1) or previous (-1) panel, and return its name."""
        names = ["", *self.focus_names()]
        place = names.index(self.focused_panel) if self.focused_panel in names else 0
        self.focus_panel(names[(place + step) % len(names)])
        return self.focused_panel

    def focus_panel(self, name: str) -> None:
        """Give the keyboard to one panel; an empty name to none."""
        self.focused_panel = name
        for key, panel in self._panels.items():
            panel.mark(key == name)

    def focus_names(self) -> Sequence[str]:
        """Give the names of the panels on the screen that can have the keyboard."""
        return [name for name in self._places if name not in ("status", "hints", "chain", "market")]

    def toggle_maximised(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        self.maximised = "" if self.maximised else self.focused_panel
        self.replan()

    def set_page(self, page: str) -> None:
        """Bring up another page of `plan.PAGES`, nothing focused, nothing maximised."""
        self.page, self.maximised = page, ""
        self.focus_panel("")
        self.replan()

    def replan(self) -> None:
        """Arrange the panels anew, after the page or what is maximised has changed."""
        if self.size.area:
            self.places_for(self.size)
        # A child's wish is what makes Textual arrange its parent's children anew.
        self.status.refresh(layout=True)
        for panel in self.shown():
            panel.redraw()

    def is_shown(self, name: str) -> bool:
        """Tell whether a panel is on the screen: what is not drawn cannot be acted on."""
        return name in self._places

    def on_snapshot_widget_clicked(self, message: SnapshotWidget.Clicked) -> None:
        """Give the keyboard to the panel that was clicked."""
        message.stop()
        if message.widget.id in self.focus_names():
            self.focus_panel(str(message.widget.id))

    def shown(self) -> Iterator[SnapshotWidget]:
        """Give the panels that are on the screen."""
        return (self._panels[name] for name in self._places)
