"""A console whose event loop can be held up: `python -m tests.fakes.held_console SESSION SECONDS`.

`b` keeps the app busy for so long, in Python code that never rests.
"""

from __future__ import annotations

import sys
import time

from app.actions import Action
from app.attach_command import make_console, run_console
from app.console import ConsoleApp
from pipeline.runtime.places import session_place

HELD_S = float(sys.argv[2])


class HeldConsole(ConsoleApp):
    """A console with a bug."""

    def act(self, action: Action, pressed_s: float) -> None:
        if action.name == "bell":
            until_s = time.monotonic() + HELD_S
            while time.monotonic() < until_s:
                pass
        super().act(action, pressed_s)


if __name__ == "__main__":
    run_console(make_console(session_place(sys.argv[1]), watch=False, slow=False, kind=HeldConsole))
