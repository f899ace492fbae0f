"""HTTP answers out of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.http_text import HttpTextError, request_text, take_answer

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\n{}"
CHUNKED = (
    b"HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3;x=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)


def test_request_has_one_host_and_no_body() -> None:
    found = request_text("POST", "h:8", "/p?a=1", (("X-MBX-APIKEY", "k"),))
    assert found == b"POST /p?a=1 HTTP/1.1\r\nHost: h:8\r\nX-MBX-APIKEY: k\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "status", "body", "retry", "closes"),
    [(PLAIN, 200, b"{}", 7, False), (CHUNKED, 429, b"abcde", 0, True)],
)
def test_answer_comes_once_it_is_whole(
    text: bytes, status: int, body: bytes, retry: int, closes: bool
) -> None:
    for cut in range(len(text)):
        assert take_answer(text[:cut]) == (None, 0)
    answer, length = take_answer(text + b"HTTP/1.1 20")
    assert answer is not None
    assert length == len(text)
    assert (answer.status, answer.body, answer.retry_after_s, answer.closes) == (status, body, retry, closes)


def test_provisional_answer_is_passed_over_and_no_content_has_no_body() -> None:
    text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    answer, length = take_answer(text)
    assert answer is not None
    assert (answer.status, answer.body, length) == (204, b"", len(text))


@pytest.mark.parametrize(
    "text",
    [
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        b"x" * 70_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2_700,
    ],
)
def test_bytes_that_are_no_answer_end_the_connection(text: bytes) -> None:
    with pytest.raises(HttpTextError):
        take_answer(text)


@given(st.binary(max_size=200), st.sampled_from((b"", PLAIN[:-2], CHUNKED[:-7], b"HTTP/1.1 ")))
def test_any_bytes_give_an_answer_nothing_or_the_declared_error(noise: bytes, start: bytes) -> None:
    try:
        _, length = take_answer(start + noise)
    except HttpTextError:
        return
    assert 0 <= length <= len(start) + len(noise)
