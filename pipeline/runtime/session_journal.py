"""How a session's journal begins: a header that makes it self-contained, and the policy of its mode."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline import __version__
from pipeline.core.types import VenueMode
from pipeline.runtime.earlier_journals import account_notes
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.journal_format import OWN_EXCHANGE, JournalHeader
from pipeline.runtime.journal_retention import Retention
from pipeline.runtime.journal_state import SyncPolicy
from pipeline.runtime.spec import SessionSpec
from pipeline.wire.codec import MAX_FRAME_BYTES


def _notes_of(spec: SessionSpec) -> dict[str, str]:
    if spec.sim is not None:
        return OWN_EXCHANGE
    return {} if spec.orders is None else account_notes(spec.orders)


def open_journal(spec: SessionSpec, directory: Path) -> JournalWriter:
    """Begin the journal of a session; its header makes it self-contained."""
    retention = Retention(spec.journal_max_gb)
    retention.start()
    header = JournalHeader(
        session=spec.name,
        code_version=__version__,
        created_ns=time.time_ns(),
        params=spec.params,
        codecs=(spec.venue,),
        sources=spec.sources,
        notes=_notes_of(spec),
        max_frame_bytes=MAX_FRAME_BYTES if spec.feed is None else spec.feed.max_frame_bytes,
    )
    return JournalWriter.create(
        directory / "journal",
        header,
        # Real money: what caused an order is on the disk before the order leaves.
        policy=SyncPolicy.ORDER if spec.params.mode is VenueMode.LIVE else SyncPolicy.GROUPED,
        segment_bytes=spec.journal_segment_mb << 20,
        after_pack=retention.prune,
    )
