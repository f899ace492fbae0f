"""A reader of foreign bytes, as a search for undeclared errors takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

Read = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of foreign bytes."""

    name: str
    read: Read
    seeds: tuple[bytes, ...]
    """Sound input; a search bends it."""
    plant: tuple[Any, str, object]
    """Where the planted bug goes: object, attribute, wrong piece."""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Put the bug in for a while."""
        where, name, wrong = self.plant
        with mock.patch.object(where, name, wrong):
            yield
