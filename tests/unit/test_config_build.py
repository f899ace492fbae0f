"""What the core gets of the settings, exactly, and which limits apply in which mode."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.config import Config, ConfigError, build_engine_params
from app.config_build import practice_limits
from app.config_trading import LimitSettings
from pipeline.core.params import (
    MS,
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    PermitParams,
    SizingParams,
)
from pipeline.core.types import Authority, Fees, Instrument, SyncRule, VenueMode
from pipeline.runtime.pool_params import PoolParams

BTCUSDT = Instrument(
    venue="binance",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=8,
    tick_units=1_000_000,
    size_decimals=8,
    lot_units=1_000,
    min_notional_quote_e8=500_000_000,
    max_qty_lots=900_000_000,
    sync_rule=SyncRule.CONTIGUOUS,
    fees=Fees(1_000, 1_000, "assumed"),
)
ETHUSDT = replace(BTCUSDT, symbol="ETHUSDT", base="ETH", lot_units=10_000)
ETHBTC = replace(BTCUSDT, symbol="ETHBTC", base="ETH", quote="BTC")
E8 = 100_000_000


def limits(**changed: Decimal | int) -> LimitSettings:
    return LimitSettings.model_validate(
        {
            "max_qty_base": Decimal("0.1"),
            "max_notional_quote": 1_000,
            "max_position_quote": 2_000,
            "max_gross_quote": 3_000,
            "max_daily_loss_quote": 50,
            **changed,
        }
    )


def built(config: Config | None = None, mode: VenueMode = VenueMode.REPLAY) -> EngineParams:
    return build_engine_params(config or Config(), mode, None, [BTCUSDT], None)


def test_defaults_are_those_of_the_core() -> None:
    params = built()
    assert params.decision == DecisionParams()
    assert params.sizing == SizingParams()
    assert params.execution == ExecutionParams()
    assert params.permits == PermitParams()
    assert params.health == HealthParams()
    assert params.ring_depth == 64


def test_defaults_of_the_workers_are_those_of_the_pool() -> None:
    workers, pool = Config().workers, PoolParams()
    assert (workers.count, workers.spares, workers.ring_depth) == (pool.workers, pool.spares, pool.depth)
    assert workers.deadline_ms * MS == pool.deadline_ns
    assert workers.hang_ms * MS == pool.hang_ns
    assert (workers.restart_first_ms * MS, workers.restart_max_ms * MS) == (
        pool.backoff_ns,
        pool.backoff_max_ns,
    )


def test_account_opens_with_the_configured_balances_and_in_live_with_none() -> None:
    assert (built().home_base_e8, built().balance_quote_e8) == (10 * E8, 1_000_000 * E8)
    live = built(mode=VenueMode.LIVE)
    assert (live.home_base_e8, live.balance_quote_e8) == (0, 0)


@pytest.mark.parametrize("mode", [VenueMode.SIM, VenueMode.PAPER, VenueMode.REPLAY])
def test_symbol_without_limits_gets_the_practice_profile_outside_live(mode: VenueMode) -> None:
    got = built(mode=mode).limits["BTCUSDT"]
    assert got.profile == "practice"
    assert got.max_qty_lots == 5_000
    assert got.max_notional_quote_e8 == 5_000 * E8
    assert got.max_position_quote_e8 == 15_000 * E8
    assert got.max_gross_quote_e8 == 25_000 * E8
    assert got.max_daily_loss_quote_e8 == 400 * E8


def test_symbol_without_limits_cannot_trade_in_live() -> None:
    assert built(mode=VenueMode.LIVE).limits == {}


def test_practice_amounts_are_dollars_and_apply_to_no_other_quote() -> None:
    assert practice_limits(ETHBTC) is None


def test_practice_quantity_of_another_base_follows_the_reference_price() -> None:
    profile = practice_limits(ETHUSDT, reference_ticks=250_000)
    assert profile is not None
    assert profile.max_qty_lots == 20_000, "5,000 at 2,500.00 is 2 ETH of 0.0001"


def test_practice_quantity_without_a_reference_price_is_the_venues() -> None:
    profile = practice_limits(ETHUSDT)
    assert profile is not None
    assert profile.max_qty_lots == ETHUSDT.max_qty_lots


def test_written_limits_replace_the_practice_profile_in_every_mode() -> None:
    config = Config(limits={"BTCUSDT": limits(collar_mid_bps=Decimal("12.5"), throttle_window_s=7)})
    for mode in VenueMode:
        got = built(config, mode).limits["BTCUSDT"]
        assert (got.profile, got.max_qty_lots) == ("configuration", 10_000)
        assert got.collar_mid_e6 == 1_250
        assert got.throttle_window_ns == 7_000_000_000
        assert got.max_daily_loss_quote_e8 == 50 * E8


@pytest.mark.parametrize("quantity", ["0.100001", "0.000001"])
def test_quantity_off_the_lot_is_refused(quantity: str) -> None:
    config = Config(limits={"BTCUSDT": limits(max_qty_base=Decimal(quantity))})
    with pytest.raises(
        ConfigError, match="limits.BTCUSDT.max_qty_base: found 0.*multiple of the lot 0.00001"
    ):
        built(config)


def test_authority_asked_for_stands_above_the_configured_one() -> None:
    config = Config.model_validate({"session": {"authority": "observe"}})
    assert built(config).authority is Authority.OBSERVE
    asked = build_engine_params(config, VenueMode.PAPER, Authority.AUTO, [BTCUSDT], None)
    assert asked.authority is Authority.AUTO


def test_start_authority_is_approve_and_in_live_always_observe() -> None:
    assert built().authority is Authority.APPROVE
    config = Config.model_validate({"session": {"authority": "auto"}})
    assert built(config, VenueMode.LIVE).authority is Authority.OBSERVE


def test_fees_option_replaces_the_fees_of_every_instrument() -> None:
    none = Fees(0, 0, "option")
    params = build_engine_params(Config(), VenueMode.REPLAY, None, [BTCUSDT, ETHUSDT], None, none)
    assert [one.fees for one in params.instruments] == [none, none]
    assert built().instruments[0].fees == BTCUSDT.fees


def test_what_is_not_proven_trades_outside_live_alone_unless_written() -> None:
    assert built().watch.trade_unproven
    assert not built(mode=VenueMode.LIVE).watch.trade_unproven
    written = Config.model_validate({"watch": {"before_proof": "trade"}})
    assert built(written, VenueMode.LIVE).watch.trade_unproven
    reduce = Config.model_validate({"watch": {"before_proof": "reduce"}})
    assert not built(reduce).watch.trade_unproven


CHANGES = [
    (section, key)
    for section in ("decision", "sizing", "execution", "permits", "health", "watch")
    for key in type(getattr(Config(), section)).model_fields
]


def changed(section: str, key: str) -> dict[str, dict[str, object]]:
    """Give a configuration in which one setting is another legal value."""
    now = getattr(getattr(Config(), section), key)
    match now:
        case str():
            other = {"linear": "power", "passive": "cross", "shown": "applied", "imbalance": "none"}
            return {section: {key: other[now]}}
        case None:
            return {section: {key: "reduce"}}
        case int():
            return {section: {key: now + 1}}
        case _:
            return {section: {key: now - Decimal("0.01") if now else Decimal("0.01")}}


@pytest.mark.parametrize(("section", "key"), CHANGES, ids=[".".join(one) for one in CHANGES])
def test_every_setting_of_the_core_reaches_it(section: str, key: str) -> None:
    assert built(Config.model_validate(changed(section, key))).digest() != built().digest()


@pytest.mark.parametrize("part", ["decision", "sizing", "execution", "permits", "health", "watch"])
def test_every_parameter_of_the_core_can_be_set(part: str) -> None:
    default = getattr(built(), part)
    one_changed = [
        getattr(built(Config.model_validate(changed(*one))), part)
        for one in [*CHANGES, ("workers", "deadline_ms")]
    ]
    for field in default.__struct_fields__:
        assert any(getattr(other, field) != getattr(default, field) for other in one_changed), field


@pytest.mark.parametrize("key", list(LimitSettings.model_fields))
def test_every_limit_reaches_the_core(key: str) -> None:
    before = built(Config(limits={"BTCUSDT": limits()}))
    value = getattr(limits(), key)
    after = built(
        Config(limits={"BTCUSDT": limits(**{key: value * 2 if key == "max_gross_quote" else value + 1})})
    )
    assert after.limits != before.limits
