"""A venue lives in one room: nothing outside `wire` and the tables names the one that was added last."""

from __future__ import annotations

import ast
from pathlib import Path

from pipeline.runtime.instrument_tables import read_layers
from pipeline.wire.venues import REGISTER, VENUES

ROOT = Path(__file__).resolve().parents[2]
ROOM = ROOT / "pipeline" / "wire"
EXAMPLES = {"app/cli_start.py"}
"""Help texts that name a venue as an example."""


def texts(path: Path) -> str:
    """Give the text constants and names of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented):
            # A bare text is a docstring, of a module or of the attribute above it.
            node.body = [part for part in node.body if not _is_text(part)] or [ast.Pass()]
    return ast.unparse(tree).lower()


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def test_no_other_room_names_bybit() -> None:
    modules = [
        path for top in ("app", "pipeline", "widgets", "themes") for path in (ROOT / top).rglob("*.py")
    ]
    naming = {
        str(path.relative_to(ROOT))
        for path in modules
        if not path.is_relative_to(ROOM) and "bybit" in texts(path)
    }
    assert naming == EXAMPLES
    assert any("bybit" in texts(path) for path in ROOM.glob("*.py"))


def test_every_venue_of_the_register_has_a_table_with_fees_and_a_sync_rule() -> None:
    (shipped,) = read_layers(None)
    tables = shipped.tables.root
    assert set(tables) == set(VENUES)
    for table in tables.values():
        assert table.sync_rule is not None
        assert table.margin is not None
        assert table.fees("") is not None
        assert table.symbols


def test_every_venue_says_how_it_is_asked() -> None:
    for venue in REGISTER.values():
        feed = venue.feed
        assert bool(feed.depth_path) == bool(feed.depth_weights) == bool(feed.weight_per_minute)
        assert feed.depth_path or feed.requests is not None
        assert (feed.heartbeat_s > 0) == (feed.requests is not None)
