"""What every page of ours is made of: one style, tables, a document that needs nothing from outside."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from html import escape

from pipeline.core.types import scaled_text

STYLE = """
:root { color-scheme: light dark; --fg: #1b1f24; --bg: #fff; --dim: #6a737d; --a: #0b62c4; --b: #b35900;
  --c: #4d7d2a }
@media (prefers-color-scheme: dark) { :root { --fg: #e6e8ea; --bg: #14171a; --dim: #9aa4ae; --a: #6db1ff;
  --b: #ffb066; --c: #a5d778 } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 64rem;
  margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .6rem 0 1.4rem; font-variant-numeric: tabular-nums }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid #8884 }
th:first-child, td:first-child, td.w, th.w { text-align: left }
figure { display: inline-block; margin: .5rem .8rem 1rem 0; width: 27rem; max-width: 100% }
figcaption, .dim { color: var(--dim); font-size: 13px }
.warn { border-left: 4px solid var(--b); padding: .3rem .8rem }
.wide { overflow-x: auto } .wide table { font-size: 13px } .wide td { white-space: nowrap }
svg text { fill: var(--dim); font-size: 11px } svg .axis { stroke: var(--dim); fill: none }
svg g { stroke: var(--a); fill: none; stroke-width: 1.6 }
svg .l1 { stroke: var(--b) } svg .l2 { stroke: var(--c) }
svg .l3 { stroke: var(--dim) }
"""


def document(title: str, body: Iterable[str]) -> str:
    """Give a page; `body` is HTML, the title is text."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
    return f"{head}<style>{STYLE}</style><h1>{escape(title)}</h1>{''.join(body)}</html>\n"


def table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """Give a table of text cells."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return _table(heads, body)


def linked_table(heads: Iterable[str], rows: Iterable[tuple[str, ...]], anchor: str) -> str:
    """Give a table whose rows can be pointed at: the first cell is text and names the row's anchor.

    A cell `#KIND:ID` points to row ID of the table with the anchor KIND.
    """
    body = "".join(_linked_row(row, anchor) for row in rows)
    return f'<div class="wide">{_table(heads, body)}</div>'


def moment(ts_ns: int) -> str:
    """Give the UTC time of day of a moment, in milliseconds; a dash for none."""
    if ts_ns <= 0:
        return "–"
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{_at(seconds):%H:%M:%S}.{rest // 1_000_000:03d}"


def day_and_time(ts_ns: int) -> str:
    """Give a moment as date and time in UTC; a dash for none."""
    return f"{_at(ts_ns // 1_000_000_000):%Y-%m-%d} {moment(ts_ns)}Z" if ts_ns > 0 else "–"


def money(value_e8: int) -> str:
    """Give money exactly, zeros beyond the second decimal left out."""
    text = scaled_text(value_e8, 8)
    return text[:-6] + text[-6:].rstrip("0")


def span_ms(from_ns: int, to_ns: int) -> str:
    """Give a time span in milliseconds; a dash where one end is missing."""
    return f"{(to_ns - from_ns) / 1e6:.1f}" if from_ns > 0 and to_ns > 0 else "–"


def _at(seconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(min(seconds, _LAST_SECOND), datetime.UTC)


_LAST_SECOND = 253_402_300_799
"""The last second of the year 9999; a journal may hold any 64 bits."""


def _table(heads: Iterable[str], body: str) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    return f"<table><tr>{top}</tr>{body}</table>"


def _linked_row(row: tuple[str, ...], anchor: str) -> str:
    first, *others = row
    cells = "".join(f"<td>{_linked(cell)}</td>" for cell in others)
    return f'<tr id="{anchor}-{escape(first, quote=True)}"><td>{escape(first)}</td>{cells}</tr>'


def _linked(cell: str) -> str:
    if not cell.startswith("#") or ":" not in cell:
        return escape(cell)
    kind, _, name = cell[1:].partition(":")
    return f'<a href="#{escape(kind, quote=True)}-{escape(name, quote=True)}">{escape(name)}</a>'
