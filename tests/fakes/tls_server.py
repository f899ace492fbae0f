"""A venue's REST side over TLS on loopback, with a certificate made for the test."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that signed itself, and its key."""

    chain: Path
    key: Path


def make_certificate(folder: Path, name: str) -> Certificate:
    """Make one for `DNS:HOST` or `IP:ADDRESS`, valid for a day."""
    made = Certificate(folder / "chain.pem", folder / "key.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    names = ["-days", "1", "-subj", "/CN=test", "-addext", f"subjectAltName={name}"]
    files = ["-keyout", str(made.key), "-out", str(made.chain)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True, timeout=20)
    return made


@dataclass
class Served:
    """What a server was told."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def tls_server(
    certificate: Certificate | None, answer: Callable[[socket.socket, bytes], None]
) -> Iterator[Served]:
    """Serve requests one by one, each on a connection of its own; in the clear without a certificate."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
    listener = socket.create_server(("127.0.0.1", 0))
    served = Served(listener.getsockname()[1])
    thread = threading.Thread(target=_serve, args=(listener, context, answer, served), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


def _serve(
    listener: socket.socket,
    context: ssl.SSLContext | None,
    answer: Callable[[socket.socket, bytes], None],
    served: Served,
) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with plain, suppress(OSError):
            plain.settimeout(10)
            connection = plain if context is None else context.wrap_socket(plain, server_side=True)
            with connection:
                request = connection.recv(65_536)
                served.heard.append(request)
                answer(connection, request)
