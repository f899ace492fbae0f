"""Why a model is not loaded: the codes, and the exception that carries one.

There is no best-effort mode: a model either passes every check or is refused with one code and the
differences spelled out.
"""

from __future__ import annotations

import enum


class RefusalCode(enum.StrEnum):
    """The check a model failed, in the order of checking."""

    E_SHA = "E_SHA"
    """The file is not the one that was pinned, or is not there."""
    E_SIZE = "E_SIZE"
    """The file is larger than allowed."""
    E_OPS = "E_OPS"
    """No ONNX file, or one with an operator off the list, a custom domain, or data outside the file."""
    E_CONTRACT = "E_CONTRACT"
    """Metadata missing, ill-typed or contradicting itself, or a manifest that disagrees with it."""
    E_APPROVAL = "E_APPROVAL"
    """Nobody approved the file for what it is wanted for; one without a manifest is approved for nothing."""
    E_IO = "E_IO"
    """Input or output of another name, rank, width or type, or a batch size that is not open."""
    E_SCHEMA_HASH = "E_SCHEMA_HASH"
    """The features the model was trained on are not the features this build computes."""
    E_SPAN = "E_SPAN"
    """Expired, or trained on another venue, market, symbol or feed cadence."""
    E_UNITS = "E_UNITS"
    """Tick or lot at the venue differ from those at training."""
    E_METRICS = "E_METRICS"
    """No queue-imbalance baseline recorded, or the model is not better than it: only as a shadow."""
    E_NAN = "E_NAN"
    """Finite inputs gave an answer that is no distribution."""
    E_GOLDEN = "E_GOLDEN"
    """A golden input did not give its golden output."""
    E_BATCH = "E_BATCH"
    """A row's answer depends on the batch it is in."""
    E_MIRROR = "E_MIRROR"
    """The model claims symmetry, and exchanging the sides does not exchange its answer."""
    E_LATENCY = "E_LATENCY"
    """Slower than the budget in three probes out of three."""


class ModelRefused(Exception):
    """A model that failed a check; `differences` has one line for each thing that differs."""

    def __init__(self, code: RefusalCode, message: str, differences: tuple[str, ...] = ()) -> None:
        """Keep the three parts; the text of the exception is all of them, one difference a line."""
        super().__init__("\n  ".join([f"{code}: {message}", *differences]))
        self.code = code
        self.message = message
        self.differences = differences
