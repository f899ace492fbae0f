"""Pieces the reference pages are made of: tables, ranges, and the docstrings below enum members."""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
from collections.abc import Iterable
from typing import get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from app.config_text import toml_value

_NOTE = "<!-- Written by `make docs` from the code; changes here are lost. -->"


def member_texts(codes: type[enum.Enum]) -> dict[str, str]:
    """Give the docstring below each member of an enum, by member name; members without one are left out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(codes)))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    texts = {}
    for member, text in zip(body, body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name):
            match text:
                case ast.Expr(value=ast.Constant(value=str() as words)):
                    texts[member.targets[0].id] = " ".join(words.split())
                case _:
                    pass
    return texts


def members(codes: type[enum.Enum]) -> str:
    """Give an enum's members, as a table where they have docstrings, else as a list."""
    texts = member_texts(codes)
    if not texts:
        return "\n".join(f"- `{member.name}`" for member in codes)
    return table(("code", "meaning"), [(f"`{one.name}`", texts.get(one.name, "")) for one in codes])


def default_text(field: FieldInfo) -> str:
    """Give a setting's default as it stands in a file."""
    if field.is_required():
        return "none"
    if isinstance(field.default, tuple):
        return f"`[{', '.join(toml_value(one) for one in field.default)}]`"
    return "unset" if field.default is None else f"`{toml_value(field.default)}`"


def range_text(field: FieldInfo) -> str:
    """Say what a setting may be: its words, or its bounds and decimals."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, enum.Enum):
        return ", ".join(str(one.value) for one in field.annotation)
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    words += [word for part in get_args(field.annotation) for word in get_args(part)]
    words = [word for word in words if isinstance(word, str)]
    if words:
        return ", ".join(words)
    return ", ".join(text for one in field.metadata for text in _bound_texts(one))


def _bound_texts(bound: object) -> list[str]:
    match bound:
        case Ge(ge=low):
            return [f"≥ {low}"]
        case Gt(gt=low):
            return [f"> {low}"]
        case Le(le=high):
            return [f"≤ {high}"]
        case Lt(lt=high):
            return [f"< {high}"]
        case _:
            places = getattr(bound, "decimal_places", None)
            return [] if places is None else [f"{places} decimals"]


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [list(heads), *(list(row) for row in rows)]
    texts = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([texts[0], "|" + "---|" * len(lines[0]), *texts[1:]])


def page(title: str, parts: list[str]) -> str:
    """Put a page together."""
    return "\n\n".join([f"# {title}", _NOTE, *parts]) + "\n"
