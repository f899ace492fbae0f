"""What a session puts on record beside its inputs: who came and went, what was refused, who saw which alert.

The engine's inputs are the whole truth of what it did; here is what never reached it. Notes are text in the
journal, in its chain, and no part of a replay.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from pipeline.core.evidence import Seen
from pipeline.core.inputs import OperatorCommand
from pipeline.runtime.journal import JournalWriter, RecordKind
from pipeline.runtime.link_server import Client

MAX_NOTE = 500
"""Characters of one note: what a console says of itself has an end."""
MAX_KEY = 40


class Evidence:
    """Writes notes into one session's journal; without a journal it does nothing."""

    def __init__(self, journal: JournalWriter | None, now_ns: Callable[[], int]) -> None:
        self._journal = journal
        self._now_ns = now_ns

    def note(self, client: Client, what: str) -> None:
        """Put on record what a console did, with who is at it, by its word and by the kernel's."""
        if self._journal is not None:
            text = f"{console_words(client)}: {what}"[:MAX_NOTE]
            self._journal.append(RecordKind.NOTE, self._now_ns(), text.encode("utf-8", "replace"))

    def stamped(self, command: OperatorCommand, client: Client) -> OperatorCommand:
        """Give a command with the session's time, and with the peer where the console cannot name another."""
        seen = command.seen or Seen()
        return replace(
            command,
            who=client.who,
            tty=client.tty,
            ts_ns=self._now_ns(),
            seen=replace(
                seen,
                symbol=seen.symbol[:MAX_KEY],
                card_hash=seen.card_hash[:MAX_KEY],
                key=seen.key[:MAX_KEY],
                uid=client.uid,
                pid=client.pid,
                controls=not client.watch,
            ),
        )


def console_words(client: Client) -> str:
    """Say who a console is."""
    role = "watching" if client.watch else "controlling"
    where = f" on {client.tty}" if client.tty else ""
    return f"{client.who or 'nobody named'}{where}, uid {client.uid}, pid {client.pid}, {role}"
