"""Realistic `ConsoleSnapshot`s for drawing tests: a small deterministic market and the situations of a
session.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from pipeline.core.snapshot import (
    NONE_E6,
    AlertView,
    ChainView,
    ChartView,
    ConsoleSnapshot,
    CountsView,
    DecileView,
    DriftView,
    FateView,
    FeatureRow,
    HeaderView,
    ImbalanceView,
    InstrumentView,
    KillView,
    LadderView,
    LimitRow,
    ModelView,
    OrderView,
    PermitView,
    PositionView,
    ProposalView,
    RecordView,
    ReplayView,
    ScoreView,
    SkillView,
    StageView,
    TapeView,
    WatchView,
    WhyView,
    WorkerView,
)
from pipeline.core.types import (
    Authority,
    BookState,
    OrderState,
    Severity,
    Side,
    TradingState,
    VenueMode,
    WorkerState,
)

START_NS = 1_795_425_067_000_000_000
"""2026-11-23, 09:11:07 UTC."""
FRAME_NS = 100_000_000
E8 = 100_000_000

SPOT = InstrumentView("binance-spot", "BTCUSDT", "BTC", "USDT", 2, 1, 5, 1, 5)
PERP = InstrumentView("binance", "BTCUSDT", "BTC", "USDT", 1, 1, 3, 1, 3)
TINY = InstrumentView("binance-spot", "PEPEUSDT", "PEPE", "USDT", 8, 1, 2, 100, 0)
"""Ticks of 1e-8 at a price of 1e-5, whole lots."""


@dataclass
class FakeMarket:
    """A walking book: the same seed gives the same frames."""

    view: InstrumentView = PERP
    mid_ticks: int = 642_100
    seed: int = 7
    rng: Random = field(init=False)
    frame: int = 0
    path: list[int] = field(default_factory=list)
    score_path: list[int] = field(default_factory=list)
    prints: list[tuple[int, int, int, int]] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    score: float = 0.0

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self.bid = self.mid_ticks
        self.frame = -2_420
        for _ in range(2_420):
            self.step()

    @property
    def ts_ns(self) -> int:
        return START_NS + self.frame * FRAME_NS

    def step(self, moves: int = 8, touch_moves: float = 0.30) -> None:
        """Go on by one frame: a few sizes change, sometimes the touch moves, sometimes somebody trades."""
        self.frame += 1
        draw = self.rng.random()
        if draw < touch_moves:
            self.bid += self.rng.choice((-7, -4, -2, -1, 1, 2, 4, 7)) + int(4 * math.sin(self.frame / 90))
        for _ in range(moves):
            self.sizes[self.bid + self.rng.randint(-160, 160)] = self.rng.randint(1, 900)
        if len(self.sizes) > 700:
            self.sizes = {p: s for p, s in self.sizes.items() if abs(p - self.bid) < 400}
        self.score += 0.08 * (0.7 * math.sin(self.frame / 47) - self.score) + self.rng.uniform(-0.05, 0.05)
        if self.frame % 5 in (0, 3):
            self.path = [*self.path, 2 * self.bid + 1][-240:]
            self.score_path = [*self.score_path, int(self.score * 1e6)][-240:]
        if draw < touch_moves + 0.05:
            side = self.rng.choice((1, -1))
            price = self.bid + 1 if side > 0 else self.bid
            size = self.rng.choice((4, 12, 20, 45, 110, 300, 1_530))
            self.prints = [(self.ts_ns - 3_000_000, side, price, size), *self.prints][:40]

    def ladder(self) -> LadderView:
        def level(price: int) -> tuple[int, int]:
            return price, self.sizes.get(price, 40 + (price * 7919) % 311)

        return LadderView(
            state=BookState.SYNCED,
            age_ms=3 + self.frame % 5,
            bids=tuple(level(self.bid - i) for i in range(200)),
            asks=tuple(level(self.bid + 1 + i) for i in range(200)),
            mine=((self.bid - 14, 10, "ACCEPTED", "c88"), (self.bid + 33, -10, "PENDING_CANCEL", "c87")),
            last_price_ticks=self.prints[0][2],
            last_side=self.prints[0][1],
            range_10s_ticks=130,
            mid_half_ticks=2 * self.bid + 1,
            gaps=0,
            last_gap_age_ms=-1,
        )


def header(mode: VenueMode = VenueMode.SIM) -> HeaderView:
    return HeaderView(
        mode=mode,
        authority=Authority.APPROVE,
        trading_state=TradingState.ACTIVE,
        session="sim-btcusdt-1",
        operator="ada",
        controllers=1,
        model="ob26-logit@9f2c51aa",
        gate_open=True,
        gate_closers=(),
        position_lots=20,
        day_quote_e8=-104_000_000,
        loss_used_e6=26_000,
        loss_limit_quote_e8=40 * E8,
        gross_quote_e8=1_284 * E8,
        unmanaged_lots=0,
        alerts_unnoted=0,
        window="",
        limits_profile="practice",
        replay=None,
    )


def proposal(idea_id: int = 91, side: Side = Side.BUY, market: FakeMarket | None = None) -> ProposalView:
    touch = market.bid if market is not None else 642_100
    return ProposalView(
        idea_id=idea_id,
        revision=2,
        symbol="BTCUSDT",
        side=side,
        qty_lots=10,
        notional_quote_e8=642 * E8,
        worst_ticks=touch,
        passive=True,
        score_e6=550_000 * side,
        entry_e6=240_000,
        leave_e6=120_000,
        p_up_e6=670_000,
        p_flat_e6=210_000,
        p_down_e6=120_000,
        edge_e6=140,
        cost_e6=90,
        net_e6=50,
        net_quote_e8=3_200_000,
        after_lots=30 * side,
        worst_case_lots=40 * side,
        worst_share_e6=860_000,
        life_ms=10_000,
        offer_left_ms=6_000,
        armed=True,
        exit_after_ms=30_000,
        exit_rest_ms=5_000,
        collar_e6=300,
        model="ob26-logit@9f2c51aa",
        horizon_ms=1_000,
        row_age_ms=4,
        live=True,
        content_hash=f"9f2c51aa{idea_id:08}",
    )


def flipped() -> ProposalView:
    """Give a card to buy while the model expects a fall."""
    return replace(
        proposal(),
        score_e6=-550_000,
        p_up_e6=120_000,
        p_down_e6=670_000,
        edge_e6=-140,
        net_e6=-230,
        net_quote_e8=-14_700_000,
        live=False,
        waits_for="OTHER_SIDE",
    )


def permits() -> tuple[PermitView, ...]:
    return (
        PermitView(6, "one-shot", 90, "ada", 1, 10, 642_080, 0, 1, 0, "ended", "TIME", True),
        PermitView(7, "one-shot", 91, "ada", 1, 10, 642_100, 0, 1, 7_200, "waiting", "PRICE_ABOVE", True),
        PermitView(5, "one-shot", 88, "ada", 1, 10, 642_090, 1, 1, 0, "used", "", True),
    )


def order(number: int, state: OrderState, side: Side, price: int, **changes: object) -> OrderView:
    view = OrderView(
        number=number,
        client_order_id=f"t000001a{number:08d}",
        state=state,
        symbol="BTCUSDT",
        side=side,
        qty_lots=10,
        filled_lots=0,
        price_ticks=price,
        avg_half_ticks=0,
        post_only=True,
        queue_ahead_units=-1,
        age_ms=12_000,
        ack_us=9_100,
        origin="MODEL",
        reason="",
        permit_id=5,
    )
    return replace(view, **changes)


def orders(bid: int = 642_100) -> tuple[OrderView, ...]:
    return (
        order(88, OrderState.ACCEPTED, Side.BUY, bid - 14, queue_ahead_units=3_100),
        order(87, OrderState.PENDING_CANCEL, Side.SELL, bid + 33, age_ms=80),
        order(
            85, OrderState.FILLED, Side.BUY, 641_984, filled_lots=10, avg_half_ticks=1_283_969, age_ms=76_000
        ),
        order(84, OrderState.DENIED, Side.BUY, 642_110, qty_lots=30, reason="MAX_POSITION", ack_us=-1),
        order(83, OrderState.CANCELED, Side.BUY, 642_050, age_ms=121_000),
    )


def every_order_state(bid: int = 642_100) -> tuple[OrderView, ...]:
    return tuple(
        order(40 - place, state, Side.SELL if place % 2 else Side.BUY, bid + place, reason="RATE_NEW")
        for place, state in enumerate(OrderState)
    )


def alerts(ts_ns: int = START_NS) -> tuple[AlertView, ...]:
    second = 1_000_000_000
    return (
        AlertView(
            4,
            ts_ns - 2 * second,
            "ORDER_DENIED",
            Severity.INFO,
            "BTCUSDT",
            "MAX_POSITION",
            (30, 3_853 * E8, 3_000 * E8),
            "",
        ),
        AlertView(
            3, ts_ns - 147 * second, "PREDICTION_LATE", Severity.WARN, "BTCUSDT", "", (52_000,), "ada", 2
        ),
        AlertView(
            2, ts_ns - 300 * second, "ORDER_FILLED", Severity.INFO, "BTCUSDT", "c85", (10, 641_984), ""
        ),
        AlertView(
            1, ts_ns - 667 * second, "SESSION_STARTED", Severity.INFO, "", "41c09a7be2d05f13", (1, 1), ""
        ),
    )


def chain(stopped: str = "") -> ChainView:
    names = (
        ("feed", 900),
        ("book", 980),
        ("features", 1_400),
        ("model", 2_600),
        ("decide", 2_900),
        ("order", 9_100),
    )
    return ChainView(
        stages=tuple(StageView(name, delay, delay, delay * 3, True) for name, delay in names),
        slowest="order",
        stopped=stopped,
        workers=(
            WorkerView(0, 4_211, WorkerState.READY, 18_204, 0, 0, 0, 88.0, 240.0, 61.0, 12),
            WorkerView(1, 4_212, WorkerState.BUSY, 18_190, 1, 1, 1, 91.0, 310.0, 61.0, 4),
        ),
        workers_ready=2,
        conflated=0,
        late=1,
        void=0,
        feed_up=True,
        loop_lag_us=310,
        clock_offset_ms=-2,
        journal_ok=True,
        rss_mb=118.0,
        guard="ok",
    )


def limits() -> tuple[LimitRow, ...]:
    return (
        LimitRow("order quantity", "0.050 BTC", "0.010 BTC", 200_000),
        LimitRow("position value", "3,000 USDT", "1,284 USDT", 428_000),
        LimitRow("daily loss", "40.00 USDT", "1.04 USDT", 26_000),
        LimitRow("new orders a second", "5", "5", 1_000_000),
    )


def model() -> ModelView:
    names = ("qi_1", "qi_5", "qi_10", "ofi_1s", "ofi_5s", "tfi_1s", "micro_dev", "spread", "rv_10s", "mom_1s")
    features = tuple(
        FeatureRow(name, (place * 137_211) % 900_000 - 400_000, name != "rv_10s", "ratio")
        for place, name in enumerate(names)
    )
    return ModelView("ob26-logit", "9f2c51aa", 3, "a41b77c0", 1_000, features, watch(names))


def watch(names: tuple[str, ...]) -> WatchView:
    """A proven model that queue imbalance equals, beside a shadow that is not proven yet."""
    return WatchView(
        source="MODEL",
        records=(record("live", "PROVEN", "NOT_PROVEN", 143_000), record("shadow", "GATHERING", "GATHERING")),
        deciles=tuple(
            DecileView(200, 95_000 * place + 60_000, 90_000 * place + 90_000, 550_000, 30 * abs(place - 5))
            for place in range(10)
        ),
        drift=tuple(DriftView(name, 1_780_000 // (place + 1)) for place, name in enumerate(names)),
        fates=(
            FateView("PERMITTED", 3, 667_000, 41),
            FateView("DECLINED", 2, 500_000, -12),
            FateView("LAPSED", 11, 545_000, 8),
            FateView("WITHDRAWN", 0, NONE_E6, NONE_E6),
        ),
        cost_e6=2_000,
        tempered=False,
    )


def record(role: str, constant: str, imbalance: str, skill_e6: int = NONE_E6) -> RecordView:
    known = skill_e6 != NONE_E6
    numbers = (skill_e6, skill_e6 - 40_000, skill_e6 + 40_000) if known else (NONE_E6,) * 3
    against = (4_000, -9_000, 17_000) if known else (NONE_E6,) * 3
    return RecordView(
        name="ob26-logit" if known else "ob27-mlp",
        model_id="9f2c51aa" if known else "77c0de12",
        generation=3 if known else 4,
        role=role,
        file="version 2, approved for shadow paper" if known else "version 1, approved for shadow",
        gate_open=True,
        rows=5_231 if known else 240,
        moved_e6=531_000,
        said_e6=NONE_E6 if known else 498_000,
        calls=1_412 if known else 87,
        least_calls=200,
        skills=(
            SkillView("constant", constant, *numbers, *numbers),
            SkillView("imbalance", imbalance, *against, *against),
        ),
        brier_e6=177_500,
        ece_e6=24_100,
        bias_e6=-3_200,
        temperature_e6=1_100_000,
        unanswered=3 if known else 0,
        void=12 if known else 0,
        restored=0,
    )


def why() -> WhyView:
    return WhyView(
        decisions=612,
        past_entry=88,
        pays=14,
        offered=3,
        permitted=1,
        declined=1,
        lapsed=1,
        sent=1,
        stopped=(("SCORE_BELOW_ENTRY", 524), ("EDGE_BELOW_COST", 74)),
        score_e6=550_000,
        entry_e6=240_000,
        gross_edge_e6=140,
        cost_e6=90,
        net_edge_e6=50,
        maker_e6=0,
        taker_e6=100,
        fee_source="sim venue",
        p_star_maker_e6=730_000,
        p_star_taker_e6=1_200_000,
        planted=True,
    )


def position() -> PositionView:
    return PositionView(
        lots=20,
        avg_price_e8=64_198_40000000,
        notional_quote_e8=1_284 * E8,
        limit_share_e6=428_000,
        open_quote_e8=23_000_000,
        exit_fee_quote_e8=12_800_000,
        closed_quote_e8=-108_000_000,
        fees_quote_e8=19_000_000,
        day_quote_e8=-104_000_000,
        loss_limit_quote_e8=40 * E8,
        loss_used_e6=26_000,
        drawdown_quote_e8=181_000_000,
        fills=14,
        maker_share_e6=790_000,
        worst_case_lots=40,
        after_1s_e6=-30,
        after_10s_e6=-60,
        home_base_e8=10 * E8,
        exit_resting=False,
    )


def make_snapshot(market: FakeMarket | None = None) -> ConsoleSnapshot:
    """Give an ordinary moment of a simulated session: a book, a position, a card, orders, alerts."""
    market = market if market is not None else FakeMarket()
    score = int(market.score * 1e6)
    p_up = 400_000 + score // 2
    return ConsoleSnapshot(
        seq=market.frame + 1,
        ts_ns=market.ts_ns,
        instrument=market.view,
        symbols=(market.view.symbol,),
        header=header(),
        kill=None,
        ladder=market.ladder(),
        chart=ChartView(tuple(market.path), ((60, 10, 642_090), (150, -10, 642_120), (190, 10, 642_080)), 1),
        score=ScoreView(
            p_up_e6=p_up,
            p_flat_e6=200_000,
            p_down_e6=800_000 - p_up,
            score_e6=score,
            entry_e6=240_000,
            leave_e6=120_000,
            age_ms=4,
            ready=True,
            not_ready=(),
            horizon_ms=1_000,
            path_e6=tuple(market.score_path),
            came_true="++-+.++-..+-",
        ),
        imbalance=ImbalanceView(
            qi_1_e6=score * 2 // 3,
            qi_5_e6=score // 3,
            qi_10_e6=score // 6,
            dwi_e6=score // 4,
            micro_dev_e6=score // 2,
            ofi_1s_e6=score * 12,
            ofi_5s_e6=score * 5,
            tfi_1s_e6=-score // 5,
            age_ms=4,
        ),
        why=why(),
        proposals=(proposal(market=market),),
        permits=permits(),
        snoozed=(),
        orders=orders(market.bid),
        counts=CountsView(31, 14, 15, 0, 2, 0, 1, 1_100, 6_200),
        position=position(),
        tape=TapeView(tuple(market.prints), 1_000),
        alerts=alerts(market.ts_ns),
        chain=chain(),
        limits=limits(),
        model=model(),
    )


def stale_snapshot() -> ConsoleSnapshot:
    """Give a moment with a stale book: sizes must vanish, proposals are withdrawn, the chain stops."""
    snapshot = make_snapshot()
    return replace(
        snapshot,
        ladder=replace(snapshot.ladder, state=BookState.STALE, age_ms=3_240),
        score=replace(snapshot.score, ready=False, not_ready=("qi_1", "ofi_1s")),
        imbalance=ImbalanceView(*(NONE_E6,) * 8, age_ms=3_240),
        proposals=(),
        chain=replace(chain("BOOK_NOT_OK"), feed_up=False),
        alerts=(
            AlertView(5, snapshot.ts_ns, "BOOK_STALE", Severity.CRITICAL, "BTCUSDT", "", (0,), ""),
            *snapshot.alerts,
        ),
        header=replace(snapshot.header, alerts_unnoted=1),
    )


def empty_snapshot() -> ConsoleSnapshot:
    """Give the first moment of a session: nothing has been received, there is no model."""
    snapshot = make_snapshot()
    nothing = replace(
        snapshot.header,
        model="",
        position_lots=0,
        day_quote_e8=0,
        gross_quote_e8=0,
        loss_used_e6=0,
        alerts_unnoted=0,
    )
    return replace(
        snapshot,
        header=nothing,
        ladder=LadderView(BookState.EMPTY, -1, (), (), (), 0, 0, 0, 0, 0, -1),
        chart=ChartView((), (), 0),
        score=ScoreView(0, 0, 0, 0, 240_000, 120_000, -1, False, (), 0, (), ""),
        imbalance=ImbalanceView(*(NONE_E6,) * 8, age_ms=-1),
        why=WhyView(*(0,) * 8, (), 0, 240_000, 0, 0, 0, 1_000, 1_000, "assumed", 1_200_000, 1_200_000, False),
        proposals=(),
        permits=(),
        orders=(),
        counts=CountsView(0, 0, 0, 0, 0, 0, 0, -1, -1),
        position=PositionView(0, 0, 0, 0, 0, 0, 0, 0, 0, 40 * E8, 0, 0, 0, -1, 0, NONE_E6, NONE_E6, 0, False),
        tape=TapeView((), 0),
        alerts=(),
        chain=replace(
            chain("BOOK_NOT_OK"),
            stages=tuple(StageView(stage.name, -1, -1, -1, True) for stage in chain().stages),
            slowest="",
            workers=(),
            workers_ready=0,
            guard="none",
        ),
        limits=(),
        model=None,
    )


def killed_snapshot(confirmed: bool = False) -> ConsoleSnapshot:
    """Give a kill in progress, or one whose cancels the venue has confirmed."""
    snapshot = make_snapshot()
    kill = KillView(
        latched=True,
        who="ada",
        reason="console key",
        ts_ns=snapshot.ts_ns - 900_000_000,
        ours_total=7,
        cancels_sent=7,
        gone=7 if confirmed else 5,
        filled_late=0 if confirmed else 1,
        unknown=0 if confirmed else 1,
        position_lots=20,
        position_quote_e8=1_284 * E8,
        confirmed_ts_ns=snapshot.ts_ns - 200_000_000 if confirmed else 0,
    )
    return replace(
        snapshot,
        kill=kill,
        proposals=(),
        permits=(replace(permits()[1], state="ended", left_ms=0, why="KILLED"),),
        header=replace(
            snapshot.header,
            trading_state=TradingState.KILLED,
            authority=Authority.OBSERVE,
            gate_open=False,
            gate_closers=("console",),
            alerts_unnoted=1,
        ),
        chain=chain("KILLED"),
    )


def many_ideas_snapshot(count: int = 4) -> ConsoleSnapshot:
    """Give several cards at once, one of them of another symbol."""
    snapshot = make_snapshot()
    cards = [proposal(91 + place, Side.SELL if place % 2 else Side.BUY) for place in range(count)]
    cards[-1] = replace(cards[-1], symbol="ETHUSDT")
    return replace(snapshot, proposals=tuple(cards))


def live_snapshot() -> ConsoleSnapshot:
    """Give a moment with real money, an open window permit and a position nobody manages."""
    snapshot = make_snapshot()
    live = replace(
        snapshot.header,
        mode=VenueMode.LIVE,
        window="both 3:41 12/20",
        unmanaged_lots=20,
        limits_profile="limits.toml",
        session="live-btcusdt-1",
    )
    window = PermitView(8, "window", 0, "ada", 0, 10, 0, 12, 20, 221_000, "open", "", True)
    return replace(
        snapshot, header=live, permits=(window, *snapshot.permits), why=replace(snapshot.why, planted=False)
    )


def replay_snapshot(market: FakeMarket | None = None) -> ConsoleSnapshot:
    """Give a replayed capture on its way."""
    snapshot = make_snapshot(market)
    replay = ReplayView("btcusdt_20260105.gz", 1.0, False, False, 42_000, 600_000)
    return replace(
        snapshot,
        header=replace(snapshot.header, mode=VenueMode.REPLAY, replay=replay, session="replay-btcusdt-1"),
        why=replace(snapshot.why, planted=False),
    )
