"""Datasets on disk: the same rows however they are cut into parts; what is damaged is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.cli import run
from app.dataset_command import build_dataset, verify_dataset
from app.dataset_sources import BuildOptions
from app.progress import every_few_seconds
from app.replay_command import sample_capture
from app.sample_command import write_sample
from pipeline.core.params import MS
from pipeline.research.dataset import DatasetError, label_columns, read_page, read_parts
from pipeline.research.labels import Window
from pipeline.research.rows import load_rows
from pipeline.runtime.capture import CaptureError, open_capture
from pipeline.sim.pace import Pace

FEATURES = "qi_1,micro_dev,qi_5,tfi_1s"
FRAMES = 6_000


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the market that ships, as stamped lines."""
    path = tmp_path_factory.mktemp("clip") / "clip.txt"
    with path.open("wb") as file:
        for at, frame in enumerate(open_capture([sample_capture()])):
            if at == FRAMES:
                break
            file.write(b"%d %s\n" % (frame.ts_recv_ns, frame.payload))
    return path


def build(clip: Path, folder: Path, **options: object) -> dict[str, np.ndarray]:
    wanted = {"paths": (clip,), "output": folder, "features": FEATURES, "horizons": "200,1000", **options}
    build_dataset(BuildOptions(**wanted), lambda _: None)  # type: ignore[arg-type]  # a builder's shorthand
    page = read_page(folder)
    parts = list(read_parts(folder, page))
    assert page.complete
    assert page.rows == sum(len(part["ts_ns"]) for part in parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_small_parts_hold_the_same_rows_and_labels_as_one_large(clip: Path, tmp_path: Path) -> None:
    one = build(clip, tmp_path / "one")
    many = build(clip, tmp_path / "many", part_rows=137)

    assert len(read_page(tmp_path / "many").parts) > 3
    assert list(one) == list(many)
    for name in one:
        np.testing.assert_array_equal(one[name], many[name], err_msg=name)
    assert np.isfinite(one["return_1000"]).mean() > 0.5
    assert {*FEATURES.split(","), *label_columns(200)} <= set(one)


def test_labels_follow_from_the_touches_that_are_kept_beside_them(clip: Path, tmp_path: Path) -> None:
    columns = build(clip, tmp_path / "set", part_rows=137)
    rows = load_rows(tmp_path / "set")

    assert len(read_page(tmp_path / "set").touches) > 3
    found = rows.returns(Window(100 * MS, 1_000 * MS))
    np.testing.assert_array_equal(found, columns["return_1000"])


def test_parquet_holds_the_same_columns_as_npz(clip: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    one = build(clip, tmp_path / "npz")
    other = build(clip, tmp_path / "parquet", format="parquet", part_rows=500)

    assert "rows" in verify_dataset(tmp_path / "parquet")
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_the_same_command_again_reads_nothing_anew(clip: Path, tmp_path: Path) -> None:
    build(clip, tmp_path / "set")
    said: list[str] = []

    options = BuildOptions((clip,), tmp_path / "set", features=FEATURES, horizons="200,1000")
    line = build_dataset(options, said.append)

    assert not said
    assert "4 features" in line


def test_other_options_in_the_same_folder_are_refused(clip: Path, tmp_path: Path) -> None:
    build(clip, tmp_path / "set")

    with pytest.raises(DatasetError, match="another dataset"):
        build(clip, tmp_path / "set", delay_ms=50)


def test_a_refused_build_removes_the_folder_it_made_and_no_other(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.txt"
    broken.write_bytes(clip.read_bytes() + b"no stamp at all\n")
    (tmp_path / "old").mkdir()

    for name in ("new", "old"):
        with pytest.raises(CaptureError, match="expected stamped lines"):
            build(broken, tmp_path / name, part_rows=50)
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "old").exists()


def test_a_capture_cut_within_its_last_line_is_told(clip: Path, tmp_path: Path) -> None:
    data = clip.read_bytes()
    for name, content, is_cut in (("cut", data[:-9], True), ("whole", data[:-1], False)):
        path = tmp_path / f"{name}.txt"
        path.write_bytes(content)
        build(path, tmp_path / name)
        assert ("CAUTION: cut.txt ends" in verify_dataset(tmp_path / name)) == is_cut


def test_an_interrupted_build_says_what_it_keeps(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.dataset_command.play", interrupted)
    folder = tmp_path / "set"

    assert run(["dataset", "build", str(clip), "-o", str(folder), "--features", FEATURES]) == 130
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "keeps 0 parts of 0 of 1 sources; the same command goes on" in said


def test_progress_on_a_pipe_comes_every_few_seconds() -> None:
    said: list[str] = []
    now = [0.0]
    say = every_few_seconds(said.append, lambda: now[0])
    for quarter in range(41):
        now[0] = quarter / 4
        say(f"{now[0]:g}")
    assert said == ["3", "6", "9"]


def test_a_folder_with_other_files_is_refused_and_left_alone(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(DatasetError, match="other files"):
        build(clip, tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_changed_part_is_refused_by_its_name(clip: Path, tmp_path: Path) -> None:
    build(clip, tmp_path / "set")
    assert "rows" in verify_dataset(tmp_path / "set")
    part = tmp_path / "set" / "part-00-00000.npz"
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)

    with pytest.raises(DatasetError, match=r"part-00-00000\.npz: not the file"):
        verify_dataset(tmp_path / "set")


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("horizons", "1000,500", "rising"),
        ("horizons", "0", "rising"),
        ("horizons", "1e3", "rising"),
        ("features", "qi_1,qi_1", "each once"),
        ("features", "no_such", "no_such"),
        ("format", "csv", "npz or parquet"),
        ("delay_ms", -1, "delay-ms"),
        ("symbol", "ETHUSDT", "has BTCUSDT"),
        ("barrier_sigmas", float("nan"), "barrier-sigmas"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    clip: Path, tmp_path: Path, option: str, value: object, wanted: str
) -> None:
    with pytest.raises(DatasetError, match=wanted):
        build(clip, tmp_path / "set", **{option: value})


def test_another_venue_than_the_capture_shows_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="expected frames of binance-usdm"):
        build(clip, tmp_path / "set", venue="binance-usdm")


def test_a_sample_is_the_same_for_a_seed_and_never_overwrites(tmp_path: Path) -> None:
    said = write_sample(tmp_path / "one.txt", 3, 5, Pace.USUAL)
    write_sample(tmp_path / "two.txt", 3, 5, Pace.USUAL)

    assert "planted" in said
    assert (tmp_path / "one.txt").read_bytes() == (tmp_path / "two.txt").read_bytes()
    with pytest.raises(DatasetError, match="is there already"):
        write_sample(tmp_path / "one.txt", 3, 5, Pace.USUAL)
    with pytest.raises(DatasetError, match="--seconds 0"):
        write_sample(tmp_path / "three.txt", 0, 5, Pace.USUAL)
