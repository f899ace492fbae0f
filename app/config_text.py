"""Settings as TOML text: the file a person starts from, and the settings in force with their sources."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

from pydantic import BaseModel

from app.config_sections import Config
from app.config_sources import Layer
from app.config_trading import LimitSettings

_HEAD = """\
# Settings of lobdeck. Every line is the default; take the # in front away to change it.
# A name that is not known here is refused. LOBDECK_SECTION__KEY in the environment
# stands above this file, options of the command line stand above both.
"""

_LIMITS = """\
# Limits by symbol. Outside LIVE a symbol without limits gets the `practice` profile;
# in LIVE it cannot trade. The first five have no default.
"""


def starting_file() -> str:
    """Give the text of a settings file in which everything is a commented default."""
    parts = [_HEAD]
    for name, field in Config.model_fields.items():
        if name == "limits":
            parts.append(f"{_LIMITS}#[limits.BTCUSDT]\n{_described(LimitSettings, {})}\n")
        else:
            section = field.default
            parts.append(
                f"# {type(section).__doc__}\n[{name}]\n{_described(type(section), _values(section))}\n"
            )
    return "\n".join(parts)


def settings_in_force(config: Config, layers: tuple[Layer, ...]) -> str:
    """Give all settings as a valid file; what is not a default says which source it comes from."""
    parts = []
    for path, section in tables(config):
        lines = [f"[{'.'.join(path)}]"]
        for key, value in _values(section).items():
            source = next((one for one in reversed(layers) if one.holds((*path, key))), None)
            lines.append(f"{key} = {toml_value(value)}" + (f"  # {source.name}" if source else ""))
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def tables(config: Config) -> Iterator[tuple[tuple[str, ...], BaseModel]]:
    """Walk the sections with their paths, the limits of each symbol as one."""
    for name in Config.model_fields:
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            yield (name,), value
        else:
            yield from (((name, symbol), one) for symbol, one in value.items())


def toml_value(value: object) -> str:
    """Write one value as TOML reads it, numbers without exponent."""
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return format(value, "f")
        case str():
            return json.dumps(value)
        case _:
            return str(value)


def _values(section: BaseModel) -> dict[str, object]:
    """Give what is set; an optional setting without a value has no line in a file."""
    values = {key: getattr(section, key) for key in type(section).model_fields}
    return {key: value for key, value in values.items() if value is not None}


def _described(section: type[BaseModel], values: dict[str, object]) -> str:
    """Write each setting as a comment, with its description above and an example where it has no default."""
    lines = []
    for key, field in section.model_fields.items():
        example = field.examples[0] if field.examples else field.default
        lines += [f"# {field.description}", f"#{key} = {toml_value(values.get(key, example))}"]
    return "\n".join(lines)
