"""All settings a person can write: those of the session and its machinery, and `Config`, which holds all.

Those of trading are in `config_trading.py`, of guard and access in `config_safety.py`, kinds of numbers in
`config_fields.py`. How files and variables become a `Config` is in `config.py`, what the core gets of it in
`config_build.py`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.config_fields import (
    Amount,
    Milliseconds,
    Section,
    ServerUrl,
    Symbol,
    Whole,
    require,
)
from app.config_journal import JournalSettings
from app.config_safety import AccessSettings, GuardSection
from app.config_trading import (
    DecisionSettings,
    ExecutionSettings,
    LimitSettings,
    PermitSettings,
    SizingSettings,
    WatchSettings,
)

ENVIRONMENT_PREFIX = "LOBDECK_"


class SessionSettings(Section):
    """How a session starts and ends."""

    authority: Literal["observe", "approve", "auto"] | None = Field(
        default=None,
        examples=["approve"],
        description="What the machine may do at the start: observe, approve or auto. Unset: approve. "
        "LIVE always starts in observe.",
    )
    linger_s: Annotated[Whole, Field(ge=0, le=86_400)] = Field(
        default=60,
        description="A session nobody watches ends after this, unless it was detached; 0 never ends it.",
    )
    journal_segment_mb: Annotated[Whole, Field(ge=1, le=4_096)] = Field(
        default=64, description="Size of one journal segment; it is preallocated."
    )
    home_base: Amount = Field(
        default=Decimal(10), description="Base currency the SIM, PAPER or REPLAY account opens with."
    )
    balance_quote: Amount = Field(
        default=Decimal(1_000_000), description="Quote currency the SIM, PAPER or REPLAY account opens with."
    )


class HealthSettings(Section):
    """When a slow or silent part is reported, and when it takes authority away."""

    stale_after_ms: Milliseconds = Field(default=2_000, description="A book silent for this long is STALE.")
    latency_warn_ms: Milliseconds = Field(
        default=20, description="Delay from receive to decision that warns."
    )
    latency_degrade_ms: Milliseconds = Field(default=200, description="Delay that lowers the authority.")
    loop_lag_warn_ms: Milliseconds = Field(default=100, description="Lag of the session's loop that warns.")
    loop_lag_halt_ms: Milliseconds = Field(default=500, description="Lag of the session's loop that halts.")
    clock_warn_ms: Milliseconds = Field(default=50, description="Offset from the venue's clock that warns.")
    clock_halt_ms: Milliseconds = Field(default=500, description="Offset that stops new orders.")
    locked_grace_ms: Milliseconds = Field(
        default=100, description="How long best bid and ask may be equal before the book counts as crossed."
    )
    memory_warn_mb: Annotated[Whole, Field(ge=64, le=1_048_576)] = Field(
        default=1_024, description="Memory of the session that warns."
    )
    memory_halt_mb: Annotated[Whole, Field(ge=64, le=1_048_576)] = Field(
        default=4_096, description="Memory of the session that halts."
    )
    disk_warn_percent: Annotated[Whole, Field(ge=1, le=50)] = Field(
        default=5, description="Free share of the journal's disk below which it warns."
    )
    disk_halt_percent: Annotated[Whole, Field(ge=0, le=50)] = Field(
        default=2, description="Free share of the journal's disk that halts."
    )
    files_warn_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=80, description="Share of the open files allowed that warns."
    )
    files_halt_percent: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=95, description="Share of the open files allowed that halts."
    )
    misses_warn_percent: Annotated[Whole, Field(ge=1, le=101)] = Field(
        default=60, description="Share of the model's last 50 calls that were wrong, that warns."
    )
    misses_degrade_percent: Annotated[Whole, Field(ge=1, le=101)] = Field(
        default=70, description="Share of wrong calls that lowers AUTO to APPROVE; 101 never does."
    )
    bad_answers: Annotated[Whole, Field(ge=1, le=1_000)] = Field(
        default=3, description="Bad answers within ten seconds that stop the model."
    )
    frozen_rows: Annotated[Whole, Field(ge=2, le=1_000_000_000)] = Field(
        default=500, description="Equal answers in a row, while the market moved, that stop the model."
    )
    feed_lag_warn_ms: Milliseconds = Field(
        default=100, description="How much later than usual news comes before it warns."
    )
    feed_lag_halt_ms: Milliseconds = Field(
        default=250, description="How much later than usual news comes before new orders are held back."
    )

    @model_validator(mode="after")
    def _warn_before_acting(self) -> HealthSettings:
        for warn, act in (
            ("latency_warn_ms", "latency_degrade_ms"),
            ("loop_lag_warn_ms", "loop_lag_halt_ms"),
            ("clock_warn_ms", "clock_halt_ms"),
            ("memory_warn_mb", "memory_halt_mb"),
            ("files_warn_percent", "files_halt_percent"),
            ("misses_warn_percent", "misses_degrade_percent"),
            ("disk_halt_percent", "disk_warn_percent"),
            ("feed_lag_warn_ms", "feed_lag_halt_ms"),
        ):
            limit = getattr(self, act)
            require(getattr(self, warn) <= limit, f"{warn} at most {act} ({limit})")
        return self


class WorkerSettings(Section):
    """The inference processes."""

    count: Annotated[Whole, Field(ge=1, le=64)] = Field(default=2, description="Worker processes.")
    spares: Annotated[Whole, Field(ge=0, le=8)] = Field(
        default=1, description="Warm processes that take over at once; each costs about 60 MB."
    )
    ring_depth: Annotated[Whole, Field(ge=1, le=4_096)] = Field(
        default=64,
        description="Rows a worker's queue holds, a power of two; deeper means older answers, not more.",
    )
    deadline_ms: Milliseconds = Field(default=50, description="An answer later than this is dropped.")
    hang_ms: Milliseconds = Field(
        default=400, description="A worker silent for this long with rows in flight is killed and replaced."
    )
    restart_first_ms: Milliseconds = Field(default=50, description="Wait before a dead worker's restart.")
    restart_max_ms: Milliseconds = Field(default=5_000, description="The wait doubles up to this.")

    @model_validator(mode="after")
    def _depth_and_orders(self) -> WorkerSettings:
        depth, hang, most = self.ring_depth, self.hang_ms, self.restart_max_ms
        require(depth.bit_count() == 1, f"ring_depth a power of two, as {1 << depth.bit_length() - 1}")
        require(self.deadline_ms <= hang, f"deadline_ms at most hang_ms ({hang})")
        require(self.restart_first_ms <= most, f"restart_first_ms at most restart_max_ms ({most})")
        return self


class FeedSettings(Section):
    """Live market data."""

    base_url: ServerUrl = Field(
        default="",
        examples=["ws://127.0.0.1:9000"],
        description="A server that answers streams and requests in the venue's place. Unset: the venue.",
    )
    orders_url: ServerUrl = Field(
        default="",
        examples=["wss://ws-api.testnet.binance.vision/ws-api/v3"],
        description="Where LIVE orders go, with its path. Unset: the server of base_url, else the venue.",
    )
    max_frame_mb: Annotated[Whole, Field(ge=1, le=1_024)] = Field(
        default=32, description="A message beyond this ends its connection."
    )
    first_message_ms: Milliseconds = Field(
        default=5_000, description="A channel silent for so long after connecting is reported."
    )
    silent_depth_ms: Milliseconds = Field(
        default=10_000, description="A depth or ticker channel silent for so long is reported."
    )
    silent_trades_ms: Milliseconds = Field(
        default=60_000, description="The same for a trade channel; quiet symbols print seldom."
    )
    deaf_ms: Milliseconds = Field(
        default=30_000, description="A connection that brings no message for so long is replaced."
    )
    reconnect_first_ms: Milliseconds = Field(
        default=500, description="Longest wait before the first reconnection; the wait is drawn below it."
    )
    reconnect_max_ms: Milliseconds = Field(
        default=30_000, description="The longest wait doubles up to this while connecting fails."
    )
    reconnects: Annotated[Whole, Field(ge=1, le=300)] = Field(
        default=30, description="Connections each route may open in ten minutes."
    )
    notice_age_ms: Annotated[Milliseconds, Field(le=3_600_000)] = Field(
        default=5_000, description="A venue's notice of its end is heeded on connections at least so old."
    )
    snapshot_levels: Annotated[Whole, Field(ge=5, le=5_000)] = Field(
        default=1_000, description="Levels of each side a whole book is asked for with."
    )

    @model_validator(mode="after")
    def _waits_rise(self) -> FeedSettings:
        most = self.reconnect_max_ms
        require(self.reconnect_first_ms <= most, f"reconnect_first_ms at most reconnect_max_ms ({most})")
        return self


class ReplaySettings(Section):
    """The virtual delays of a replay and of the paper venue."""

    inference_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=2, description="From decision to answer; workers are waited for, so this is exact."
    )
    ack_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=12, description="From order to the paper venue's acknowledgement."
    )
    cancel_latency_ms: Annotated[Milliseconds, Field(le=60_000)] = Field(
        default=12, description="From cancel to the paper venue's acknowledgement."
    )


class ConsoleSettings(Section):
    """The screen."""

    frame_rate_hz: Annotated[Whole, Field(ge=1, le=30)] = Field(
        default=10, description="Pictures a second on a good terminal."
    )
    slow_frame_rate_hz: Annotated[Whole, Field(ge=1, le=30)] = Field(
        default=4, description="Pictures a second while the terminal does not keep up."
    )

    @model_validator(mode="after")
    def _slow_is_slower(self) -> ConsoleSettings:
        most = self.frame_rate_hz
        require(self.slow_frame_rate_hz <= most, f"slow_frame_rate_hz at most frame_rate_hz ({most})")
        return self


class Config(BaseSettings):
    """All settings; each section may be missing, each value has the default that is safe to start with."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__"
    )

    session: SessionSettings = SessionSettings()
    decision: DecisionSettings = DecisionSettings()
    sizing: SizingSettings = SizingSettings()
    execution: ExecutionSettings = ExecutionSettings()
    permits: PermitSettings = PermitSettings()
    watch: WatchSettings = WatchSettings()
    limits: Annotated[dict[Symbol, LimitSettings], Field(max_length=256)] = Field(
        default={},
        description="Limits by symbol, as [limits.BTCUSDT]. A symbol without them cannot trade in LIVE.",
    )
    health: HealthSettings = HealthSettings()
    guard: GuardSection = GuardSection()
    access: AccessSettings = AccessSettings()
    journal: JournalSettings = JournalSettings()
    workers: WorkerSettings = WorkerSettings()
    feed: FeedSettings = FeedSettings()
    replay: ReplaySettings = ReplaySettings()
    console: ConsoleSettings = ConsoleSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_config` merged and nothing else, so that every value's source is known."""
        return (init_settings,)
