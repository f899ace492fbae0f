"""What each action of the table does; the console's hands.

Every command that reaches the session carries what was on this screen when the key was pressed: the idea's
id and revision, and the number of the picture last drawn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import themes
from app.actions import ACTIONS, BY_NAME, BY_WORD, Guard, help_rows, shown_keys
from app.kill_keys import Emergency
from app.screens.dialogs import ChoiceDialog, HelpScreen, LineScreen
from app.strips import Strip
from app.window_panel import open_window_panel
from pipeline.core.inputs import Command, OperatorCommand, WindowTerms
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Authority, scaled_text

if TYPE_CHECKING:
    from app.console import ConsoleApp

SYMBOL_ARMING_S = 0.35
SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 0.0)


class Acts:
    """Actions by the name in the table, each `act_NAME`."""

    def __init__(self, console: ConsoleApp) -> None:
        self._console = console

    # --- stop ---------------------------------------------------------------------------------------------

    def act_kill(self) -> None:
        """Close and latch the gate; the driver has done so already when the key came from a terminal."""
        if self._console.kill_switch.fired is not Emergency.KILL:
            self._console.kill_switch.fire(Emergency.KILL)

    def after_emergency(self, emergency: Emergency) -> None:
        """Show what an emergency key has done: no dialog stays above the banner."""
        console = self._console
        console.kill_switch.fired = None
        while len(console.screen_stack) > 2:
            console.pop_screen()
        if emergency is Emergency.HALT:
            self._send(Command.HALT)
            console.main.say("gate closed by F8: HALTED, :resume opens it", "halt")
            return
        self._send(Command.CANCEL_ALL)
        console.main.ask(
            Strip(
                "KILLED. Our orders are being cancelled.  Enter/Esc: cancel ours now   f: cancel and FLATTEN",
                on_enter=self._cancel_ours,
                on_escape=self._cancel_ours,
                choices={"f": self.act_flatten},
                shown_s=time.monotonic(),
                role="kill",
            )
        )

    def _cancel_ours(self) -> None:
        self._send(Command.CANCEL_ALL)

    def act_halt(self) -> None:
        """No new risk."""
        self._send(Command.HALT)

    def act_reduce(self) -> None:
        """Only what shrinks."""
        self._send(Command.REDUCE)

    def act_authority_down(self) -> None:
        """One step down."""
        self._send(Command.AUTHORITY_DOWN)

    def act_observe(self) -> None:
        """Authority OBSERVE."""
        self._authority(Authority.OBSERVE)

    def act_approve(self) -> None:
        """Authority APPROVE."""
        self._authority(Authority.APPROVE)

    def act_auto(self) -> None:
        """Authority AUTO."""
        self._authority(Authority.AUTO)

    def act_resume(self) -> None:
        """Leave HALTED or REDUCING."""
        self._send(Command.RESUME)

    def act_release(self) -> None:
        """Ask for the phrase, then take the kill back."""
        snapshot, account = self._snapshot, self._console.settings.account
        if snapshot is None or snapshot.header.gate_open:
            self._say("the gate is open: nothing to release")
            return
        kill = snapshot.kill
        lines = [
            f"closed by {', '.join(snapshot.header.gate_closers) or 'the latch'}",
            f"{kill.who}: {kill.reason}" if kill else "",
            f"position {self._position(snapshot)}; leads to HALTED, `:resume` arms",
        ]
        phrase = f"RELEASE {account}"

        def typed(text: str | None) -> None:
            if text == phrase:
                self._send(Command.RELEASE)
            elif text:
                self._say(f"not released: wanted {phrase}")

        self._console.push_screen(LineScreen(f"type {phrase}", lines=lines), typed)

    # --- ideas --------------------------------------------------------------------------------------------

    def act_permit(self) -> None:
        """Permit the selected idea once, as it is drawn."""
        view = self._console.main.views["trading"]
        selected = view.selected()
        if selected is None:
            self._say("no card is selected: j selects one")
            return
        if time.monotonic() - self._console.symbol_since_s < SYMBOL_ARMING_S:
            self._say("not taken: the symbol has only just come up")
            return
        view.clear_selection()
        self._send(Command.PERMIT_ONCE, target=selected)

    def act_decline(self) -> None:
        """Not now."""
        view = self._console.main.views["trading"]
        selected = view.selected()
        if selected is None:
            self._say("no card is selected: j selects one")
            return
        self._send(Command.DECLINE, target=selected)

    def act_end_permits(self) -> None:
        """End every permit."""
        self._send(Command.END_PERMITS)

    def act_edit_size(self) -> None:
        """Type a size for the selected idea."""
        card = self._console.main.views["trading"].selected_card()
        snapshot = self._snapshot
        if card is None or snapshot is None:
            self._say("no card is selected: j selects one")
            return
        view = snapshot.instrument
        drop = 10 ** (view.size_decimals - view.lot_decimals)
        shown = scaled_text(card.qty_lots * view.lot_units // drop, view.lot_decimals)

        def typed(text: str | None) -> None:
            lots = lots_of(text or "", view.lot_units, view.size_decimals)
            if text and lots <= 0:
                self._say(f"size {text}: wanted a multiple of the lot, above 0")
            elif lots > 0:
                target = (card.idea_id, card.revision)
                self._send(Command.EDIT_SIZE, target=target, qty_lots=lots)

        self._console.push_screen(LineScreen(f"size of #{card.idea_id}", value=shown, digits=True), typed)

    def act_window(self) -> None:
        """Open the window permit panel."""
        if self._snapshot is not None:
            open_window_panel(self._console, self._snapshot, self._arm_window, self._say)

    def _arm_window(self, terms: WindowTerms) -> None:
        self._send(Command.PERMIT_WINDOW, terms=terms)

    # --- orders -------------------------------------------------------------------------------------------

    def act_cancel(self) -> None:
        """Cancel the selected order."""
        order = self._console.main.view.selected_order()
        if order is None:
            self._say("no order is selected: Tab to ORDERS, then j")
            return
        self._send(Command.CANCEL_ORDER, client_order_id=order.client_order_id)

    def act_cancel_all(self) -> None:
        """Ask, then cancel all ours on the symbol."""
        snapshot = self._snapshot
        if snapshot is not None:
            working = len(snapshot.ladder.mine)
            words = f"cancel all {working} of OURS on {snapshot.instrument.symbol}, {self._where(snapshot)}"
            self._ask(words, self._cancel_ours)

    def act_flatten(self) -> None:
        """Ask, then flatten the symbol to home."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        if snapshot.position.lots == 0:
            self._say("nothing to flatten: the position is at home")
            return
        money = scaled_text(snapshot.position.notional_quote_e8 // 1_000_000, 2)
        words = (
            f"FLATTEN {self._position(snapshot)} = {money} {snapshot.instrument.quote}: cancel ours, then close "
            f"inside the collar, {self._where(snapshot)}"
        )
        self._ask(words, lambda: self._send(Command.FLATTEN))

    # --- look ---------------------------------------------------------------------------------------------

    def act_next_item(self) -> None:
        """Select the next card or order."""
        self._console.main.view.move_selection(+1)

    def act_previous_item(self) -> None:
        """Select the previous card or order."""
        self._console.main.view.move_selection(-1)

    def act_first_item(self) -> None:
        """Select the first card or order."""
        self._console.main.view.move_selection(-1_000)

    def act_last_item(self) -> None:
        """Select the last card or order."""
        self._console.main.view.move_selection(+1_000)

    def act_next_symbol(self) -> None:
        """Look at the next symbol."""
        self._turn_symbol(+1)

    def act_previous_symbol(self) -> None:
        """Look at the previous symbol."""
        self._turn_symbol(-1)

    def act_space(self) -> None:
        """Pause a replay, else recentre."""
        snapshot = self._snapshot
        if snapshot is not None and snapshot.header.replay is not None:
            self._console.link.replay("toggle", 0.0)
        else:
            self.act_recentre()

    def act_recentre(self) -> None:
        """Recentre the ladder."""
        self._console.main.view.ladder.recentre()

    def act_coarser(self) -> None:
        """Coarser ladder."""
        self._console.main.view.ladder.change_step(+1)

    def act_finer(self) -> None:
        """Finer ladder."""
        self._console.main.view.ladder.change_step(-1)

    def act_screen_trading(self) -> None:
        """Screen 1."""
        self._page("trading")

    def act_screen_orders(self) -> None:
        """Screen 2."""
        self._page("orders")

    def act_screen_health(self) -> None:
        """Screen 3."""
        self._page("health")

    def act_screen_model(self) -> None:
        """Screen 4."""
        self._page("model")

    def act_next_panel(self) -> None:
        """Give the keyboard to the next panel."""
        self._console.main.view.focus_next()

    def act_maximise(self) -> None:
        """Give the focused panel the screen."""
        self._console.main.view.toggle_maximised()

    def act_note_alert(self) -> None:
        """Note the newest alert."""
        self._send(Command.NOTE_ALERT)

    def act_bell(self) -> None:
        """Bell on or off."""
        self._console.bell_on = not self._console.bell_on
        self._say(f"bell {'on' if self._console.bell_on else 'off'}")

    def act_theme(self) -> None:
        """Take the next theme."""
        names = [theme.name for theme in themes.THEMES]
        here = names.index(self._console.theme) if self._console.theme in names else -1
        self._console.theme = names[(here + 1) % len(names)]
        self._say(f"theme {self._console.theme}")

    def act_repaint(self) -> None:
        """Draw everything anew."""
        self._console.refresh(layout=True, repaint=True)
        self._console.screen.refresh(layout=True, repaint=True)
        for view in self._console.main.views.values():
            view.refresh(layout=True, repaint=True)

    # --- replay -------------------------------------------------------------------------------------------

    def act_step_ahead(self) -> None:
        """One frame ahead."""
        self._console.link.replay("step", 1)

    def act_step_back(self) -> None:
        """One frame back."""
        self._console.link.replay("step", -1)

    def act_faster(self) -> None:
        """Next faster pace."""
        self._turn_speed(+1)

    def act_slower(self) -> None:
        """Next slower pace."""
        self._turn_speed(-1)

    def act_seek(self) -> None:
        """Type where to go."""
        self.act_command_line("seek ")

    def act_speed(self) -> None:
        """Type a pace."""
        self.act_command_line("speed ")

    # --- help and leave -----------------------------------------------------------------------------------

    def act_command_line(self, value: str = "") -> None:
        """Type a command."""
        self._console.push_screen(LineScreen(":", value=value), self._typed)

    def act_palette(self) -> None:
        """List every action to type its word or name."""
        lines = [f"{shown_keys(a):<10} {a.word or a.name.replace('_', ' '):<18} {a.help}" for a in ACTIONS]
        self._console.push_screen(LineScreen("name or word", lines=lines), self._typed)

    def act_help(self) -> None:
        """Show all keys."""
        replay = self._snapshot is not None and self._snapshot.header.replay is not None
        self._console.push_screen(HelpScreen(help_rows(replay=replay), plain=self._console.settings.plain))

    def act_quit(self) -> None:
        """Ask how to leave."""
        snapshot, console = self._snapshot, self._console
        if snapshot is None or console.link.lost or console.settings.watch:
            console.exit(console.link.exit_status or 0)
            return
        working = len(snapshot.ladder.mine)
        lines = [
            f"session {console.settings.account}, {snapshot.header.mode.value}",
            f"position {self._position(snapshot)}; our working orders: {working}",
        ]
        choices = [
            ("s", "stay", "stay"),
            ("d", "detach: the session keeps running, `lobdeck attach` joins it again", "detach"),
            ("c", "cancel our orders, verify, end the session", "cancel"),
        ]
        console.push_screen(ChoiceDialog("Leave?", lines, choices), self._leave)

    def act_detach(self) -> None:
        """Leave; the session goes on."""
        self._leave("detach")

    def _leave(self, how: str | None) -> None:
        console = self._console
        if how == "detach":
            console.link.detach()
            console.exit(0)
        elif how == "cancel":
            console.link.stop_session("cancel")
            self._say("ending: cancelling our orders and verifying", "warn")

    # --- helpers ------------------------------------------------------------------------------------------

    @property
    def _snapshot(self) -> ConsoleSnapshot | None:
        return self._console.snapshot

    def _typed(self, text: str | None) -> None:
        words = (text or "").strip().lstrip(":").split()
        if not words:
            return
        action = BY_WORD.get(words[0]) or BY_NAME.get("_".join(words))
        if words[0] in ("seek", "speed") and len(words) == 2:
            self._replay_word(words[0], words[1])
        elif action is None:
            self._say(f":{words[0]} is no command; Ctrl+P lists them", "warn")
        elif action.guard is Guard.RISK:
            self._say(f":{words[0]} needs its key: {action.shown}", "warn")
        else:
            getattr(self, f"act_{action.name}")()

    def _replay_word(self, word: str, value: str) -> None:
        snapshot = self._snapshot
        if snapshot is None or snapshot.header.replay is None:
            self._say(f":{word} works in a replay only", "warn")
            return
        try:
            number = 0.0 if (word, value) == ("speed", "max") else float(value)
        except ValueError:
            self._say(f":{word} {value}: wanted a number", "warn")
            return
        if word == "seek":
            relative = value[0] in "+-"
            start_ms = snapshot.header.replay.position_ms if relative else 0
            number = max(0.0, start_ms + number * 1000)
        self._console.link.replay(word, number)

    def _turn_speed(self, step: int) -> None:
        replay = self._snapshot.header.replay if self._snapshot is not None else None
        if replay is None:
            return
        nearest = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - replay.speed))
        place = max(0, min(len(SPEEDS) - 1, nearest + step))
        self._console.link.replay("speed", SPEEDS[place])

    def _turn_symbol(self, step: int) -> None:
        snapshot = self._snapshot
        if snapshot is None or len(snapshot.symbols) < 2:
            self._say("one symbol in this session")
            return
        here = snapshot.symbols.index(snapshot.instrument.symbol)
        self._console.symbol_since_s = time.monotonic()
        self._console.link.select_symbol(snapshot.symbols[(here + step) % len(snapshot.symbols)])

    def _page(self, name: str) -> None:
        self._console.main.show_page(name)
        if self._snapshot is not None:
            self._console.main.show(self._snapshot, 0)

    def _authority(self, authority: Authority) -> None:
        self._send(Command.SET_AUTHORITY, authority=int(authority))

    def _ask(self, words: str, act: Callable[[], None]) -> None:
        self._console.main.ask(Strip(f"{words}   Enter does it, Esc not", act, time.monotonic(), role="halt"))

    def _say(self, words: str, role: str = "notice") -> None:
        self._console.main.say(words, role)

    def _position(self, snapshot: ConsoleSnapshot) -> str:
        view, lots = snapshot.instrument, snapshot.position.lots
        drop = 10 ** (view.size_decimals - view.lot_decimals)
        word = "FLAT" if lots == 0 else "LONG" if lots > 0 else "SHORT"
        sign = "+" if lots > 0 else ""
        return f"{sign}{scaled_text(lots * view.lot_units // drop, view.lot_decimals)} {view.base} {word}"

    def _where(self, snapshot: ConsoleSnapshot) -> str:
        return f"{self._console.settings.account} {snapshot.header.mode.value}"

    def _send(
        self,
        command: Command,
        *,
        target: tuple[int, int] = (0, 0),
        client_order_id: str = "",
        authority: int = 0,
        qty_lots: int = 0,
        terms: WindowTerms | None = None,
    ) -> None:
        snapshot, settings = self._snapshot, self._console.settings
        self._console.link.command(
            OperatorCommand(
                command=command,
                who=settings.who,
                tty=settings.tty,
                symbol=snapshot.instrument.symbol if snapshot is not None else "",
                target_id=target[0],
                revision=target[1],
                ts_ns=0,
                client_order_id=client_order_id,
                authority=authority,
                qty_lots=qty_lots,
                terms=terms,
                drawn_seq=self._console.drawn_seq,
            )
        )


def lots_of(text: str, lot_units: int, size_decimals: int) -> int:
    """Give the lots of a typed decimal quantity; 0 where it is none or off the grid."""
    whole, _, rest = text.partition(".")
    if not (whole + rest).isascii() or not (whole + rest).isdigit() or len(rest) > size_decimals:
        return 0
    units = int(whole or "0") * 10**size_decimals + int(rest.ljust(size_decimals, "0") or "0")
    return units // lot_units if units % lot_units == 0 else 0
