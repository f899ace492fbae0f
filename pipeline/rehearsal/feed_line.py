"""The way of market data to the session: delayed, cut, opened again; whole books are fetched by request."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from pipeline.core.inputs import FeedStatusChanged
from pipeline.runtime.live_run import LiveRun
from pipeline.sim.chance import Chance
from pipeline.sim.protocol.rest import HttpRequest
from pipeline.sim.protocol.venue import Session, SimVenue

_KINDS = ("depth@100ms", "bookTicker", "trade")
_MS = 1_000_000
_AGAIN_NS = 200 * _MS
_CHANNEL = "market:"


class FeedLine:
    """One connection to the streams at a time, for one run."""

    def __init__(
        self, venue: SimVenue, symbols: tuple[str, ...], chance: Chance, now_ns: Callable[[], int]
    ) -> None:
        self._symbols = symbols
        names = [f"{symbol.lower()}@{kind}" for symbol in symbols for kind in _KINDS]
        self._streams = f"streams={'/'.join(names)}"
        self.delay_ms = 0
        self.frozen = False
        """True while the process takes nothing."""
        self._venue = venue
        self._chance = chance
        self._now_ns = now_ns
        self._run: LiveRun | None = None
        self._epoch = 0
        self._session: Session | None = None
        self._opens_ns = 0
        self._cut = False
        self._frames: deque[tuple[int, bytes]] = deque()
        self._books: deque[tuple[int, str, int]] = deque()

    def attach(self, run: LiveRun) -> None:
        """Feed a run from now on."""
        self.detach()
        self._run, self._epoch, self._opens_ns = run, 0, self._now_ns()
        run.want_snapshot = self._want

    def detach(self) -> None:
        """Feed nobody: the process is gone."""
        self._run = None
        self._leave()

    def abort(self) -> None:
        """Cut the connection: the venue's doing."""
        self._cut = True

    def close(self, *_: object) -> None:
        """End the connection from the venue's side."""
        self._cut = True

    def send(self, frame: bytes) -> None:
        """Take a frame of the venue's."""
        last_ns = self._frames[-1][0] if self._frames else 0
        way_ns = self._chance.below(self.delay_ms + 1) * _MS if self.delay_ms else 0
        self._frames.append((max(last_ns, self._now_ns() + way_ns), frame))

    def move(self) -> None:
        """Let arrive what is due, open what is closed, fetch what is wanted."""
        run, now_ns = self._run, self._now_ns()
        if run is None or self.frozen:
            return
        if self._cut:
            self._leave()
            self._opens_ns = now_ns + self._chance.between(50, 400) * _MS
            run.status(FeedStatusChanged(_CHANNEL, False, self._epoch, "cut", run.now_ns))
        if self._session is None and now_ns >= self._opens_ns:
            self._open(run, now_ns)
        while self._books and self._books[0][0] <= now_ns:
            _, symbol, epoch = self._books.popleft()
            self._fetch(run, symbol, epoch, now_ns)
        while self._run is run and not self.frozen and self._frames and self._frames[0][0] <= now_ns:
            run.frame(self._frames.popleft()[1], run.now_ns, self._epoch)

    def strike(self) -> None:
        """Cut the connection."""
        self._cut = self._session is not None

    def _open(self, run: LiveRun, now_ns: int) -> None:
        self._epoch += 1
        self._session = self._venue.open(self, "/stream", self._streams, now_ns)
        run.status(FeedStatusChanged(_CHANNEL, True, self._epoch, "open", run.now_ns))

    def _leave(self) -> None:
        self._cut = False
        self._frames.clear()
        self._books.clear()
        if self._session is not None:
            self._venue.leave(self._session)
            self._session = None

    def _want(self, symbol: str, epoch: int) -> None:
        way_ns = self._chance.below(2 * self.delay_ms + 1) * _MS if self.delay_ms else 0
        self._books.append((self._now_ns() + way_ns, symbol, epoch))

    def _fetch(self, run: LiveRun, symbol: str, epoch: int, now_ns: int) -> None:
        request = HttpRequest("GET", "/api/v3/depth", f"symbol={symbol}&limit=100")
        answer = self._venue.http(request, now_ns)
        if answer is None or answer.status != 200:
            self._books.append((now_ns + _AGAIN_NS, symbol, epoch))
        else:
            run.frame(answer.body, run.now_ns, epoch, 1 + self._symbols.index(symbol))
