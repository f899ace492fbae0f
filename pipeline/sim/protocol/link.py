"""The other end of one connection, as the protocol sees it."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """Takes frames for a client; a link that is gone takes them silently."""

    def send(self, frame: bytes) -> None:
        """Send a text frame."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Say goodbye with a WebSocket close code."""
        ...

    def abort(self) -> None:
        """Cut the connection without a word."""
        ...
