"""`lobdeck doctor`: looks at everything a session needs from this machine, and says how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from app.findings import Finding, Level, findings_text, is_sound
from app.shadow import MEND, OURS, ROOT, shadowed

PYTHONS = ((3, 11), (3, 13))


def report() -> tuple[str, bool]:
    """Check everything; give a line for each finding, and whether nothing failed.

    Where strange modules stand before ours the report ends with them: nothing of ours can be believed then.
    """
    findings = [python_finding(sys.version_info[:3]), *shadow_findings()]
    if is_sound(findings):
        for check in _checks():
            findings += check()
    return findings_text(findings), is_sound(findings)


def _checks() -> tuple[Callable[[], list[Finding]], ...]:
    from app import doctor_clock, doctor_machine, doctor_terminal

    return (
        doctor_machine.places,
        configuration,
        doctor_machine.limits,
        doctor_machine.processors,
        doctor_clock.clock,
        doctor_terminal.terminal,
        doctor_terminal.kill_key,
        doctor_machine.logout,
        models,
    )


def python_finding(version: tuple[int, ...]) -> Finding:
    """Judge the version of Python, given as (major, minor, micro)."""
    text = ".".join(map(str, version))
    low, high = PYTHONS
    if low <= version[:2] <= high:
        return Finding(Level.OK, "python", text)
    return Finding(Level.FAIL, "python", text, "lobdeck needs Python 3.11, 3.12 or 3.13")


def shadow_findings() -> list[Finding]:
    """Look for foreign modules in front of ours."""
    strangers = shadowed()
    if strangers:
        return [Finding(Level.FAIL, "modules", line, MEND) for line in strangers]
    return [Finding(Level.OK, "modules", f"{', '.join(OURS)} are ours, in {ROOT}")]


def configuration() -> list[Finding]:
    """Read the configuration as a session does."""
    from app.config import ConfigError
    from app.config_commands import check_config

    try:
        return [Finding(Level.OK, "config", check_config().removeprefix("ok; "))]
    except ConfigError as problem:
        return [Finding(Level.FAIL, "config", str(problem), "put it right; `lobdeck config init` shows how")]


def models() -> list[Finding]:
    """Load ONNX Runtime, and each model that ships with the program, with every check."""
    try:
        from pipeline.models.running import RUNTIME_VERSION
    except (ImportError, OSError) as problem:
        mend = "make the environment anew: `make clean venv`"
        return [Finding(Level.FAIL, "onnxruntime", f"does not load: {problem}", mend)]
    runtime = Finding(Level.OK, "onnxruntime", RUNTIME_VERSION)
    return [runtime, *[_model(path) for path in sorted(_bundled().glob("*.onnx"))]]


def _model(path: Path) -> Finding:
    from app.errors import one_line
    from app.model_command import verify_model
    from pipeline.models.refusal import ModelRefused

    try:
        verify_model(path)
    except ModelRefused as refusal:
        return Finding(Level.FAIL, "model", f"{path.name}: {one_line(refusal)}", "install lobdeck anew")
    return Finding(Level.OK, "model", f"{path.name} passes every check of loading")


def _bundled() -> Path:
    import pipeline.models.bundled as bundled

    return Path(str(bundled.__file__)).parent
