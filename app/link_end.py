"""How a console's link ended: what the screen does about it, and the words for the shell it leaves to."""

from __future__ import annotations

import enum

from app.last_summary import log_words
from app.link import Link
from pipeline.runtime.places import SessionPlace
from pipeline.runtime.summary import EXIT_CLEAN, EXIT_FAILED


class LinkEnd(enum.Enum):
    """Why no picture comes any more."""

    STANDS = enum.auto()
    """Nothing ended."""
    ORDERLY = enum.auto()
    """The session said that it ends: the console leaves with it."""
    GONE = enum.auto()
    """The session died or failed: the screen says so until somebody leaves."""
    CUT = enum.auto()
    """The session lives; only this link broke."""


def end_of(link: Link) -> LinkEnd:
    """Say how a link stands."""
    if not link.lost:
        return LinkEnd.STANDS
    if link.died or link.exit_status == EXIT_FAILED:
        return LinkEnd.GONE
    return LinkEnd.CUT if link.exit_status is None else LinkEnd.ORDERLY


def status_of(link: Link) -> int:
    """Give the exit status of a console whose link ended like this."""
    if end_of(link) is LinkEnd.GONE:
        return EXIT_FAILED
    return link.exit_status or EXIT_CLEAN


def last_words(link: Link, place: SessionPlace) -> str:
    """Give what a console leaves in the shell, without its last line end; the journal's head with it."""
    match end_of(link):
        case LinkEnd.STANDS:
            return f"session {place.name} goes on; `lobdeck attach {place.name}` joins it again"
        case LinkEnd.ORDERLY:
            head = f"\njournal head {link.head}" if link.head else ""
            return f"session {place.name} ended: {link.lost}{head}"
        case LinkEnd.GONE:
            return f"lobdeck: session {place.name} is gone: {link.lost}{log_words(place)}"
        case LinkEnd.CUT:
            return f"lobdeck: {link.lost}; session {place.name} goes on: `lobdeck attach {place.name}`"
