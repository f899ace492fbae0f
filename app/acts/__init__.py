"""What each action of the table does; one module a theme, one class of all of them for the console."""

from __future__ import annotations

from app.acts.ideas import IdeaActs
from app.acts.leave import LeaveActs
from app.acts.look import LookActs
from app.acts.models import ModelActs
from app.acts.orders import OrderActs
from app.acts.replay import ReplayActs
from app.acts.stop import StopActs

__all__ = ["Acts"]


class Acts(StopActs, IdeaActs, OrderActs, ModelActs, ReplayActs, LookActs, LeaveActs):
    """Actions by the name in the table, each `act_NAME`; what takes a value has `typed_NAME` too."""
