"""What stands over a picture nothing follows, and the words a console leaves in the shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from app.link_end import LinkEnd, end_of, last_words, status_of
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import VenueMode
from pipeline.runtime.places import SessionPlace
from tests.fakes import snapshots
from tests.fakes.links import InlineLink
from widgets.lines import line_text, line_width
from widgets.lost import LostView, lost_line, lost_lines

PLACE = SessionPlace("one", Path("/home/sessions/one"))
REASON = "its process ended without a word"
ENDS = {
    LinkEnd.STANDS: InlineLink(),
    LinkEnd.ORDERLY: InlineLink(lost="time is up", exit_status=4),
    LinkEnd.GONE: InlineLink(lost=REASON, died=True),
    LinkEnd.CUT: InlineLink(lost="the link to one broke: the session closed it"),
}


def picture(mode: VenueMode) -> ConsoleSnapshot:
    drawn = snapshots.make_snapshot()
    return replace(drawn, header=replace(drawn.header, mode=mode))


def words(mode: VenueMode, width: int, *, gone: bool = True) -> list[str]:
    lines = lost_lines(LostView(gone, REASON, 3), picture(mode), width)
    assert all(line_width(line) <= width for line in lines)
    return [line_text(line) for line in lines]


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("mode", [VenueMode.LIVE, VenueMode.SIM])
def test_orders_at_a_venue_may_still_work(mode: VenueMode, width: int) -> None:
    happened, orders, to_do = words(mode, width)
    assert happened.startswith(" SESSION GONE  last picture ")
    assert orders.startswith(" ORDERS MAY STILL WORK AT THE VENUE: 3 working when last seen.")
    assert to_do.startswith(" Do: cancel at the venue NOW")


@pytest.mark.parametrize("width", [80, 120, 160])
def test_guard_at_work_is_waited_for_and_its_zero_is_said(width: int) -> None:
    picture_ = picture(VenueMode.LIVE)
    for view, orders, to_do in (
        (LostView(True, REASON, 3, "The guard is cancelling: 2 left."), " The guard is", " Do: wait"),
        (
            LostView(True, REASON, 3, "NO ORDERS LEFT (venue 1)", True),
            " NO ORDERS LEFT",
            " Do: check",
        ),
    ):
        lines = [line_text(line) for line in lost_lines(view, picture_, width)]
        assert lines[1].startswith(orders)
        assert lines[2].startswith(to_do)
        assert "MAY STILL WORK" not in line_text(lost_line(view, picture_, 60))


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("mode", [VenueMode.REPLAY, VenueMode.PAPER])
def test_orders_on_paper_ended_with_their_session(mode: VenueMode, width: int) -> None:
    happened, orders, to_do = words(mode, width)
    assert happened.startswith(" SESSION GONE")
    assert orders.startswith(" Orders and position were on paper and ended with it.")
    assert to_do.startswith(" Do: q leaves and names the log.")


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("mode", list(VenueMode))
def test_a_cut_link_says_that_orders_go_on(mode: VenueMode, width: int) -> None:
    happened, orders, to_do = words(mode, width, gone=False)
    assert happened.startswith(" LINK LOST")
    assert orders.startswith(" The session goes on; our orders too: 3 working when last seen.")
    assert "lobdeck attach" in to_do


def test_the_widest_header_names_reason_and_position() -> None:
    happened, orders, _ = words(VenueMode.LIVE, 160)
    assert REASON in happened
    assert "Position +0.020 BTC LONG." in orders


def test_a_small_screen_says_it_in_one_line() -> None:
    lost = LostView(True, REASON, 3)
    assert line_text(lost_line(lost, picture(VenueMode.LIVE), 60)).startswith(
        " SESSION GONE ORDERS MAY STILL WORK"
    )
    assert line_text(lost_line(lost, picture(VenueMode.LIVE), 20)) == " SESSION GONE"


@pytest.mark.parametrize("end", list(LinkEnd))
def test_how_a_link_ended(end: LinkEnd) -> None:
    assert end_of(ENDS[end]) is end


def test_a_session_that_failed_is_gone_though_it_said_so() -> None:
    failed = InlineLink(lost="failed: book is broken", exit_status=5)
    assert end_of(failed) is LinkEnd.GONE
    assert status_of(failed) == 5


def test_exit_status_of_the_console_is_the_sessions() -> None:
    statuses = {end: status_of(link) for end, link in ENDS.items()}
    assert statuses == {LinkEnd.STANDS: 0, LinkEnd.ORDERLY: 4, LinkEnd.GONE: 5, LinkEnd.CUT: 0}


def test_last_words_name_the_session_and_what_helps(tmp_path: Path) -> None:
    assert last_words(ENDS[LinkEnd.ORDERLY], PLACE) == "session one ended: time is up"
    gone = f"lobdeck: session one is gone: {REASON}"
    assert last_words(ENDS[LinkEnd.GONE], PLACE) == gone, "it has no log"
    place = SessionPlace("one", tmp_path)
    place.log.touch()
    assert last_words(ENDS[LinkEnd.GONE], place) == f"{gone} (log: {place.log})"
    with_head = InlineLink(lost="time is up", exit_status=4, head="ab12")
    assert last_words(with_head, PLACE) == "session one ended: time is up\njournal head ab12"
    for end in (LinkEnd.STANDS, LinkEnd.CUT):
        assert "`lobdeck attach one`" in last_words(ENDS[end], PLACE)
