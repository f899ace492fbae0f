"""The errors a user can mend: one line on stderr, exit status 2."""

from __future__ import annotations

import sys


def mendable_errors() -> tuple[type[BaseException], ...]:
    """Give the error types of the modules that are loaded; a module not loaded raised nothing."""
    known = (
        ("click.exceptions", "ClickException"),
        ("app.config", "ConfigError"),
        ("app.launch", "LaunchError"),
        ("app.shell", "ShellError"),
        ("app.replay_command", "OptionError"),
        ("pipeline.runtime.capture", "CaptureError"),
        ("pipeline.runtime.gate", "GateError"),
        ("pipeline.runtime.instruments", "InstrumentError"),
        ("pipeline.runtime.journal_reader", "JournalError"),
        ("pipeline.runtime.places", "PlacesError"),
        ("pipeline.models.refusal", "ModelRefused"),
    )
    found = [
        getattr(sys.modules[module], name)
        for module, name in known
        if module in sys.modules and hasattr(sys.modules[module], name)
    ]
    return tuple(found)
