"""The summary object and the exit status it means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from pipeline.core.inputs import Command, OrderPathChanged
from pipeline.core.params import EntryStyle, ExecutionParams
from pipeline.core.types import VenueMode
from pipeline.runtime.pump import STAGES
from pipeline.runtime.summary import (
    FeedCounts,
    Summary,
    SummaryError,
    as_failed,
    build_summary,
    exit_of,
    keep_summary,
)
from tests.fakes.engines import Floor, engine_params
from tests.fakes.runs import Table
from tests.fakes.trading import ASK, BID

CROSS = engine_params(execution=ExecutionParams(entry=EntryStyle.CROSS))


def a_summary(table: Table) -> Summary:
    pids: dict[str, int | None] = {"engine": 1, "guard": None, "sim": None}
    return build_summary(table.engine, table.run.pump, None, pids, "/journal", FeedCounts())


def held(mode: VenueMode) -> Floor:
    floor = Floor(replace(CROSS, mode=mode))
    if mode in (VenueMode.SIM, VenueMode.LIVE):
        floor.put(OrderPathChanged(True, "reconciled", floor.now_ns))
        floor.command(Command.RESUME)
    floor.warm(0.9)
    floor.busy_ms(300)
    assert floor.position
    return floor


def test_it_has_every_field_a_reader_was_promised() -> None:
    content = a_summary(Table([])).content
    promised = (
        "frames updates trades gaps resyncs crossed ignored wire_errors bookticker features predictions "
        "stale_predictions conflated decisions signals ideas permits orders fills denied alerts book "
        "position latency_us workers effects inputs_sha256 effects_sha256 journal pids exit"
    )
    assert [name for name in promised.split() if name not in content] == []
    assert set(content["latency_us"]) == {*STAGES}
    assert content["latency_us"]["loop_lag"] == {"p50": -1, "p99": -1, "p999": -1, "max": -1, "n": 0}
    assert content["book"]["BTCUSDT"] == {"state": "EMPTY", "last_update_id": 0, "bids": [], "asks": []}


def test_books_are_printed_exactly_and_ten_deep() -> None:
    table = Table([])
    floor = Floor()
    floor.engine = table.engine
    floor.snapshot(
        tuple((BID - n, 100_000_000 + n) for n in range(15)), tuple((ASK + n, 5) for n in range(3))
    )
    floor.update()
    book = a_summary(table).content["book"]["BTCUSDT"]
    assert book["state"] == "SYNCED"
    assert (len(book["bids"]), len(book["asks"])) == (10, 3)
    assert book["bids"][1] == ["59999.99", "1.00000001"]
    assert book["asks"][0] == ["60000.02", "0.00000005"]


def test_it_is_json_for_any_reader() -> None:
    text = a_summary(Table([])).to_json().decode()
    assert json.loads(text)["exit"] == "clean"
    assert text.endswith("}\n")


@pytest.mark.parametrize(
    ("mode", "word", "status"),
    [
        (VenueMode.REPLAY, "clean", 0),
        (VenueMode.PAPER, "clean", 0),
        (VenueMode.SIM, "orders_left", 3),
        (VenueMode.LIVE, "orders_left", 3),
    ],
)
def test_what_stays_at_a_venue_is_an_exit_of_its_own(mode: VenueMode, word: str, status: int) -> None:
    assert exit_of(held(mode).engine) == (word, status)


def test_orders_left_count_more_than_a_kill() -> None:
    floor = held(VenueMode.SIM)
    floor.close_gate(latch=True)
    assert exit_of(floor.engine) == ("orders_left", 3)


def test_a_killed_session_says_so() -> None:
    floor = held(VenueMode.REPLAY)
    floor.close_gate(latch=True)
    assert exit_of(floor.engine) == ("killed", 4)


def test_a_summary_that_cannot_be_written_is_one_line_and_the_others_are_kept(tmp_path: Path) -> None:
    summary, sound, full = a_summary(Table([])), tmp_path / "sound.json", Path("/dev/full")
    with pytest.raises(SummaryError) as caught:
        keep_summary(summary, (full, sound, tmp_path / "none" / "s.json"))
    assert str(caught.value) == (
        "the session ended clean, but its summary could not be written: /dev/full: No space left on device; "
        f"{tmp_path}/none/s.json: No such file or directory"
    )
    assert json.loads(sound.read_bytes())["exit"] == "clean"
    assert full.exists()


def test_a_replay_of_a_session_with_its_own_exchange_is_judged_like_the_session() -> None:
    engine = held(VenueMode.SIM).engine
    assert exit_of(engine, owns_venue=True) == ("clean", 0)
    pump, none = Table([]).run.pump, {"engine": 1, "guard": None, "sim": None}
    summed = [
        build_summary(engine, pump, None, pids, "", FeedCounts(), owns_venue=owns)
        for pids, owns in ((none | {"sim": 2}, False), (none, True), (none, False))
    ]
    assert [one.content["exit"] for one in summed] == ["clean", "clean", "orders_left"]


def test_only_a_clean_end_becomes_a_failed_one() -> None:
    failed = as_failed(Summary({"exit": "clean"}, 0))
    assert (failed.content["exit"], failed.exit_status) == ("failed", 5)
    killed = Summary({"exit": "killed"}, 4)
    assert as_failed(killed) is killed
