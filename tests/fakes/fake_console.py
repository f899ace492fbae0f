"""Run the real console on a fake market, without a session: `python -m tests.fakes.fake_console [--hz 10]`.

For looking at it, and for measuring what the console alone costs.
"""

from __future__ import annotations

import argparse
import asyncio
import os

from msgspec.structs import replace

from app.console import ConsoleApp
from app.console_settings import ConsoleSettings
from app.terminal_facts import plain_terminal
from tests.fakes import snapshots
from tests.fakes.demo_screen import STATES
from tests.fakes.links import FakeGate, InlineLink


async def feed(link: InlineLink, options: argparse.Namespace) -> None:
    market = snapshots.FakeMarket()
    while True:
        market.step(options.moves)
        link.give(replace(STATES[options.state](market), seq=0))
        await asyncio.sleep(1 / options.hz)


async def run(options: argparse.Namespace) -> None:
    link = InlineLink()
    settings = ConsoleSettings(
        who="ada",
        tty="/dev/pts/3",
        account="sim-btcusdt-1",
        frame_hz=options.hz,
        plain=plain_terminal(os.environ),
        watch=options.watch,
    )
    feeding = asyncio.ensure_future(feed(link, options))
    await ConsoleApp(link, FakeGate(), settings).run_async()
    feeding.cancel()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", choices=sorted(STATES), default="ok")
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--hz", type=float, default=10)
    parser.add_argument("--moves", type=int, default=8)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(run(parse()))
