"""What every action stands on: the newest picture, the screen, and the way to the session.

Every command that reaches the session carries what was on this screen when the key was pressed: the idea's
id and revision, and the picture last drawn with its age (`evidence.py`).
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.evidence import seen_on
from app.screens.dialogs import LineDialog
from app.screens.main import MainScreen
from app.screens.overlay import Overlay
from app.screens.view import ConsoleView
from app.strips import Strip
from pipeline.core.inputs import Command, OperatorCommand, WindowTerms
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import VenueMode
from widgets.cells import position_word, price_text, qty_text

if TYPE_CHECKING:
    from app.console import ConsoleApp


class ActsBase:
    """Helpers of all actions."""

    def __init__(self, console: ConsoleApp) -> None:
        self._console = console

    @property
    def _main(self) -> MainScreen:
        return self._console.main

    @property
    def _view(self) -> ConsoleView:
        return self._console.main.view

    @property
    def _plain(self) -> bool:
        return self._console.settings.plain

    @property
    def _drawn(self) -> ConsoleSnapshot | None:
        """Give the picture on the screen; None before the first."""
        return self._console.drawn

    def _say(self, words: str, role: str = "selected") -> None:
        self._main.say(words, role)

    def _ask(self, words: str, act: Callable[[], None]) -> None:
        self._main.ask(Strip(f"{words}   Enter does it, Esc not", act, time.monotonic()))

    def _open(self, overlay: Overlay[Any]) -> None:
        self._main.open(overlay)

    def _ask_phrase(self, phrase: str, what: str, lines: list[str], act: Callable[[], None]) -> None:
        """Let a phrase be typed; nothing else does it."""

        def answered(answer: tuple[str, float]) -> None:
            if answer[0] == phrase:
                act()
            elif answer[0]:
                self._say(f"not done: typed {answer[0][:40]!r}, wanted {phrase!r}", "warn")

        width = max(20, self._main.size.width - 2)
        rows = [row for line in lines for row in textwrap.wrap(line, width)]
        self._open(
            LineDialog(f"type {phrase} to {what}:", answered, plain=self._plain, lines=rows, typed=True)
        )

    def _upward(self, what: str, act: Callable[[], None]) -> None:
        """Do what adds risk; where it is real money, only after the account's name was typed."""
        drawn, account = self._drawn, self._console.settings.account
        if drawn is not None and drawn.header.mode is VenueMode.LIVE:
            self._ask_phrase(account, what, [f"LIVE: real money on {account}"], act)
        else:
            act()

    def _position(self, drawn: ConsoleSnapshot) -> str:
        lots, view = drawn.position.lots, drawn.instrument
        return f"{qty_text(view, lots, sign=True)} {view.base} {position_word(lots)}"

    def _where(self, drawn: ConsoleSnapshot) -> str:
        return f"account {self._console.settings.account}, {drawn.header.mode.value}"

    def _price(self, drawn: ConsoleSnapshot, ticks: int) -> str:
        return price_text(drawn.instrument, ticks)

    def _send(
        self,
        command: Command,
        *,
        target: tuple[int, int] = (0, 0),
        client_order_id: str = "",
        authority: int = 0,
        qty_lots: int = 0,
        terms: WindowTerms | None = None,
        symbol: str = "",
    ) -> None:
        drawn, settings = self._drawn, self._console.settings
        self._console.asked = command
        self._console.link.command(
            OperatorCommand(
                command=command,
                who=settings.who,
                tty=settings.tty,
                symbol=symbol or (drawn.instrument.symbol if drawn is not None else ""),
                target_id=target[0],
                revision=target[1],
                ts_ns=0,
                client_order_id=client_order_id,
                authority=authority,
                qty_lots=qty_lots,
                terms=terms,
                drawn_seq=drawn.seq if drawn is not None else 0,
                seen=seen_on(self._console, target, time.monotonic()),
            )
        )
