"""A session's page: every fill under its permit, moves, delays, denials; the same for the same journal."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from app.cli import run
from pipeline.core.after_fill import HORIZONS_NS
from pipeline.core.inputs import HealthRead
from pipeline.core.session_facts import RunFact, SessionFacts
from pipeline.core.types import Side
from pipeline.research.session_page import session_charts, session_page
from pipeline.research.session_tables import delay_rows, delays, fills_by_permit, permit_rows, quantile
from pipeline.runtime.session_reader import read_session_facts
from tests.fakes.recorded import RecordedFloor
from tests.fakes.trading import LIMITS
from tests.unit.test_risk_page import parsed, permitted


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunFact, SessionFacts]:
    """One idea permitted by a person and filled, a kill, and eleven seconds after it."""
    folder = tmp_path_factory.mktemp("journal")
    floor = permitted(who="<b>ada</b>")
    floor.put(HealthRead(0, 90, 50, 1, True, (1_000_000, 2_000_000, -1, 4_000_000), floor.now_ns))
    floor.busy_ms(11_000)
    floor.write(folder)
    return folder, *read_session_facts(folder)


def test_fills_stand_under_the_permit_they_came_from(session: tuple[Path, RunFact, SessionFacts]) -> None:
    _, run_, facts = session
    (permit,) = facts.permits
    filled = fills_by_permit(facts)[(permit.permit.permit_id, "BTCUSDT")]
    mine = [fill for fill in facts.fills if fill.number in filled.orders]

    assert filled.fills == len(mine) > 0
    assert filled.bought_lots - filled.sold_lots == sum(fill.side * fill.lots for fill in mine)
    assert filled.fees_quote_e8 == sum(fill.fee_quote_e8 for fill in mine)
    row = next(iter(permit_rows(facts, {one.symbol: one for one in run_.params.instruments})))
    assert row[:3] == ("1", "one-shot BTCUSDT", "<b>ada</b>")
    assert row[-1] == permit.end


def test_the_mid_after_fills_is_what_the_engine_measured(session: tuple[Path, RunFact, SessionFacts]) -> None:
    _, _, facts = session
    assert {one.horizon_ns for one in facts.after_fills} == set(HORIZONS_NS)
    second = [one for one in facts.after_fills if one.horizon_ns == HORIZONS_NS[0]]
    assert sum(one.fills for one in second) == len(facts.fills)


def test_delays_are_by_stage_and_what_was_not_measured_is_left_out(
    session: tuple[Path, RunFact, SessionFacts],
) -> None:
    _, _, facts = session
    found = delays(facts)
    assert found["receive → row"] == [1_000_000]
    assert "receive → decision" not in found
    assert found["row → order"] == [one.sent_ns - one.row_ns for one in facts.orders if one.row_ns]
    assert [row[0] for row in delay_rows(facts)] == list(found)
    assert quantile(list(range(1, 101)), 0.99) == 100
    assert quantile([7], 0.5) == 7


def test_the_page_holds_all_of_it_and_nothing_from_outside_is_markup(
    session: tuple[Path, RunFact, SessionFacts],
) -> None:
    folder, run_, facts = session
    page = session_page(run_, facts)
    tags = parsed(page).tags

    assert "b" not in tags or "<b>ada" not in page
    assert "&lt;b&gt;ada&lt;/b&gt;" in page
    for words in ("Equity", "Fills by permit", "Where the mid went", "Delays by stage", "by code"):
        assert words in page
    assert page == session_page(*read_session_facts(folder))
    assert [one.kind for one in session_charts(run_, facts)] == ["equity", "position", "after-fill", "delays"]


def test_denials_are_by_code(tmp_path: Path) -> None:
    floor = RecordedFloor(limits={"BTCUSDT": msgspec.structs.replace(LIMITS, max_open_orders=1)})
    floor.warm(p_up=0.9)
    floor.busy_ms(600)
    floor.write(tmp_path)
    _, facts = read_session_facts(tmp_path)
    page = session_page(*read_session_facts(tmp_path))

    assert facts.stopped
    for code in facts.stopped:
        assert f"<td>{code}</td>" in page


def test_a_session_where_nothing_happened_has_a_page_and_no_chart(tmp_path: Path) -> None:
    RecordedFloor(limits={}).write(tmp_path)
    run_, facts = read_session_facts(tmp_path)
    page = session_page(run_, facts)
    parsed(page)
    assert "No permit was opened" in page
    assert "None was measured" in page
    assert session_charts(run_, facts) == []


def test_the_command_writes_the_page_and_refuses_what_is_no_journal(
    session: tuple[Path, RunFact, SessionFacts], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, facts = session
    page = tmp_path / "session.html"
    assert run(["report", str(folder), "-o", str(page)]) == 0
    assert f"{len(facts.orders)} orders, {len(facts.fills)} fills" in capsys.readouterr().out
    assert page.read_text() == session_page(*read_session_facts(folder))

    assert run(["report", str(folder), str(folder), "-o", str(page)]) == 2
    assert "wanted one journal" in capsys.readouterr().err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(["report", str(empty), "-o", str(page)]) == 2
    assert str(empty) in capsys.readouterr().err


def test_pictures_are_drawn_where_the_extra_is(
    session: tuple[Path, RunFact, SessionFacts], tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the report extra is not installed")
    page, folder = tmp_path / "page.html", tmp_path / "png"
    assert run(["report", str(session[0]), "-o", str(page), "--png", str(folder)]) == 0
    assert len(list(folder.glob("*.png"))) == 4


def test_buying_below_the_mid_is_better_than_the_mid(session: tuple[Path, RunFact, SessionFacts]) -> None:
    _, _, facts = session
    (fill, *_) = facts.fills
    filled = fills_by_permit(facts)[(1, "BTCUSDT")]
    better = fill.side * (fill.mid_half_ticks / 2 - fill.price_ticks)
    assert (filled.edge_sum_bp > 0) == (better > 0)
    assert fill.side in (Side.BUY, Side.SELL)
