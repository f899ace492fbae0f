"""Follows one model on one symbol: joins its answers with what the mid did, and keeps what they were worth.

A row asked at t is judged by the mid from t + delay to t + delay + horizon, the last state at or before each
instant, as training labels it (`research/labels.py`). Rows are followed at most every 100 ms. A row without
an answer, or across a swap or a lost book, is counted and scores nothing. Every answer that counted is
joined, whatever became of its idea: a person's choice among ideas must not choose what the model is judged
by.

The baseline is queue imbalance alone, sigmoid(slope x imbalance), its slope learned from outcomes before the
call; the other one is a constant that says one half. Direction is scored given a move; rows that did not move
count in the move rate.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from pipeline.core.drift import FeatureDrift
from pipeline.core.logit_scale import imbalance_scale, log_loss, temperature_scale
from pipeline.core.monitor_state import BlockValues, MonitorState
from pipeline.core.params import MS, SECOND, ModelSpec, WatchParams
from pipeline.core.reliability import RecentCalls, Reliability
from pipeline.core.skill import LEAST_BAD_CALLS, LN2_E6, Proof, Skill, proof_of, skill_of
from pipeline.core.skill_gate import SkillGate
from pipeline.core.types import E6

SAMPLE_NS = 100 * MS
WAITING_MOST = 1_024
"""Rows that may wait for their outcome; a longer horizon is followed at longer steps."""
BLOCK_NS = 10 * SECOND
BLOCK_HORIZONS = 4
"""A block is at least this many horizons long, so that neighbours share little."""
BLOCKS_KEPT = 360
"""An hour of blocks of ten seconds: what a skill is judged by."""
RECENT_BLOCKS = 60
SUMMED_EVERY = 50
"""Calls after which the screen's numbers are summed up anew."""
MOST_LOGIT = 13.8
"""Of one in a million; no model knows more."""
NEVER_NS = 1 << 62
_E9 = 1_000_000_000


@dataclass(slots=True)
class Block:
    """Exact sums over the rows asked within one block of time."""

    number: int
    rows: int = 0
    moved: int = 0
    calls: int = 0
    """Of those that moved, how many do not overlap: the sample size the proof counts."""
    loss_e6: int = 0
    imbalance_e6: int = 0
    """Loss of queue imbalance alone over the same calls."""
    said_e6: int = 0
    """Sum of P(move) over the rows, to compare with those that moved."""

    def values(self) -> BlockValues:
        """Give all sums in order."""
        return (
            self.number,
            self.rows,
            self.moved,
            self.calls,
            self.loss_e6,
            self.imbalance_e6,
            self.said_e6,
        )


@dataclass(slots=True)
class _Row:
    seq: int
    ts_ns: int
    imbalance_e6: int
    raw: float = 0.0
    """Log-odds of up given a move, as the model said."""
    logit: float = 0.0
    """The same after the temperature of that moment, where that is in use."""
    move_e6: int = -1
    """P(move) as the model said; -1 before the answer."""
    mid_half_ticks: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """All numbers of one monitor at one moment; skills over the whole window and over its newest part."""

    rows: int
    moved: int
    said_e6: int
    """Sum of P(move) over the rows."""
    calls: int
    over_constant: tuple[Skill, Skill]
    over_constant_proof: Proof
    over_imbalance: tuple[Skill, Skill]
    over_imbalance_proof: Proof
    reliability: Reliability
    drift_e6: tuple[int, ...]


class ModelMonitor:
    """One model's record on one symbol; O(1) a row, memory bounded by the constants above."""

    def __init__(self, spec: ModelSpec, params: WatchParams) -> None:
        self.spec = spec
        self.next_due_ns = NEVER_NS
        """Before this instant `advance` has nothing to do."""
        self.gate = SkillGate(params.trade_unproven)
        self.imbalance_gate = SkillGate(open_unproven=False)
        """Whether queue imbalance may stand in: only while its own skill is proven."""
        self.temperature = temperature_scale()
        self.slope = imbalance_scale()
        self.recent = RecentCalls()
        self.drift = FeatureDrift(spec.reference_e6 or ((),) * len(spec.features))
        self.blocks: deque[Block] = deque(maxlen=BLOCKS_KEPT)
        self.unanswered = self.void = self.flat = 0
        """Rows nobody answered in time, rows voided by a swap or a lost book, rows that did not move."""
        self.restored_rows = 0
        self._params = params
        self._delay_ns, self._horizon_ns = spec.delay_ms * MS, spec.horizon_ms * MS
        self._step_ns = max(SAMPLE_NS, (self._delay_ns + self._horizon_ns) // (WAITING_MOST - 1) + 1)
        self._block_ns = max(BLOCK_NS, BLOCK_HORIZONS * (self._delay_ns + self._horizon_ns))
        self._next_row_ns = self._next_call_ns = 0
        self._block = Block(-1)
        self._starting: deque[_Row] = deque()
        self._ending: deque[_Row] = deque()
        self._unmet: dict[int, _Row] = {}
        self._summary: tuple[object, Summary] | None = None

    # --- rows ---------------------------------------------------------------------------------------------

    def asked(self, seq: int, ts_ns: int, imbalance_e6: int, row_e6: tuple[int, ...]) -> None:
        """Follow a row, unless the last one is too near."""
        if ts_ns < self._next_row_ns:
            return
        self._next_row_ns = ts_ns + self._step_ns
        row = _Row(seq, ts_ns, imbalance_e6)
        self._starting.append(row)
        self._unmet[seq] = row
        self.drift.note(row_e6[-len(self.spec.features) :])
        self.next_due_ns = min(self.next_due_ns, ts_ns + self._delay_ns)

    def answered(self, seq: int, p_down: float, p_flat: float, p_up: float) -> None:
        """Join the answer to a row that is followed; others are none of ours."""
        row = self._unmet.pop(seq, None)
        if row is not None:
            row.raw = logit_of(p_down, p_up)
            row.logit = row.raw * self.scale
            row.move_e6 = round((1.0 - p_flat) * E6)

    @property
    def scale(self) -> float:
        """Give what logits are multiplied by before they decide: 1 / temperature, where that is in use."""
        return self.temperature.value if self._params.temper else 1.0

    def forget(self) -> None:
        """Give up every row that waits: the book was lost."""
        self.void += len(self._starting) + len(self._ending)
        self._starting.clear()
        self._ending.clear()
        self._unmet.clear()
        self.next_due_ns = NEVER_NS

    def advance(self, now_ns: int, mid_half_ticks: int) -> bool:
        """Let time pass up to but not at `now_ns`; True where a block of time has ended.

        `mid_half_ticks`, twice the mid, has stood since the last call.
        """
        if now_ns <= self.next_due_ns:
            return False
        if mid_half_ticks <= 0:
            self.forget()
            return False
        self._start(now_ns, mid_half_ticks)
        ended = False
        due_ns = now_ns - self._delay_ns - self._horizon_ns
        while self._ending and self._ending[0].ts_ns < due_ns:
            ended |= self._end(self._ending.popleft(), mid_half_ticks)
        self.next_due_ns = self._due()
        return ended

    def _start(self, now_ns: int, mid_half_ticks: int) -> None:
        while self._starting and self._starting[0].ts_ns + self._delay_ns < now_ns:
            row = self._starting.popleft()
            row.mid_half_ticks = mid_half_ticks
            self._ending.append(row)

    def _due(self) -> int:
        due_ns = NEVER_NS
        if self._starting:
            due_ns = self._starting[0].ts_ns + self._delay_ns
        if self._ending:
            due_ns = min(due_ns, self._ending[0].ts_ns + self._delay_ns + self._horizon_ns)
        return due_ns

    def _end(self, row: _Row, mid_half_ticks: int) -> bool:
        if row.move_e6 < 0:
            self.unanswered += 1
            self._unmet.pop(row.seq, None)
            return False
        ended = self._turn(row.ts_ns // self._block_ns)
        self._block.rows += 1
        self._block.said_e6 += row.move_e6
        move = mid_half_ticks - row.mid_half_ticks
        if move:
            self._score(row, move > 0, move * _E9 // row.mid_half_ticks)
        else:
            self.flat += 1
        return ended

    def _score(self, row: _Row, up: bool, move_e9: int) -> None:
        block, imbalance = self._block, row.imbalance_e6 / E6
        block.moved += 1
        block.loss_e6 += round(log_loss(row.logit, up) * E6)
        block.imbalance_e6 += round(log_loss(self.slope.value * imbalance, up) * E6)
        if row.ts_ns >= self._next_call_ns:
            self._next_call_ns = row.ts_ns + self._horizon_ns
            block.calls += 1
        self.temperature.note(row.raw, up)
        self.slope.note(imbalance, up)
        self.recent.add(round(E6 / (1.0 + math.exp(-row.logit))), up, move_e9)

    def _turn(self, number: int) -> bool:
        """Begin the block of a row; True where that ends another one."""
        before = self._block
        if number == before.number:
            return False
        self._block = Block(number)
        if before.number < 0:
            return False
        self.blocks.append(before)
        self.temperature.choose()
        self.slope.choose()
        return True

    # --- questions ----------------------------------------------------------------------------------------

    @property
    def calls(self) -> int:
        """Count the calls in the window that moved and do not overlap."""
        return sum(block.calls for block in self.blocks)

    def over_constant(self, blocks: int = BLOCKS_KEPT) -> Skill:
        """Give the skill over a constant, over the newest finished blocks."""
        return skill_of((b.loss_e6, b.moved * LN2_E6) for b in self._newest(blocks))

    def over_imbalance(self, blocks: int = BLOCKS_KEPT) -> Skill:
        """Give the skill over queue imbalance alone."""
        return skill_of((b.loss_e6, b.imbalance_e6) for b in self._newest(blocks))

    def imbalance_over_constant(self) -> Skill:
        """Give the skill of queue imbalance alone over a constant."""
        return skill_of((b.imbalance_e6, b.moved * LN2_E6) for b in self.blocks)

    def proof(self, skill: Skill) -> Proof:
        """Say in one word what a skill of the whole window amounts to."""
        return proof_of(skill, self.calls, self._params.least_calls)

    def constant_proof(self, skill: Skill) -> Proof:
        """Say the same of the skill over a constant, which is proven worse by fewer calls than better."""
        return proof_of(skill, self.calls, self._params.least_calls, LEAST_BAD_CALLS)

    def _newest(self, blocks: int) -> list[Block]:
        return list(self.blocks)[-blocks:]

    @property
    def least_calls(self) -> int:
        """Give how many calls a proof needs."""
        return self._params.least_calls

    def summary(self) -> Summary:
        """Sum everything up, anew after each block and some calls: cheap enough for every picture."""
        key = (len(self.blocks), self._block.number, self.recent.noted // SUMMED_EVERY, self.drift.rows > 0)
        if self._summary is None or self._summary[0] != key:
            self._summary = (key, self.sum_up())
        return self._summary[1]

    def sum_up(self) -> Summary:
        """Sum everything up as it stands: a millisecond."""
        constant, imbalance = self.over_constant(), self.over_imbalance()
        return Summary(
            rows=sum(block.rows for block in self.blocks),
            moved=sum(block.moved for block in self.blocks),
            said_e6=sum(block.said_e6 for block in self.blocks),
            calls=self.calls,
            over_constant=(constant, self.over_constant(RECENT_BLOCKS)),
            over_constant_proof=self.constant_proof(constant),
            over_imbalance=(imbalance, self.over_imbalance(RECENT_BLOCKS)),
            over_imbalance_proof=self.proof(imbalance),
            reliability=self.recent.reliability(),
            drift_e6=self.drift.index_e6(),
        )

    def judge(self) -> tuple[Proof, bool]:
        """Judge at a block's end; give the proof and whether the gate moved."""
        self.imbalance_gate.judge(self.proof(self.imbalance_over_constant()))
        proof = self.constant_proof(self.over_constant())
        beaten = self.proof(self.over_imbalance()) is Proof.WORSE
        return proof, self.gate.judge(proof, beaten=beaten)

    # --- over restarts ------------------------------------------------------------------------------------

    def state(self, ts_ns: int) -> MonitorState:
        """Give all that was learned; rows that wait and the unfinished block are not part of it."""
        calls, losses = self.temperature.state()
        slope_calls, slope_losses = self.slope.state()
        rows, counts = self.drift.state()
        return MonitorState(
            model_id=self.spec.model_id,
            schema_hash=self.spec.schema_hash,
            window_ms=(self.spec.delay_ms, self.spec.horizon_ms),
            blocks=tuple(block.values() for block in self.blocks),
            recent=self.recent.state(),
            temperature=(calls, losses),
            slope=(slope_calls, slope_losses),
            drift=(rows, counts),
            gate=self.gate.state(),
            imbalance_gate=self.imbalance_gate.state(),
            ts_ns=ts_ns,
        )

    def restore(self, state: MonitorState) -> bool:
        """Go on from what an earlier session learned; False, and nothing taken, from another model."""
        if not state.fits(self.spec) or self.blocks:
            return False
        self.blocks.extend(Block(*values) for values in state.blocks)
        self.restored_rows = sum(block.rows for block in self.blocks)
        self.recent.restore(state.recent)
        self.temperature.restore(*state.temperature)
        self.slope.restore(*state.slope)
        self.drift.restore(*state.drift)
        self.gate.restore(*state.gate)
        self.imbalance_gate.restore(*state.imbalance_gate)
        return True


def logit_of(p_down: float, p_up: float) -> float:
    """Give the log-odds of up given a move; 0 where the answer says that nothing moves."""
    if p_down + p_up <= 0.0:
        return 0.0
    share = p_up / (p_down + p_up)
    if share <= 0.0 or share >= 1.0:
        return math.copysign(MOST_LOGIT, share - 0.5)
    return min(max(math.log(share / (1.0 - share)), -MOST_LOGIT), MOST_LOGIT)
