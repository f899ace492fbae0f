"""The guard's connection over TLS: a venue that is who it says, and every one that is not."""

from __future__ import annotations

import shutil
import socket
import ssl
import struct
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.runtime import guard_socket
from pipeline.runtime.guard_socket import Line, LineLostError, Resolver, Target, target_of
from pipeline.wire.http_text import HttpAnswerText
from tests.fakes.tls_server import Certificate, make_certificate, tls_server

REQUEST = b"GET /api/v3/time HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b'{"serverTime":1}' + b" " * 40_000
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make a certificate with")
    return make_certificate(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """Let the guard believe the certificate, as it believes the system's."""
    context = ssl.create_default_context(cafile=str(certificate.chain))
    monkeypatch.setattr(guard_socket, "tls_context", lambda: context)
    return certificate


def line_to(target: Target) -> Line:
    address = Resolver(target).next_address()
    assert address is not None
    return Line(target, address)


def asked(port: int, host: str = "127.0.0.1") -> HttpAnswerText:
    """Ask once, as the guard's loop does; gives the answer."""
    target = target_of(f"https://{host}:{port}")
    line, sent, until_s = line_to(target), False, time.monotonic() + 10
    try:
        while time.monotonic() < until_s:
            answer = line.pump()
            if answer is not None:
                return answer
            if line.is_open and not sent:
                line.send(REQUEST)
                sent = True
    finally:
        line.close()
    raise AssertionError("no answer within 10 s")


def whole(connection: socket.socket, _request: bytes) -> None:
    for at in range(0, len(ANSWER), 9_000):
        connection.sendall(ANSWER[at : at + 9_000])
    connection.recv(1)  # leaves after the client


def test_a_venue_that_is_who_it_says_is_asked_and_heard_in_many_pieces(trusted: Certificate) -> None:
    with tls_server(trusted, whole) as served:
        answer = asked(served.port)
    assert (answer.status, answer.body) == (200, BODY)
    assert served.heard == [REQUEST]


def cut(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(ANSWER[:100])


def reset(connection: socket.socket, _request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def nonsense(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"SSH-2.0-x\r\n\r\n")
    connection.recv(1)


@pytest.mark.parametrize("answer", [cut, reset, nonsense])
def test_an_answer_that_breaks_off_is_a_lost_line(
    trusted: Certificate, answer: Callable[[socket.socket, bytes], None]
) -> None:
    with tls_server(trusted, answer) as served, pytest.raises(LineLostError):
        asked(served.port)
    assert served.heard == [REQUEST]


def test_a_certificate_nobody_trusts_is_told_nothing(certificate: Certificate) -> None:
    with tls_server(certificate, whole) as served, pytest.raises(LineLostError, match="SSLCertVerification"):
        asked(served.port)
    assert served.heard == []


@pytest.mark.usefixtures("certificate")
def test_a_certificate_of_another_host_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate(tmp_path, "DNS:api.example")
    context = ssl.create_default_context(cafile=str(other.chain))
    monkeypatch.setattr(guard_socket, "tls_context", lambda: context)
    with tls_server(other, whole) as served, pytest.raises(LineLostError, match="SSLCertVerification"):
        asked(served.port)
    assert served.heard == []


def test_a_server_in_the_clear_is_told_nothing_readable() -> None:
    with tls_server(None, whole) as served, pytest.raises(LineLostError):
        asked(served.port)
    assert not any(b"HTTP" in one for one in served.heard)


def test_the_systems_certificates_are_asked_for_and_the_host_is_checked() -> None:
    context = guard_socket.tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
