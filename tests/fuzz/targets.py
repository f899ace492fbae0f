"""Every reader of bytes from outside, each with a bug that must be found.

`read` of a target lets only undeclared errors through. `plant` puts a wrong piece into the code under test,
as somebody who forgot a check would, so that a search that finds nothing is known to be one that could.
"""

from __future__ import annotations

from tests.fuzz.files import file_targets
from tests.fuzz.links import link_targets
from tests.fuzz.target import Target
from tests.fuzz.wire import wire_targets


def all_targets() -> tuple[Target, ...]:
    """Give the targets, in the order they are read in on the way from the venue to the screen."""
    return (*wire_targets(), *file_targets(), *link_targets())
