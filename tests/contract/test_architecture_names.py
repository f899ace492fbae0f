"""ARCHITECTURE.md names only what exists: files, rooms, classes and their members, functions, codes."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "ARCHITECTURE.md"
SOURCES = ("app", "widgets", "themes", "pipeline")
TREES = (*SOURCES, "tests", "docs")
_FILE = re.compile(r"[\w./*-]+\.(?:py|toml|md)")
_MEMBER = re.compile(r"([A-Z]\w+)\.(\w+)")
_DOTTED = re.compile(r"[\w./]+\.(\w+)")
_NAME = re.compile(r"[A-Z]\w*[a-z]\w*|[A-Z]{2,}_[A-Z_]+|[a-z]+_\w+")


@cache
def files() -> tuple[str, ...]:
    found = [str(path.relative_to(ROOT)) for tree in TREES for path in (ROOT / tree).rglob("*.*")]
    return tuple(found) + tuple(path.name for path in ROOT.iterdir())


@cache
def members() -> dict[str, set[str]]:
    """Give what each class of the program defines or sets on itself, its bases' included."""
    own: dict[str, set[str]] = defaultdict(set)
    bases: dict[str, set[str]] = defaultdict(set)
    for path in (path for tree in SOURCES for path in (ROOT / tree).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                own[node.name] |= _names(node)
                bases[node.name] |= {base.id for base in node.bases if isinstance(base, ast.Name)}
    for _ in range(4):
        for name, parents in bases.items():
            own[name] |= {member for parent in parents for member in own.get(parent, ())}
    return own


@cache
def names() -> frozenset[str]:
    """Give every name that the program defines or sets, every word of it, and the tests' functions."""
    found: set[str] = set(members())
    for path in (path for tree in SOURCES for path in (ROOT / tree).rglob("*.py")):
        found |= _names(ast.parse(path.read_text(encoding="utf-8")))
    for path in (ROOT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"^ *(?:async )?def (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return frozenset(found)


def _names(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.Constant(value=str(name)) if " " not in name:
                found.add(name)
    return found


def quoted(page: str) -> list[str]:
    """Give what stands between backticks, code blocks left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))


def is_there(quote: str) -> bool:
    """Tell whether a name exists; what is no name of ours (a command, a formula) passes."""
    word = quote.split("(")[0].strip()
    if re.search(r"\b[A-Z]+/", word):
        return True  # A place on the user's disk, with a placeholder in it.
    if word.endswith("/"):
        return (ROOT / word).is_dir() or (ROOT / "pipeline" / word).is_dir()
    if _FILE.fullmatch(word):
        return any(fnmatch(f"/{path}", f"*/{word}") for path in files())
    if found := _MEMBER.fullmatch(word):
        return found[2] in members().get(found[1], ())
    if found := _DOTTED.fullmatch(word):
        return word in names() or found[1] in names() or (ROOT / word.replace(".", "/")).is_dir()
    return word in names() if _NAME.fullmatch(word) else True


@pytest.mark.parametrize("quote", sorted(set(quoted(PAGE.read_text(encoding="utf-8")))))
def test_what_the_page_names_exists(quote: str) -> None:
    assert is_there(quote)


def test_the_rooms_of_the_picture_exist() -> None:
    drawn = "".join(re.findall(r"```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    rooms = _FILE.findall(drawn)
    assert len(rooms) >= 4
    assert [room for room in rooms if not is_there(room)] == []


@pytest.mark.parametrize(
    "gone",
    ["core/nothing.py", "Engine.nothing", "NothingDesk", "nothing_at_all", "core/types.Nothing", "rooms/"],
)
def test_a_name_that_is_gone_is_found(gone: str) -> None:
    assert not is_there(gone)
