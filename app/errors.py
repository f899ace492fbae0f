"""The errors a user can mend: one line on stderr, exit status 2."""

from __future__ import annotations

import sys

MOST_PIECES = 6
"""Differences of a refused model that one line still bears; `lobdeck model inspect` shows all."""


def mendable_errors() -> tuple[type[BaseException], ...]:
    """Give the error types of the modules that are loaded; a module not loaded raised nothing."""
    known = (
        ("click.exceptions", "ClickException"),
        ("typer._click.exceptions", "ClickException"),
        ("app.bench_tools", "BenchError"),
        ("app.config_sources", "ConfigError"),
        ("app.drill_kill", "DrillError"),
        ("app.journal_command", "ExportError"),
        ("app.launch", "LaunchError"),
        ("app.shell", "ShellError"),
        ("app.registry_command", "ApprovalError"),
        ("app.replay_command", "OptionError"),
        ("app.sim_command", "SimError"),
        ("pipeline.research.dataset", "DatasetError"),
        ("pipeline.research.evaluation", "EvaluationError"),
        ("pipeline.research.package", "PackageError"),
        ("pipeline.research.training", "TrainingError"),
        ("pipeline.research.parity", "MissingExtra"),
        ("pipeline.research.parity", "ParityError"),
        ("pipeline.runtime.capture", "CaptureError"),
        ("pipeline.runtime.feed_endpoints", "FeedError"),
        ("pipeline.runtime.gate", "GateError"),
        ("pipeline.runtime.instruments", "InstrumentError"),
        ("pipeline.runtime.journal_reader", "JournalError"),
        ("pipeline.runtime.locks", "LockHeldError"),
        ("pipeline.runtime.places", "PlacesError"),
        ("pipeline.runtime.venue_keys", "KeyFileError"),
        ("pipeline.runtime.session_main", "SessionRefusedError"),
        ("pipeline.runtime.sim_child", "SimError"),
        ("pipeline.runtime.venue_facts", "VenueFactsError"),
        ("pipeline.models.refusal", "ModelRefused"),
    )
    found = [
        getattr(sys.modules[module], name)
        for module, name in known
        if module in sys.modules and hasattr(sys.modules[module], name)
    ]
    return tuple(found)


def one_line(problem: BaseException) -> str:
    """Give an error's message on one line: its lines joined by `; `, what would steer a terminal replaced."""
    text = str(problem.format_message() if hasattr(problem, "format_message") else problem)
    pieces = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    more = len(pieces) - MOST_PIECES
    if more > 0:
        pieces = [*pieces[:MOST_PIECES], f"and {more} more"]
    return printable("; ".join(pieces))


def printable(text: str) -> str:
    """Give a text from outside with each control, bidi or zero-width character replaced by U+FFFD."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)
