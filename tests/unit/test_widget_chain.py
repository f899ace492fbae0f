"""The machinery on one line: what it says of a live feed that is down, and when it is tried again."""

from __future__ import annotations

import msgspec
import pytest

from pipeline.core.snapshot import ChainView, FeedView
from tests.fakes.snapshots import chain, make_snapshot
from widgets.chain import compact_chain, feed_words


def with_feeds(*feeds: FeedView, up: bool = False) -> ChainView:
    return msgspec.structs.replace(chain(), feeds=feeds, feed_up=up)


STREAM = FeedView("stream", False, "no such host: venue.test", 2_400)


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (with_feeds(up=True), ("up", True)),
        (with_feeds(), ("DOWN", False)),
        (with_feeds(FeedView("stream", True, "", -1), up=True), ("up", True)),
        (with_feeds(STREAM), ("DOWN stream: no such host: venue.test, again in 3 s", False)),
        (
            with_feeds(FeedView("snapshots", False, "3 books wait for request weight", 40_000), up=True),
            ("up snapshots: 3 books wait for request weight, again in 40 s", False),
        ),
        (with_feeds(FeedView("stream", False, "\x1b[2J", -1)), ("DOWN stream: ", False)),
    ],
)
def test_a_feed_is_up_or_says_why_not_and_how_long(view: ChainView, words: tuple[str, bool]) -> None:
    said, well = feed_words(view)
    assert said.startswith(words[0])
    assert "\x1b" not in said
    assert well is words[1]


def test_the_small_screen_says_when_it_is_tried_again() -> None:
    snapshot = msgspec.structs.replace(make_snapshot(), chain=with_feeds(STREAM))
    line = "".join(words for words, _ in compact_chain(snapshot, 78))
    assert "feed stream down, again in 3 s" in line
