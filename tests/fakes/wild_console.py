"""The real console on pictures and words nobody meant: `python -m tests.fakes.wild_console [--share 1.0]`.

With a share of 0 everything it is told is harmless: what it sends to the terminal then is its own.
"""

from __future__ import annotations

import argparse
import asyncio
from random import Random

from msgspec.structs import replace

from app.console import ConsoleApp
from app.console_settings import ConsoleSettings
from pipeline.runtime.link_messages import CommandResult
from tests.fakes import snapshots
from tests.fakes.links import FakeGate, InlineLink
from tests.fakes.wild import WORDS, wild

HZ = 10.0


async def feed(link: InlineLink, share: float) -> None:
    random, number = Random(7), 0
    while True:
        number += 1
        base = snapshots.make_snapshot()
        link.give(
            replace(wild(base, random, share) if share else base, seq=number, ts_ns=base.ts_ns + number)
        )
        if link.on_result is not None and number % 5 == 0:
            text = random.choice(WORDS) if share else "done"
            link.on_result(CommandResult(number, ok=number % 2 == 0, text=text))
        await asyncio.sleep(1 / HZ)


async def run(share: float) -> None:
    link = InlineLink()
    who = WORDS[2] if share else "ada"
    settings = ConsoleSettings(who=who, tty=who, account=who, frame_hz=HZ, plain=False)
    feeding = asyncio.ensure_future(feed(link, share))
    await ConsoleApp(link, FakeGate(), settings).run_async()
    feeding.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    asyncio.run(run(parser.parse_args().share))
