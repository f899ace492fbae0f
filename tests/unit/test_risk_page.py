"""One page for a risk manager: whose order, under which permit, what broke a limit, and the proof."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.risk_report import alert_sentences, write_risk_report
from pipeline.core.effects import SubmitOrder
from pipeline.core.evidence import Seen
from pipeline.core.inputs import Command
from pipeline.core.types import Authority
from pipeline.research.evaluation import EvaluationError
from pipeline.research.risk_page import risk_page
from pipeline.runtime.session_reader import read_session_facts
from tests.fakes.recorded import RecordedFloor
from tests.fakes.trading import LIMITS

VOID = {"meta", "br", "path", "rect", "circle", "polyline"}


class Balanced(HTMLParser):
    """Wants every tag closed in order; keeps the anchors and what points to them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an opening tag."""
        self.tags.add(tag)
        for name, value in attrs:
            assert name in {"lang", "charset", "class", "id", "href", "role"} or tag in {
                "svg",
                "text",
                *VOID,
                "g",
            }
            if name == "id":
                self.ids.add(value or "")
            if name == "href":
                self.targets.add((value or "")[1:])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the newest."""
        if tag not in VOID:
            assert self.open.pop() == tag


def parsed(page: str) -> Balanced:
    balanced = Balanced()
    balanced.feed(page)
    balanced.close()
    assert balanced.open == []
    return balanced


def permitted(who: str = "ada") -> RecordedFloor:
    """A person permits one idea by its card; the order fills; somebody kills and releases."""
    floor = RecordedFloor(authority=Authority.APPROVE, limits={"BTCUSDT": LIMITS})
    floor.warm(p_up=0.9)
    floor.busy_ms(1_000)
    card = floor.picture().proposals[0]
    seen = Seen(
        picture_ns=floor.now_ns,
        symbol="BTCUSDT",
        drawn_ms=350,
        numbers_ms=410,
        card_hash=card.content_hash,
        key="a",
        uid=1_000,
        pid=77,
    )
    pressed = {"target_id": card.idea_id, "revision": card.revision, "drawn_seq": 41, "seen": seen}
    floor.command(Command.PERMIT_ONCE, who=who, **pressed)
    floor.busy_ms(300)
    order = floor.of(SubmitOrder)[0].approved.intent
    floor.trade(order.price_ticks, 100_000_000_000)
    floor.busy_ms(200)
    floor.close_gate(latch=True, who="risk desk", reason="looked wrong")
    floor.busy_ms(1_500)
    return floor


def page_of(directory: Path) -> str:
    run, facts = read_session_facts(directory)
    return risk_page(run, facts, alert_sentences(run.params))


def row(page: str, anchor: str) -> str:
    found = re.search(rf'<tr id="{anchor}">(.*?)</tr>', page)
    assert found is not None
    return found[1]


def test_an_orders_row_leads_to_who_authorised_it_and_what_was_drawn(tmp_path: Path) -> None:
    permitted().write(tmp_path)
    page = page_of(tmp_path)
    links = parsed(page)
    assert links.targets <= links.ids
    assert 'href="#permit-1"' in row(page, "order-1")
    assert 'href="#act-1"' in row(page, "permit-1")
    assert "MAX_OPEN_ORDERS 1 of 4, MAX_QTY " in row(page, "order-1")
    act = row(page, "act-1")
    assert "<td>ada</td>" in act
    assert "<td>PERMIT_ONCE</td>" in act
    assert re.search(
        r"<td>41 of [\d:.]+ \(\+1\.40 s\) BTCUSDT, 350 ms on screen, numbers 410 ms old</td>", act
    )
    assert "<td>uid 1000 pid 77</td>" in act
    card_hash = read_session_facts(tmp_path)[1].permits[0].permit.drawn_hash
    assert f"<td>{card_hash}</td>" in act
    assert card_hash in row(page, "permit-1")


def test_the_kill_is_there_with_who_why_and_how_long(tmp_path: Path) -> None:
    permitted().write(tmp_path)
    page = page_of(tmp_path)
    kill = re.search(r"<td>KILL</td>(.*?)</tr>", page)
    assert kill is not None
    assert "<td>risk desk</td><td>–</td><td>looked wrong</td>" in kill[1]


def test_nothing_from_outside_becomes_markup(tmp_path: Path) -> None:
    permitted(who='<script>alert("x")</script>').write(tmp_path, notes=("<b>note</b>",))
    page = page_of(tmp_path)
    assert "script" not in parsed(page).tags
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;note&lt;/b&gt;" in page


def test_a_limit_that_was_reached_is_said_first(tmp_path: Path) -> None:
    floor = RecordedFloor(limits={"BTCUSDT": msgspec.structs.replace(LIMITS, max_open_orders=1)})
    floor.warm(p_up=0.9)
    floor.busy_ms(300)
    floor.write(tmp_path)
    page = page_of(tmp_path)
    assert "Limit reached: open orders BTCUSDT C12 1 1" in page
    assert page.index("Limit reached") < page.index("What ran")


def test_a_journal_that_was_touched_is_not_called_sound(tmp_path: Path) -> None:
    permitted().write(tmp_path)
    assert "NOT SOUND" not in page_of(tmp_path)
    segment = min(tmp_path.glob("*.journal"))
    raw = bytearray(segment.read_bytes())
    raw[len(raw) // 2] ^= 1
    segment.write_bytes(raw)
    page = page_of(tmp_path)
    assert "NOT SOUND" in page
    assert "Not all of the journal could be read" in page
    parsed(page)


def test_limits_that_changed_since_the_run_before_are_told(tmp_path: Path) -> None:
    permitted().write(tmp_path)
    assert "the run before" not in page_of(tmp_path)
    permitted().write(tmp_path)
    assert "As in the run before." in page_of(tmp_path)
    wider = msgspec.structs.replace(LIMITS, max_open_orders=9)
    RecordedFloor(limits={"BTCUSDT": wider}).write(tmp_path)
    page = page_of(tmp_path)
    before = LIMITS.max_open_orders
    assert f"<td>BTCUSDT</td><td>max_open_orders</td><td>{before}</td><td>9</td>" in page


def test_the_same_journal_gives_the_same_page(tmp_path: Path) -> None:
    permitted().write(tmp_path)
    assert page_of(tmp_path) == page_of(tmp_path)


def test_a_session_where_nothing_happened_has_a_page_too(tmp_path: Path) -> None:
    RecordedFloor(limits={}).write(tmp_path)
    page = page_of(tmp_path)
    parsed(page)
    assert "None was sent" in page
    assert "No symbol had limits" in page


def test_the_command_writes_it_and_prints_the_head(tmp_path: Path) -> None:
    journal = permitted().write(tmp_path / "s" / "journal")
    output = tmp_path / "risk.html"
    result = CliRunner().invoke(app, ["report", str(tmp_path / "s"), "--for", "risk", "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert journal.head() in result.output
    assert output.read_text().startswith("<!doctype html>")


def test_it_wants_one_journal(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="wanted one journal"):
        write_risk_report([tmp_path, tmp_path], tmp_path / "x.html")
