"""A real session whose model changes under load: no frame is lost, no wrong generation is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import bench_swap
from app.bench_live import session, venue
from app.bench_long import long_capture
from app.bench_models import registered_variants
from app.link_call import ask_model
from app.model_act_command import act_on_models
from app.replay_command import sample_capture
from pipeline.core.inputs import ModelAct
from pipeline.models.expectation import Role
from pipeline.runtime.places import models_dir
from tests.fakes.models import registered
from tests.fakes.session_processes import live_session
from tests.fakes.sessions import synthetic_lines, write_capture

FRAMES_A_SECOND = 1_000
SECONDS = 40


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path


def test_swaps_under_load_lose_no_frame_and_use_no_answer_of_a_wrong_generation(home: Path) -> None:
    lines = home / "market.txt"
    long_capture([sample_capture()], lines, FRAMES_A_SECOND * SECONDS, 1_000_000_000 // FRAMES_A_SECOND)
    registered_variants(models_dir(), bench_swap.NAME, bench_swap.VERSIONS)
    registered(models_dir(), "liar", 1, Role.SHADOW, Role.PAPER, off_golden=True)
    registered(models_dir(), "unasked", 1, Role.SHADOW)
    with (
        venue(lines, 1.0) as url,
        session("swap", url, "BTCUSDT", home, "--workers", "2", "--shadow", "qi-logit") as running,
    ):
        running.wait_for(lambda content: content["orders"] > 0)
        course = bench_swap.swap_for(running, 2.0)
        said, done = act_on_models("swap", ModelAct.SHADOW, "liar")
        assert not done
        assert "liar@" in said
        assert "was not taken: worker " in said or "was not taken: a spare worker" in said
        assert "E_GOLDEN: 17 of 17 golden rows off" in said
        refused = ask_model(running.place, ModelAct.USE, "unasked", ("ada", ""), 30.0)
        assert refused.text == (
            "E_APPROVAL: unasked.onnx is approved for shadow, not for paper: "
            "`lobdeck model approve FILE paper`; nothing changed"
        )
        before = running.status()
        running.wait_for(lambda content: content["decisions"] > before["decisions"] + 20)
        summary = running.end()
    used = bench_swap.used_in(Path(summary["journal"]))

    assert course.refused == []
    assert course.killed == 1
    assert (summary["gaps"], summary["wire_errors"], summary["feed"]["lost"]) == (0, 0, 0)
    assert used.swaps == summary["model"]["swaps"] >= 3
    assert summary["model"]["abandoned"] == 1
    assert (used.wrong, used.dropped) == (0, summary["wrong_generation"])
    assert used.decided == summary["decisions"] > 100
    assert (used.inputs_sha256, used.effects_sha256) == (summary["inputs_sha256"], summary["effects_sha256"])
    assert summary["model"]["shadows"] == ["qi-logit@9e5deb98"]
    assert summary["model"]["shadow_wrong"] == 0
    assert summary["model"]["shadow_predictions"] > 100


def test_a_replay_that_begins_anew_goes_on_with_the_model_it_was_given(home: Path) -> None:
    capture = write_capture(home / "short.txt", synthetic_lines(1_500))
    with live_session("laps", paths=(capture,), authority="observe", speed=0.0) as session:
        session.until(lambda content: content["decisions"] > 0)
        said, done = act_on_models("laps", ModelAct.USE, "qi-logit")
        assert done, said
        assert said == "laps: qi-logit@9e5deb98 is live as generation 2"
        frames = [0]

        def began_anew(content: dict[str, Any]) -> bool:
            frames.append(content["frames"])
            return frames[-1] < frames[-2] and content["decisions"] > 0

        content = session.until(began_anew)
        assert (content["model"]["name"], content["model"]["generation"]) == ("qi-logit", 2)
        assert content["wrong_generation"] == 0
        said, done = act_on_models("laps", ModelAct.BACK)
        assert said == "laps: ob-logit@80aefb5b is live as generation 3"
        session.until(lambda content: content["decisions"] > 0 and content["model"]["generation"] == 3)
