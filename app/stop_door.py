"""`halt`, `kill`, `status` and `release --agree` for the sessions of somebody else, by their stop doors.

A supervisor sets LOBDECK_HOME to the other's state directory. What is there is not readable for them but for
the doors, which let a member of `access.kill_group` in.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.runtime.places import HOME_VARIABLE, PlacesError, check_name
from pipeline.runtime.stop_door import STOP_DIR, DoorAnswer, DoorAsk
from pipeline.runtime.unix_socket import peer_of

ANSWER_S = 2.0
CONFIRM_S = 8.0
_LOOK_S = 0.1
_MOST_BYTES = 4_096


def home_of_another() -> Path | None:
    """Give another user's state directory that LOBDECK_HOME names; None where it is ours, or we are root."""
    chosen = os.environ.get(HOME_VARIABLE, "")
    if not os.path.isabs(chosen) or os.geteuid() == 0:
        return None
    home = Path(os.path.realpath(chosen))
    try:
        return home if home.stat().st_uid != os.geteuid() else None
    except OSError:
        return None


def doors(home: Path, name: str | None) -> list[Path]:
    """Give the door named, or all there are.

    Raises:
        PlacesError: the doors cannot be listed, or there is none.
    """
    where = home / STOP_DIR
    if name is not None:
        return [where / f"{check_name(name)}.sock"]
    try:
        found = sorted(one for one in where.iterdir() if one.suffix == ".sock")
    except OSError as problem:
        raise PlacesError(
            f"{where}: {problem.strerror}; access.kill_group of its owner lets a group in"
        ) from None
    if not found:
        raise PlacesError(f"no session with a stop door runs in {home}")
    return found


def stop_all(home: Path, name: str | None, what: Literal["halt", "kill"]) -> tuple[list[str], bool]:
    """Halt or kill; give a line for each session, and whether all is done (for a kill: confirmed)."""
    chosen = doors(home, name)
    results = [ask(door, what) for door in chosen]
    if what == "kill":
        results = [_until_confirmed(d, a) for d, a in zip(chosen, results, strict=True)]
    lines = [f"{d.stem}: {_words(a, what)}" for d, a in zip(chosen, results, strict=True)]
    return lines, all(a.ok and (a.confirmed or what == "halt") for a in results)


def ask(door: Path, what: Literal["status", "halt", "kill", "agree"]) -> DoorAnswer:
    """Ask one thing at one door; whatever fails is the answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guest:
            guest.settimeout(ANSWER_S)
            guest.connect(str(door))
            if peer_of(guest).uid not in (door.stat().st_uid, 0):
                return DoorAnswer(False, "NOT DONE: somebody else answers at its door")
            guest.sendall(msgspec.json.encode(DoorAsk(what)) + b"\n")
            return msgspec.json.decode(_line(guest), type=DoorAnswer)
    except (OSError, msgspec.MsgspecError) as problem:
        return DoorAnswer(False, f"NOT DONE: the session does not answer ({problem})")


def _until_confirmed(door: Path, answer: DoorAnswer) -> DoorAnswer:
    deadline_s = time.monotonic() + CONFIRM_S
    while answer.ok and not answer.confirmed and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
        answer = ask(door, "status")
    return answer


def _words(answer: DoorAnswer, what: str) -> str:
    if what == "kill" and answer.ok and not answer.confirmed:
        return f"NOT CONFIRMED: {answer.text}"
    return answer.text


def _line(guest: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\n") and len(data) < _MOST_BYTES:
        piece = guest.recv(_MOST_BYTES)
        if not piece:
            break
        data += piece
    return data
