"""`lobdeck dataset sample`: a simulated market as a capture, to try the tools of research on."""

from __future__ import annotations

from pathlib import Path

from pipeline.research.dataset import DatasetError
from pipeline.sim.pace import Pace, paced_flow
from pipeline.sim.recording import played

SYMBOL = "BTCUSDT"
STREAMS = ("depth@100ms", "bookTicker", "trade")
MOST_SECONDS = 86_400


def write_sample(output: Path, seconds: int, seed: int, pace: Pace) -> str:
    """Write stamped lines; the same seed, pace and length give the same file. Gives one line about it.

    Raises:
        DatasetError: a length out of range, a file that is there already, or one that cannot be written.
    """
    if not 1 <= seconds <= MOST_SECONDS:
        raise DatasetError(f"--seconds {seconds}: wanted 1 to {MOST_SECONDS}")
    count = 0
    try:
        with output.open("xb") as file:
            for ts_ns, frame in played(SYMBOL, paced_flow(pace), seed, seconds, STREAMS):
                file.write(b"%d %s\n" % (ts_ns, frame))
                count += 1
    except FileExistsError as problem:
        raise DatasetError(f"{output}: is there already") from problem
    except OSError as problem:
        raise DatasetError(f"{output}: cannot be written: {problem.strerror}") from problem
    planted = "the flow is planted and says nothing of real markets"
    return f"wrote {output}: {count:,} frames of {seconds} s; {planted}"
