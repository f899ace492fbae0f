"""What stops a learner: libraries that are not there, and a file that answers otherwise than was trained."""

from __future__ import annotations

PARITY = 1e-5
"""Most a file may differ from the trained model in any probability."""


class MissingExtra(ImportError):
    """A learner needs libraries that are not installed; the text says which extra brings them."""


class ParityError(Exception):
    """The exported file does not answer as the trained model does."""
