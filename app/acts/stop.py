"""Stopping, stepping down, and the slow way back up."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from app.account_lines import account_lines
from app.acts.base import ActsBase
from app.gate_picture import live_orders
from app.kill_keys import Emergency
from app.strips import Strip
from pipeline.core.inputs import Command
from pipeline.core.kill_progress import RELEASED
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Authority, BookState

KILL_STRIP_S = 2.0
"""After this the default is done: our orders are cancelled."""

QUESTION_S = 4.5
"""The question about foreign orders stands so long; ours are on their way out by then."""

_KILL_WORDS = "Enter/Esc cancel ours (in {left})   f flatten   A all, foreign too   l leave"


class StopActs(ActsBase):
    """The three axes: kill, halt, reduce, authority; resume and release."""

    _all_question: Strip | None = None
    _cancels_at_s = 0.0
    """When ours are cancelled without an answer, by the monotonic clock."""

    def act_kill(self) -> None:
        """Close and latch the gate; a key from a terminal never comes here, the driver has acted on it."""
        self._console.kill_switch.fire(Emergency.KILL)

    def act_halt(self) -> None:
        """Close the gate and take every card and permit away; twice is the same as once."""
        self._console.kill_switch.fire(Emergency.HALT)

    def act_reduce(self) -> None:
        """Allow only what shrinks the position."""
        self._send(Command.REDUCE)

    def act_authority_down(self) -> None:
        """Take the authority one step down."""
        self._send(Command.AUTHORITY_DOWN)

    def act_observe(self) -> None:
        """Take the authority to OBSERVE."""
        self._send(Command.SET_AUTHORITY, authority=int(Authority.OBSERVE))

    def act_approve(self) -> None:
        """Set the authority to APPROVE; a step up only where it was OBSERVE."""
        self._set_authority(Authority.APPROVE)

    def act_auto(self) -> None:
        """Set the authority to AUTO."""
        self._set_authority(Authority.AUTO)

    def act_resume(self) -> None:
        """Leave HALTED or REDUCING."""
        self._upward("resume", lambda: self._send(Command.RESUME))

    def act_adopt(self) -> None:
        """Take over what an earlier session left: orders, missed fills, the balance as found."""
        self._upward("adopt", lambda: self._send(Command.ADOPT))

    def act_cancel_earlier(self) -> None:
        """Cancel what an earlier session left working."""
        self._send(Command.CANCEL_EARLIER)

    def act_release(self) -> None:
        """Show what holds the gate closed and how things stand; a typed phrase takes it back."""
        drawn, account = self._drawn, self._console.settings.account
        if drawn is None or self._console.kill_switch.is_open():
            self._say("the gate is open: nothing to release")
            return
        lines = [*self._closed_by(), *release_checks(drawn), *account_lines(drawn)]
        lines.append(f"release opens the gate and leads to HALTED; orders stay; {_after_release(drawn)}")
        self._ask_phrase(f"RELEASE {account}", "release", lines, lambda: self._send(Command.RELEASE))

    def after_emergency(self, emergency: Emergency) -> None:
        """Show what an emergency key has done; no box stays over the banner."""
        console, main = self._console, self._main
        main.close_overlay()
        console.draw_now()
        if emergency is Emergency.HALT:
            self._send(Command.HALT)
            main.say("gate closed: HALTED; `:resume` opens it", "halt")
            return
        if console.settings.watch:
            # A kill of the session's own leaves nobody time to choose, as this console offers no choice.
            self._send(Command.KILL)
            main.say("KILLED: the session cancels our orders; flattening is for who is in control", "kill")
            return
        if self._killing:
            main.drop_strip()
            self._cancel_ours()
            return
        self._cancels_at_s = time.monotonic() + KILL_STRIP_S
        choices = {"f": self._flatten, "A": self._ask_for_all, "l": self._ask_to_leave}
        self._choose(_KILL_WORDS, self._cancel_ours, KILL_STRIP_S, choices)

    def after_picture(self, shown: ConsoleSnapshot) -> None:
        """Take the kill strip away once nothing is left that it could cancel."""
        if self._killing and shown.kill is not None and shown.kill.confirmed_ts_ns:
            if self._main.strips.strip is self._all_question:
                return  # foreign orders may still be there
            self._main.drop_strip()
            if shown.position.dust:
                self._say(f"no orders left; {self._position(shown)} is dust and stays", "kill")
            elif shown.position.lots:
                self._say(f"no orders left; F flattens {self._position(shown)}", "kill")

    @property
    def _killing(self) -> bool:
        strip = self._main.strips.strip
        return strip is not None and strip.in_banner

    def _flatten(self) -> None:
        self._cancel_ours()
        self._console.act_by_name("flatten")

    def _choose(
        self,
        words: str,
        on_enter: Callable[[], None],
        stands_s: float,
        choices: Mapping[str, Callable[[], None]],
    ) -> Strip:
        """Ask in the banner; Esc, and nothing at all, cancel ours."""
        strip = Strip(
            words,
            on_enter=on_enter,
            on_escape=self._cancel_ours,
            on_expiry=self._cancel_ours,
            choices=choices,
            shown_s=time.monotonic(),
            role="kill",
            stands_s=stands_s,
            in_banner=True,
        )
        self._main.ask(strip)
        return strip

    def _ask_for_all(self) -> None:
        """Cancel ours now, and name what is not ours before it is cancelled too."""
        self._cancel_ours()
        drawn = self._drawn
        foreign = "" if drawn is None else f", {drawn.counts.foreign} FOREIGN"
        words = f"CANCEL ALL on {self._account}: ours go now{foreign}   Enter does it, Esc not ({{left}})"
        self._all_question = self._choose(words, lambda: self._send(Command.CANCEL_ACCOUNT), QUESTION_S, {})

    def _ask_to_leave(self) -> None:
        """Leave ours where they are, if that is confirmed before they are cancelled by themselves."""
        drawn = self._drawn
        ours = "our orders" if drawn is None else f"{live_orders(drawn)} of ours"
        words = f"LEAVE {ours} RESTING on {self._account}   Enter does it, Esc cancels ours ({{left}})"
        left_s = max(0.0, self._cancels_at_s - time.monotonic())
        self._choose(words, lambda: self._send(Command.LEAVE_ORDERS, target=(0, 1)), left_s, {})

    @property
    def _account(self) -> str:
        account, drawn = self._console.settings.account, self._drawn
        return account if drawn is None else f"{account}, {drawn.header.mode.value}"

    def _cancel_ours(self) -> None:
        """Cancel ours on every symbol of the session."""
        drawn = self._drawn
        for symbol in drawn.symbols if drawn is not None else ():
            self._send(Command.CANCEL_ALL, symbol=symbol)

    def _set_authority(self, wanted: Authority) -> None:
        name = wanted.name
        self._upward(f"go to {name}", lambda: self._send(Command.SET_AUTHORITY, authority=int(wanted)))

    def _closed_by(self) -> list[str]:
        state = self._console.kill_switch.state()
        lines = [f"closed by {r.closer.name.lower()}: {r.who} {r.tty} {r.reason}" for r in state.closers]
        latched = [record for latch in state.latches for record in latch.records]
        return lines + [f"latched: {record.who} {record.tty} {record.reason}" for record in latched[-3:]]


def _after_release(drawn: ConsoleSnapshot) -> str:
    """Say what is left to do; a halt took no authority away."""
    killed = drawn.kill is not None and drawn.kill.latched
    return RELEASED if killed else f"authority {drawn.header.authority.name}; `:resume` arms"


def release_checks(drawn: ConsoleSnapshot) -> list[str]:
    """Give the check list of a release, each line with `ok` or `NOT`."""
    kill = drawn.kill
    checks = [
        ("book ok", drawn.ladder.state is BookState.SYNCED),
        ("no UNKNOWN order", drawn.counts.unknown == 0),
        ("no order of ours left", live_orders(drawn) == 0),
        ("cancels confirmed by the venue", kill is None or not kill.latched or kill.confirmed_ts_ns > 0),
        ("journal ok", drawn.chain.journal_ok),
    ]
    words = "   ".join(f"{'ok' if good else 'NOT'} {name}" for name, good in checks)
    return [words, f"foreign orders on the account: {drawn.counts.foreign}, kept"]
