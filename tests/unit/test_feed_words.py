"""Why a venue cannot be reached: each case a line that says what and where."""

from __future__ import annotations

import errno
import io
import socket
import ssl

import pytest

from pipeline.core.inputs import FeedStatusChanged
from pipeline.runtime.feed_log import SpokenSink
from pipeline.runtime.feed_words import connect_words
from tests.fakes.feeds import Sink


def untrusted() -> ssl.SSLCertVerificationError:
    problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
    problem.verify_message = "self-signed certificate"
    return problem


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "?"), "no such host: venue.test"),
        (socket.gaierror(socket.EAI_AGAIN, "?"), "cannot look up venue.test: is there a network?"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "?"), "nothing listens at venue.test:443"),
        (untrusted(), "TLS: the certificate of venue.test is not trusted (self-signed certificate)"),
        (ssl.SSLError(1, "wrong version number"), "no TLS at venue.test:443"),
        (ConnectionResetError(errno.ECONNRESET, "?"), "venue.test hung up"),
        (TimeoutError(), "no answer from venue.test:443"),
        (OSError(errno.ENETUNREACH, "?"), "no way to venue.test: is there a network?"),
        (OSError(errno.EMFILE, "?"), "cannot connect to venue.test:443 (OSError)"),
    ],
)
def test_each_failure_has_its_words(problem: Exception, words: str) -> None:
    assert connect_words(problem, "venue.test", 443) == words


def test_ups_and_downs_are_said_once_each() -> None:
    out = io.StringIO()
    sink = Sink()
    spoken = SpokenSink(sink, out)
    story = [(False, "connecting"), (False, "no such host: x"), (False, "no such host: x"), (True, "")]
    story += [(True, ""), (False, "closed by the venue (1001)"), (True, "")]
    for up, reason in story:
        spoken.status(FeedStatusChanged("stream", up, 1, reason, 1))
    assert out.getvalue().splitlines() == [
        "lobdeck: feed stream down: no such host: x; it is tried again",
        "lobdeck: feed stream up again",
        "lobdeck: feed stream down: closed by the venue (1001); it is tried again",
        "lobdeck: feed stream up again",
    ]
    assert len(sink.statuses) == len(story), "the session is told of all"


def test_a_feed_that_comes_up_at_once_says_nothing() -> None:
    out = io.StringIO()
    spoken = SpokenSink(Sink(), out)
    for up, reason in ((False, "connecting"), (True, "")):
        spoken.status(FeedStatusChanged("stream", up, 1, reason, 1))
    assert out.getvalue() == ""
