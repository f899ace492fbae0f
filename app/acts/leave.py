"""Finding an action, the command line, the help, and the ways to leave."""

from __future__ import annotations

from app.account_lines import account_lines
from app.actions import BY_NAME, BY_WORD, PANEL_GROUPS, Action, Guard, help_rows
from app.acts.base import ActsBase
from app.screens.dialogs import ChoiceDialog, HelpDialog, LineDialog
from app.screens.palette import PaletteDialog
from app.screens.view import OWN_PAGES

READ_S = 0.35
"""A word that steps up counts only if its line stood for so long: faster is a paste."""


class LeaveActs(ActsBase):
    """The help group."""

    def act_command_line(self) -> None:
        """Type a command."""
        self.open_command_line("")

    def open_command_line(self, value: str) -> None:
        """Open the command line with some words in it."""
        self._open(LineDialog(":", self._command, plain=self._plain, value=value))

    def act_palette(self) -> None:
        """Find an action by a few letters."""
        self._open(PaletteDialog(self._found, plain=self._plain))

    def act_help(self) -> None:
        """Show the keys, those of the focused panel first."""
        first = PANEL_GROUPS.get(self._view.focused_panel or self._view.page_name, "")
        self._open(HelpDialog(help_rows(first_group=first), plain=self._plain))

    def act_quit(self) -> None:
        """Close what is open; from a page ask how to leave."""
        view, console, drawn = self._view, self._console, self._drawn
        if view.page_name in OWN_PAGES or view.maximised:
            view.show_page("trading" if view.page_name in OWN_PAGES else view.page_name)
            return
        if console.link.lost or console.settings.watch:
            console.leave()
            return
        lines = [f"session {console.settings.account}: position and orders are not known yet"]
        if drawn is not None:
            lines = [
                f"session {console.settings.account}, {drawn.header.mode.value}",
                *account_lines(drawn),
            ]
        choices = [
            ("s", "stay", "stay"),
            ("c", "cancel our orders, verify, end the session", "cancel"),
            ("d", "detach: the session keeps running, `lobdeck attach` joins it again", "detach"),
            ("l", "leave our orders resting and end the session (to be typed)", "leave"),
        ]
        self._open(ChoiceDialog("Leave?", lines, choices, self._leave, plain=self._plain))

    def act_detach(self) -> None:
        """Leave; the session goes on."""
        self._console.link.detach()
        self._console.leave()

    def _leave(self, how: str) -> None:
        match how:
            case "detach":
                self.act_detach()
            case "cancel":
                self._end("cancel", "ending: our orders are cancelled, then the venue is asked")
            case "leave":
                words = "ending: our orders stay where they are"
                self._ask_phrase("LEAVE", "leave orders resting", [], lambda: self._end("leave", words))
            case _:
                pass

    def _end(self, how: str, words: str) -> None:
        self._console.link.stop_session(how)
        self._say(words, "warn")

    def _found(self, action: Action) -> None:
        """Run what the palette found; what must be typed or bound to a card is not run from there."""
        if action.value or action.guard is Guard.TYPED:
            self.open_command_line(f"{action.word} ".lstrip() if action.value else action.word)
        elif not action.word and action.guard is Guard.RISK:
            self._say(f"{action.shown} is its key: it binds to what is on the screen")
        else:
            self._console.act_by_name(action.name)

    def _command(self, answer: tuple[str, float]) -> None:
        text, took_s = answer
        word, _, value = text.strip().lstrip(":").partition(" ")
        action = BY_WORD.get(word) or BY_NAME.get(word.replace("-", "_"))
        if not word:
            return
        if action is None or (not action.word and action.guard is Guard.RISK):
            self._say(f":{word} is no command; Ctrl+P finds one", "warn")
        elif action.guard is Guard.TYPED and took_s < READ_S:
            self._say(f":{word} not taken: it came too fast to have been typed", "warn")
        elif action.value and value.strip():
            getattr(self, f"typed_{action.name}")(value.strip())
        else:
            self._console.act_by_name(action.name)
