"""`lobdeck dataset build`: captures and journals through the engine into labelled columns on disk.

Stamped captures given together are one source, as `replay` reads them; each journal is a source of its own.
A source that is whole is not read again when the same command is run once more, so a build that was
interrupted goes on with the source it was in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from app.dataset_sources import BuildOptions, Feed, feeds_of, recipe_of
from pipeline.core.engine import Engine
from pipeline.research.dataset import (
    DATASET_VERSION,
    PAGE,
    DatasetError,
    DatasetPage,
    HorizonMix,
    Recipe,
    Source,
    read_page,
    read_part,
    write_page,
)
from pipeline.research.dataset_builder import DatasetBuilder
from pipeline.runtime.capture import CaptureError
from pipeline.runtime.journal_format import JournalError
from pipeline.runtime.row_tap import play


def build_dataset(options: BuildOptions, say: Callable[[str], None]) -> str:
    """Build, or go on building, a dataset; `say` gets the progress. Gives one line about what stands now.

    Raises:
        DatasetError: an option cannot be used, or the folder holds another dataset.
        CaptureError, JournalError, InstrumentError: an input cannot be read.
    """
    feeds = feeds_of(options)
    recipe = recipe_of(options, feeds)
    made = not options.output.exists()
    try:
        page = _page_to_go_on_with(options.output, recipe, tuple(feed.source for feed in feeds))
        for number, feed in enumerate(feeds):
            if number not in page.done:
                page = _build_source(options.output, page, number, feed, say)
    except (DatasetError, CaptureError, JournalError) as problem:
        # A full disk can pass; a refused input will not.
        if made and not isinstance(problem.__cause__, OSError):
            _remove_refused(options.output)
        raise
    return _said(options.output, page)


def kept_of_interrupted(folder: Path) -> str:
    """Say what an interrupted build keeps, and how it goes on; for one line."""
    if not (folder / PAGE).exists():
        return "nothing is kept"
    page = read_page(folder)
    whole = f"{len(page.done)} of {len(page.sources)} sources"
    return f"{folder} keeps {len(page.parts)} parts of {whole}; the same command goes on with the next source"


def _remove_refused(folder: Path) -> None:
    """Remove a folder this build made, with the files a build writes; others, and then the folder, stay."""
    for file in folder.glob("*"):
        if file.name.startswith(("part-", "touch-", PAGE)):
            file.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def verify_dataset(folder: Path) -> str:
    """Prove every part by its digest; give one line.

    Raises:
        DatasetError: at the first part that is not what was written, or a build that has not ended.
    """
    page = read_page(folder)
    if not page.complete:
        raise DatasetError(
            f"{folder / PAGE}: {len(page.done)} of {len(page.sources)} sources; run the build again"
        )
    for part in (*page.parts, *page.touches):
        read_part(folder, part)
    return _said(folder, page)


def _build_source(
    folder: Path, page: DatasetPage, number: int, feed: Feed, say: Callable[[str], None]
) -> DatasetPage:
    builder = DatasetBuilder(folder, page.recipe, number)
    run = feed.start(Engine(feed.params), builder)
    name = feed.source.names[0] + (" …" if len(feed.source.names) > 1 else "")
    frames = 0
    for frames in play(run):
        say(f"{name}: {frames:,} frames, {builder.rows:,} rows written")
    builder.end(run.now_ns)
    if not builder.rows:
        raise DatasetError(
            f"{name}: no row: its book was never ready for all {len(page.recipe.features)} features"
        )
    page = msgspec.structs.replace(
        page,
        done=(*page.done, number),
        rows=page.rows + builder.rows,
        frames=page.frames + frames,
        gaps=page.gaps + builder.gaps,
        mix=_added(page.mix, builder.mix),
        parts=(*page.parts, *builder.parts),
        touches=(*page.touches, *builder.touches),
    )
    write_page(folder, page)
    return page


def _page_to_go_on_with(folder: Path, recipe: Recipe, sources: tuple[Source, ...]) -> DatasetPage:
    """Give the page of an interrupted build of the same dataset, or a new one in an empty folder."""
    new = DatasetPage(DATASET_VERSION, recipe, sources, (), 0, 0, 0, _no_mix(recipe), (), ())
    if (folder / PAGE).exists():
        page = read_page(folder)
        if (page.version, page.recipe, page.sources) != (new.version, new.recipe, new.sources):
            raise DatasetError(f"{folder}: holds another dataset; name an empty folder")
        return page
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DatasetError(f"{folder}: cannot be made: {problem.strerror}") from problem
    if any(not one.name.startswith(("part-", "touch-")) for one in folder.iterdir()):
        raise DatasetError(f"{folder}: holds other files; name an empty folder")
    write_page(folder, new)
    return new


def _no_mix(recipe: Recipe) -> tuple[HorizonMix, ...]:
    return tuple(HorizonMix(ms, 0, 0, 0, 0) for ms in recipe.horizons_ms)


def _added(one: tuple[HorizonMix, ...], other: tuple[HorizonMix, ...]) -> tuple[HorizonMix, ...]:
    return tuple(
        HorizonMix(a.horizon_ms, a.down + b.down, a.flat + b.flat, a.up + b.up, a.unknown + b.unknown)
        for a, b in zip(one, other, strict=True)
    )


def _said(folder: Path, page: DatasetPage) -> str:
    mixes = "; ".join(_mix_said(mix) for mix in page.mix)
    counts = f"{page.rows:,} rows of {len(page.recipe.features)} features from {page.frames:,} frames"
    cut = "".join(
        f"CAUTION: {name} ends in the middle of a line: its last frame is lost\n"
        for source in page.sources
        for name in source.cut
    )
    line = f"{folder}: {counts}, {page.gaps} gaps, {len(page.parts)} parts; {mixes}"
    return f"{line}\n{cut}{page.recipe.schema_hash}"


def _mix_said(mix: HorizonMix) -> str:
    known = max(mix.down + mix.flat + mix.up, 1)
    shares = "/".join(f"{100 * count / known:.0f}" for count in (mix.down, mix.flat, mix.up))
    return f"{mix.horizon_ms} ms down/flat/up {shares} %, unknown {mix.unknown:,}"
