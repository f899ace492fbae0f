"""Fit the models that ship, or build them anew from their JSON; the rows are a dataset like anybody's.

python -m app.fit_bundled DATA [NAME …]  fit, write NAME.json, NAME.onnx, NAME.manifest.json
python -m app.fit_bundled --rebuild      write the others from NAME.json
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.dataset_command import build_dataset
from app.dataset_sources import BuildOptions
from pipeline.models.packaging import source_json
from pipeline.research.bundled_recipes import (
    BASELINE,
    CAPTURE,
    DELAY_MS,
    RECIPES,
    SIM_PARTS,
    Recipe,
    Training,
    market_frames,
    training_of,
)
from pipeline.research.fit_bundled import FOLDER, fit, write_built
from pipeline.research.rows import Rows, load_rows


def main() -> None:
    """Fit or rebuild, and print what was measured."""
    parser = argparse.ArgumentParser(description="Fit or rebuild the bundled models.")
    parser.add_argument("data", nargs="?", type=Path, help="folder with the hftbacktest captures")
    parser.add_argument("names", nargs="*", help="models to fit; default all")
    parser.add_argument("--rebuild", action="store_true", help="only build from the committed JSON")
    options = parser.parse_args()
    if (options.data is None) is not options.rebuild:
        parser.error("give the data folder, or --rebuild")
    for recipe in [one for one in RECIPES if not options.names or one.name in options.names]:
        if not options.rebuild:
            with tempfile.TemporaryDirectory() as folder:
                source, report = fit(recipe, training(recipe, options.data, Path(folder)))
            (FOLDER / f"{recipe.name}.json").write_bytes(source_json(source))
            print(report)  # noqa: T201  # a command's own output
        write_built(recipe, FOLDER)


def training(recipe: Recipe, data: Path, folder: Path, parts: int = SIM_PARTS) -> Training:
    """Give a recipe's rows by way of datasets in `folder`; `parts` is how many simulated markets are played.

    Raises:
        CaptureError: the captures are not in `data`.
    """
    if recipe.pace is None:
        paths = [data / name for name in CAPTURE]
        digests = tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
        return training_of(recipe, [_rows(recipe, paths, folder / "rows")], digests)
    rows, seen = [], []
    for part in range(parts):
        capture = folder / f"market-{part}.txt"
        seen.append(_write_market(recipe, part, capture))
        rows.append(_rows(recipe, [capture], folder / f"rows-{part}"))
        capture.unlink()
    return training_of(recipe, rows, tuple(seen))


def _rows(recipe: Recipe, paths: Sequence[Path], folder: Path) -> Rows:
    features = ",".join(dict.fromkeys((*recipe.features, BASELINE)))
    horizons = str(recipe.horizon_ms)
    build_dataset(
        BuildOptions(tuple(paths), folder, features=features, horizons=horizons, delay_ms=DELAY_MS),
        lambda _: None,
    )
    return load_rows(folder)


def _write_market(recipe: Recipe, part: int, path: Path) -> str:
    """Write a simulated market as stamped lines; give the sha256 of its frames."""
    digest = hashlib.sha256()
    with path.open("wb") as lines:
        for ts_ns, frame in market_frames(recipe, part):
            digest.update(frame)
            lines.write(b"%d %s\n" % (ts_ns, frame))
    return digest.hexdigest()


if __name__ == "__main__":
    main()
