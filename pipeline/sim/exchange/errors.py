"""What the venue says no with: Binance's codes and texts (VENUES 1.9)."""

from __future__ import annotations

BAD_REQUEST = 400
UNAUTHORISED = 401
TOO_MANY = 429
BANNED = 418


class VenueError(Exception):
    """A request the venue refuses; the caller turns it into the protocol's error answer."""

    def __init__(self, code: int, message: str, status: int = BAD_REQUEST, retry_after_ns: int = 0) -> None:
        """Refuse with a negative code; `retry_after_ns` is when asking again makes sense, 0 for no word."""
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_ns = retry_after_ns


def missing(name: str) -> VenueError:
    """Give the refusal of a request without a mandatory parameter, or with one of another form."""
    return VenueError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def filter_failure(name: str) -> VenueError:
    """Give the refusal of an order that breaks a filter of the symbol."""
    return VenueError(-1013, f"Filter failure: {name}")


def rejected(text: str) -> VenueError:
    """Give the refusal of a well-formed new order; the text is what tells the reasons apart."""
    return VenueError(-2010, text)


DUPLICATE = "Duplicate order sent."
NO_BALANCE = "Account has insufficient balance for requested action."
WOULD_TAKE = "Order would immediately match and take."
MARKET_CLOSED = "Market is closed."
UNKNOWN_CANCEL = "Unknown order sent."
NO_SUCH_ORDER = "Order does not exist."
