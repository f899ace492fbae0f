"""Writes docs/reference from the code, so that page and program cannot drift apart; run by `make docs`.

A page is a function that gives Markdown. A test fails when a page on disk is not what the code gives now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from app.config_sections import Config
from app.config_trading import LimitSettings
from app.reference_sim import sim_page
from app.reference_summary import summary_page
from app.reference_text import default_text, members, page, range_text, table


def configuration_page() -> str:
    """Give every setting with its default, its range and its meaning."""
    parts = [
        "Settings are read from `~/.config/lobdeck/config.toml` or the file named by `--config`; variables "
        "`LOBDECK_SECTION__KEY` stand above it, options above both. An unknown name is refused. "
        "`lobdeck config init` writes a file to start from, `lobdeck config show` prints what is in force.",
    ]
    for name, field in Config.model_fields.items():
        section = LimitSettings if name == "limits" else type(field.default)
        title = "[limits.SYMBOL]" if name == "limits" else f"[{name}]"
        rows = [
            (f"`{key}`", default_text(one), range_text(one), str(one.description))
            for key, one in section.model_fields.items()
        ]
        parts += [
            f"## {title}",
            str(section.__doc__),
            table(("setting", "default", "range", "meaning"), rows),
        ]
    return page("Configuration", parts)


def training_page() -> str:
    """Give every setting of `lobdeck train`."""
    from app.train_config import FoldSettings, MlpSettings, TrainSettings, TreeSettings, WindowSettings

    parts = [
        "`lobdeck train FILE.toml` reads these. An unknown name is refused with the nearest known one; the "
        "digest of all settings in force is in the model's manifest. [TUTORIAL.md](../TUTORIAL.md) has one.",
    ]
    tables = (
        ("", TrainSettings),
        ("folds", FoldSettings),
        ("mlp", MlpSettings),
        ("trees", TreeSettings),
        ("window", WindowSettings),
    )
    sections = [name for name, _ in tables]
    for name, settings in tables:
        rows = [
            (f"`{key}`", default_text(one), range_text(one), str(one.description))
            for key, one in settings.model_fields.items()
            if key not in sections
        ]
        heads = ("setting", "default", "range", "meaning")
        parts += [f"## [{name}]" if name else "## At the top", str(settings.__doc__), table(heads, rows)]
    return page("Training", parts)


def features_page() -> str:
    """Give every feature a model may declare."""
    from pipeline.core.registry import REGISTRY

    rows = []
    for spec in REGISTRY.values():
        low, high = (f"{value / 1e6:g}" for value in spec.range_e6)
        identity = f"{spec.formula} v{spec.version}"
        rows.append(
            (f"`{spec.name}`", spec.unit, f"{low} to {high}", spec.parity, spec.needs, identity, spec.summary)
        )
    heads = ("feature", "unit", "range in a row", "parity", "needs", "formula", "what it is")
    text = (
        "A model declares the features it wants by name; the hash of their full description is in its file "
        "and is checked when it is loaded. Odd features change their sign when bid and ask are exchanged."
    )
    return page("Features", [text, table(heads, rows)])


def order_states_page() -> str:
    """Give the legal moves of an order's life."""
    from pipeline.core.order_moves import LIVE_STATES, MOVES, OrderEvent

    parts = [
        "An order in a live state is exposure: the venue has it or may have it. What is not in the table is "
        "illegal; it is counted and shown, and the state stays.",
        "Live: " + ", ".join(f"`{state}`" for state in LIVE_STATES) + ".",
    ]
    for state, moves in MOVES.items():
        rows = [(f"`{event}`", f"`{after}`") for event, after in moves.items()]
        parts += [f"## {state}", table(("event", "becomes"), rows) if rows else "Final."]
    return page("Order states", [*parts, "## Events", members(OrderEvent)])


def reason_codes_page() -> str:
    """Give the codes of denials, permits, refused frames and alerts, with the screen's words for them."""
    from pipeline.core.effects import AlertCode
    from pipeline.core.inputs import RefusalReason
    from pipeline.core.permit import PermitEnd, PermitWait
    from pipeline.core.types import DenyReason
    from widgets.words import ALERT_SENTENCES, permit_words, reason_words

    heads = ("code", "on screen")
    denials = [(f"`{code}`", reason_words(code)) for code in DenyReason]
    alerts = [(f"`{code}`", ALERT_SENTENCES[code].short) for code in AlertCode]
    parts = [
        "## Denied orders and decisions",
        "In the order in which they are checked.",
        table(heads, denials),
        "## Permits that ended",
        table(heads, [(f"`{code}`", permit_words(code)) for code in PermitEnd]),
        "## Permits that did not cover an order",
        table(heads, [(f"`{code}`", permit_words(code)) for code in PermitWait]),
        "## Refused frames",
        str(RefusalReason.__doc__),
        members(RefusalReason),
        "## Alerts",
        table(heads, alerts),
    ]
    return page("Reason codes", parts)


def model_refusals_page() -> str:
    """Give the codes with which a model is refused."""
    from pipeline.models.refusal import RefusalCode

    return page("Model refusals", [str(RefusalCode.__doc__), members(RefusalCode)])


def keys_page() -> str:
    """Give everything a person can do in the console: keys, command words, and what stands before them."""
    from app.actions import ACTIONS, DEAD_KEYS, GROUPS, Guard

    parts = [
        "Every key is also in the palette (Ctrl+P) and in the help (`?`). Kill and halt work in every "
        "screen, dialog and input field, also while the screen is frozen.",
    ]
    for group, title in GROUPS.items():
        rows = [
            (one.shown, f"`:{one.word}`" if one.word else "", one.help, one.guard.name)
            for one in ACTIONS
            if one.group == group
        ]
        parts += [f"## {title}", table(("key", "command", "does", "guard"), rows)]
    return page(
        "Keys",
        [
            *parts,
            "## Guards",
            members(Guard),
            "## Keys that do nothing",
            table(("key", "said"), DEAD_KEYS.items()),
        ],
    )


PAGES: tuple[tuple[str, Callable[[], str]], ...] = (
    ("configuration.md", configuration_page),
    ("training.md", training_page),
    ("features.md", features_page),
    ("keys.md", keys_page),
    ("summary.md", summary_page),
    ("order-states.md", order_states_page),
    ("reason-codes.md", reason_codes_page),
    ("model-refusals.md", model_refusals_page),
    ("sim-protocol.md", sim_page),
)


def write_reference(folder: Path) -> None:
    """Write all pages into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in PAGES:
        (folder / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
