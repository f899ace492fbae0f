"""`lobdeck model use`, `back`, `shadow`, `drop`: acts on the models of a running session, from any shell."""

from __future__ import annotations

from app import shell
from app.last_summary import log_words
from app.link_call import NoAnswerError, ask_model
from pipeline.core.inputs import ModelAct
from pipeline.runtime.locks import is_held
from pipeline.runtime.places import PlacesError, session_place

ANSWER_S = 75.0
"""Longer than the session waits for its workers."""


def act_on_models(session: str, act: ModelAct, name: str = "") -> tuple[str, bool]:
    """Ask a session and wait until it is done or refused; give its line, and whether it was done.

    Raises:
        ShellError: there is no such session, it does not run, or it does not answer.
    """
    place = session_place(session)
    if not is_held(place.lock):
        raise shell.ShellError(f"{session} does not run; `lobdeck sessions` lists those that do")
    try:
        result = ask_model(place, act, name, (shell.operator(), shell.controlling_tty()), ANSWER_S)
    except (NoAnswerError, PlacesError) as problem:
        raise shell.ShellError(f"{problem}{log_words(place)}") from problem
    return f"{session}: {result.text}", result.ok
