"""What the guard of a session must know, out of the session's own spec."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from pipeline.core.order import client_order_id
from pipeline.core.types import VenueMode
from pipeline.runtime.guard_params import GuardParams, GuardSettings
from pipeline.runtime.places import PlacesError, sentinel_path
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.venue_start import INSTALL_CHARACTERS

_OWN_SIM_MS = 3_000


def guard_params(spec: SessionSpec, settings: GuardSettings) -> GuardParams:
    """Give the guard's parameters; without orders at a venue it only watches.

    Ours are all orders of this installation, as the order path itself counts them: what an earlier session
    left is not to survive a kill either.
    """
    orders = spec.orders
    try:
        sentinel = str(sentinel_path())
    except PlacesError:
        sentinel = ""
    if orders is None:
        return GuardParams(spec.name, spec.symbols, sentinel=sentinel, settings=settings)
    return GuardParams(
        session=spec.name,
        symbols=spec.symbols,
        acts=True,
        venue=spec.venue,
        rest_url=orders.rest_url or rest_url_of(orders.api_url),
        key_path=orders.key_path,
        id_prefix=client_order_id(spec.params.session_number, 0)[:INSTALL_CHARACTERS],
        recv_window_ms=orders.recv_window_ms,
        sentinel=sentinel,
        settings=msgspec.structs.replace(settings, give_up_ms=_give_up_ms(spec, settings)),
    )


def rest_url_of(api_url: str) -> str:
    """Give the address of the REST API that belongs to a WebSocket API.

    >>> rest_url_of("wss://ws-api.binance.com:443/ws-api/v3")
    'https://api.binance.com:443'
    >>> rest_url_of("wss://ws-api.testnet.binance.vision/ws-api/v3")
    'https://testnet.binance.vision'
    >>> rest_url_of("ws://127.0.0.1:8080/ws-api/v3")
    'http://127.0.0.1:8080'
    """
    parts = urlsplit(api_url)
    scheme = "https" if parts.scheme == "wss" else "http"
    where = parts.netloc.removeprefix("ws-")
    return f"{scheme}://{where if where.startswith('api.binance.') else where.removeprefix('api.')}"


def _give_up_ms(spec: SessionSpec, settings: GuardSettings) -> int:
    """Never give up on real orders; an exchange that is the session's own child dies with it."""
    if spec.params.mode is not VenueMode.SIM:
        return 0
    return min(settings.give_up_ms, _OWN_SIM_MS) if spec.sim is not None else settings.give_up_ms
