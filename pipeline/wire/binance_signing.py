"""Binance's HMAC signatures: which text is signed, and how (VENUES 1.5). Pure; client and venue use it.

Nothing here is ever to be logged: payloads, keys and signatures are secrets.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import quote

SIGNATURE = "signature"


def signature(secret: str, payload: str) -> str:
    """Give the HMAC-SHA256 of a payload as 64 lower case hex digits.

    >>> signature("key", "The quick brown fox jumps over the lazy dog")[:16]
    'f7bc83f430538424'
    """
    return hmac.new(secret.encode(), payload.encode(), "sha256").hexdigest()


def is_signed(secret: str, payload: str, given: str) -> bool:
    """Say whether `given` is the payload's signature, in a time that does not tell how nearly."""
    return hmac.compare_digest(signature(secret, payload).encode(), given.lower().encode())


def api_payload(params: Mapping[str, str]) -> str:
    """Give what a WebSocket-API request signs: every parameter but the signature, sorted, not encoded.

    Values are the texts of their JSON: numbers as printed, strings without quotes.

    >>> api_payload({"timestamp": "1", "apiKey": "k", "signature": "left out"})
    'apiKey=k&timestamp=1'
    """
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != SIGNATURE)


def rest_query(params: Mapping[str, str]) -> str:
    """Give parameters percent-encoded in their order, as a REST query or body; this text is what is signed.

    >>> rest_query({"symbol": "币BTC", "price": "0.1"})
    'symbol=%E5%B8%81BTC&price=0.1'
    """
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items())


def signed_query(secret: str, params: Mapping[str, str]) -> str:
    """Give the REST query or body of a signed request: `rest_query` with its signature at the end."""
    query = rest_query(params)
    return f"{query}&{SIGNATURE}={signature(secret, query)}"


def signed_params(secret: str, params: Mapping[str, str | int]) -> dict[str, str | int]:
    """Give the parameters of a signed WebSocket-API request: themselves and their signature."""
    texts = {name: _text(value) for name, value in params.items()}
    return {**params, SIGNATURE: signature(secret, api_payload(texts))}


def _text(value: str | int) -> str:
    """Give a value as its JSON prints it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
