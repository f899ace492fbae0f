"""`lobdeck` and `python -m app`."""

from __future__ import annotations

import sys

from app.shadow import MEND, shadowed

EXIT_USAGE = 2


def main() -> None:
    """Run the command line and exit with its status; refuse to when strange modules stand before ours.

    `doctor` starts all the same: it says it in its report.
    """
    strangers = shadowed()
    if strangers and sys.argv[1:2] != ["doctor"]:
        sys.stderr.write(f"lobdeck: {'; '.join(strangers)}: {MEND}\n")
        sys.exit(EXIT_USAGE)
    from app.cli import run

    sys.exit(run())


if __name__ == "__main__":
    main()
