"""The options that demo, replay and run share: each once, with its flag, its help and its default.

A command takes them as one parameter, `session`; the command line shows them as flags of their own.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

NameOption = Annotated[str | None, typer.Option("--name", help="Name of the session, a-z 0-9 -.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="A TOML file instead of the usual one.")]
SecondsOption = Annotated[float, typer.Option("--seconds", min=0.0, help="End after this long; 0 never.")]
SummaryOption = Annotated[Path | None, typer.Option("--summary", help="Write the summary JSON here.")]
SlowOption = Annotated[bool, typer.Option("--slow", help="Draw once a second, for a thin link.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """What any session may be started with; None leaves the choice to the configuration."""

    name: NameOption = None
    authority: Annotated[
        str | None, typer.Option("--authority", help="observe, approve or auto; default approve.")
    ] = None
    model: Annotated[Path | None, typer.Option("--model", help="An .onnx file with lobdeck's contract.")] = (
        None
    )
    shadow: Annotated[
        list[str] | None,
        typer.Option("--shadow", help="NAME[@VERSION] scored beside it; never trades."),
    ] = None
    fees: Annotated[str | None, typer.Option("--fees", help="MAKER/TAKER in basis points, e.g. 0/0.")] = None
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Inference processes.")] = None
    config: ConfigOption = None
    headless: Annotated[bool, typer.Option("--headless", help="Run without a screen.")] = False
    seconds: SecondsOption = 0.0
    summary: SummaryOption = None
    slow: SlowOption = False

    def given(self) -> dict[str, Any]:
        """Give every option by its name, to build the options of one command with."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def takes_session_options(**defaults: object) -> Callable[[Callable[..., int]], Callable[..., None]]:
    """Turn a command's parameter `session` into one flag for each shared option.

    `defaults` replace those of `SessionOptions` for this command. The command's number becomes the exit
    status.
    """

    def spread(command: Callable[..., int]) -> Callable[..., None]:
        shared = _flags(defaults)

        @functools.wraps(command)
        def gathered(**given: object) -> None:
            values = {flag.name: given.pop(flag.name, flag.default) for flag in shared}
            session = SessionOptions(**values)  # type: ignore[arg-type]  # typer has checked each
            raise typer.Exit(command(session=session, **given))

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [*(each for each in own if each.name != "session"), *shared]
        signature = inspect.Signature(
            [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        )
        gathered.__dict__["__signature__"] = signature
        gathered.__annotations__ = {each.name: each.annotation for each in parameters}
        return gathered

    return spread


def _flags(defaults: dict[str, object]) -> list[inspect.Parameter]:
    hints = get_type_hints(SessionOptions, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(field.name, field.default),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(SessionOptions)
    ]
