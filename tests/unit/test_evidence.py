"""What goes on record with an act and beside it: the picture, the card as drawn, the peer, the release."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.core.effects import AlertCode
from pipeline.core.engine import Engine
from pipeline.core.evidence import Seen
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import Command, GateChanged, Input, OperatorCommand
from pipeline.core.types import Authority
from pipeline.core.view import build_snapshot
from pipeline.runtime.evidence import MAX_KEY, MAX_NOTE, Evidence
from pipeline.runtime.gate import Closer, Gate
from pipeline.runtime.gate_watch import GateWatch
from pipeline.runtime.journal_format import RecordKind
from pipeline.runtime.journal_reader import read_journal
from pipeline.runtime.journal_run import JournalRun
from pipeline.runtime.link_server import Client
from tests.fakes.engines import Floor, engine_params
from tests.fakes.journals import records_of, writer
from tests.fakes.recorded import RecordedFloor
from tests.fakes.runs import EchoCodec

ASKED = OperatorCommand(Command.HALT, "console's word", "/dev/pts/9", "BTCUSDT", 0, 0, 0)


def client(**fields: Any) -> Client:
    about = {"uid": 1_000, "pid": 77, "who": "ada", "tty": "/dev/pts/1", "watch": False}
    return Client(writer=None, **{**about, **fields})  # type: ignore[arg-type]  # nothing is written to it


def offered() -> Floor:
    floor = Floor(engine_params(authority=Authority.APPROVE)).warm(p_up=0.9)
    floor.busy_ms(1_000)
    return floor


class TestCard:
    def test_that_was_drawn_as_it_is_may_be_permitted(self) -> None:
        floor = offered()
        card = floor.picture().proposals[0]
        seen = Seen(card_hash=card.content_hash)
        floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision, seen=seen)
        permits = floor.state.permits
        [permit] = permits.open_permits() + permits.ended_permits()
        assert permit.permit.drawn_hash == card.content_hash

    def test_that_was_drawn_otherwise_is_not(self) -> None:
        floor = offered()
        card = floor.picture().proposals[0]
        seen = Seen(card_hash="0" * 16)
        floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision, seen=seen)
        assert floor.state.permits.open_permits() == ()
        assert [alert.detail for alert in floor.alerts(AlertCode.PERMIT_REFUSED)] == ["REVISED"]


def test_a_replay_to_the_pictures_time_redraws_what_stood_there(tmp_path: Path) -> None:
    floor = RecordedFloor(authority=Authority.APPROVE)
    floor.warm(p_up=0.9)
    floor.busy_ms(1_000)
    drawn = floor.picture()
    card = drawn.proposals[0]
    seen = Seen(picture_ns=drawn.ts_ns, symbol="BTCUSDT", card_hash=card.content_hash)
    floor.pass_ms(200)
    floor.command(Command.PERMIT_ONCE, target_id=card.idea_id, revision=card.revision, seen=seen)
    floor.busy_ms(500)
    floor.write(tmp_path)
    header, records = read_journal(tmp_path)
    run = JournalRun(Engine(header.params), EchoCodec(), records, header.sources)
    run.advance(seen.picture_ns, 5.0)
    facts = RuntimeFacts(session="test", operator="ada", consoles=1)
    redrawn = build_snapshot(run.engine, seen.symbol, 1, seen.picture_ns, facts)
    assert redrawn.proposals[0].content_hash == seen.card_hash
    assert msgspec.msgpack.encode(redrawn) == msgspec.msgpack.encode(drawn)


class TestStamp:
    def test_names_the_peer_whatever_the_console_says(self) -> None:
        lied = msgspec.structs.replace(
            ASKED, seen=Seen(picture_ns=5, drawn_ms=80, uid=0, pid=1, controls=True, key="F8")
        )
        stamped = Evidence(None, lambda: 123).stamped(lied, client(watch=True))
        assert (stamped.who, stamped.tty, stamped.ts_ns) == ("ada", "/dev/pts/1", 123)
        assert stamped.seen == Seen(
            picture_ns=5, drawn_ms=80, numbers_ms=-1, key="F8", uid=1_000, pid=77, controls=False
        )

    def test_cuts_what_a_console_says_without_end(self) -> None:
        long = msgspec.structs.replace(ASKED, seen=Seen(key="k" * 999, card_hash="h" * 999, symbol="s" * 999))
        seen = Evidence(None, lambda: 1).stamped(long, client()).seen
        assert seen is not None
        assert {len(text) for text in (seen.key, seen.card_hash, seen.symbol)} == {MAX_KEY}

    def test_survives_the_journal(self) -> None:
        stamped = Evidence(None, lambda: 123).stamped(ASKED, client())
        encoded = msgspec.msgpack.Encoder(order="deterministic").encode(stamped)
        assert msgspec.msgpack.decode(encoded, type=Input) == stamped

    def test_a_command_of_an_older_journal_is_read_without_it(self) -> None:
        content = msgspec.msgpack.decode(msgspec.msgpack.encode(ASKED))
        del content["seen"]
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(content), type=Input) == ASKED


class TestNote:
    def test_says_who_and_where_and_is_in_the_chain(self, tmp_path: Path) -> None:
        journal = writer(tmp_path)
        Evidence(journal, lambda: 42).note(client(), "attached")
        journal.close()
        [record] = records_of(tmp_path)
        assert (record.kind, record.ts_ns) == (RecordKind.NOTE, 42)
        assert record.payload.decode() == "ada on /dev/pts/1, uid 1000, pid 77, controlling: attached"

    def test_has_an_end(self, tmp_path: Path) -> None:
        journal = writer(tmp_path)
        Evidence(journal, lambda: 42).note(client(), "x" * 5_000)
        journal.close()
        assert len(records_of(tmp_path)[0].payload) == MAX_NOTE

    def test_without_a_journal_is_nothing(self) -> None:
        Evidence(None, lambda: 42).note(client(), "attached")


class TestGate:
    @pytest.fixture
    def gate(self, tmp_path: Path) -> Iterator[Gate]:
        tmp_path.chmod(0o700)
        made = Gate.create(tmp_path)
        yield made
        made.detach()

    def told(self, watch: GateWatch) -> GateChanged:
        events: list[Any] = []
        assert watch.look(events.append, 9)
        return events[0]  # type: ignore[no-any-return]  # the one input a look gives

    def test_close_and_release_say_who_where_and_when(self, gate: Gate) -> None:
        watch, now_ns = GateWatch(gate), time.time_ns()
        watch.look(lambda _: None, 1)
        generation = gate.close(Closer.SHELL, "ada", "/dev/pts/3", "looked wrong", now_ns)
        closed = self.told(watch)
        assert (closed.who, closed.tty, closed.acted_ns) == ("ada", "/dev/pts/3", now_ns)
        gate.release({Closer.SHELL: generation}, "bob", "/dev/pts/4", "looked at it", now_ns + 5)
        released = self.told(watch)
        assert released.open
        assert (released.who, released.tty, released.reason) == ("bob", "/dev/pts/4", "looked at it")
        assert released.acted_ns == now_ns + 5

    def test_a_latch_removed_by_hand_is_put_down_to_nobody(self, gate: Gate, tmp_path: Path) -> None:
        watch, now_ns = GateWatch(gate), time.time_ns()
        watch.look(lambda _: None, 1)
        generation = gate.close(Closer.SHELL, "ada", "", "halt", now_ns)
        gate.release({Closer.SHELL: generation}, "bob", "", "resumed", now_ns + 1)
        self.told(watch)
        gate.latch("ada", "", "kill", now_ns + 2)
        assert self.told(watch).who == "ada"
        (tmp_path / "KILL").unlink()
        opened = self.told(watch)
        assert (opened.open, opened.who, opened.reason) == (True, "", "")
