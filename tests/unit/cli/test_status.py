"""What `feedbackloop status` shows, wide and narrow, with and without colours."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from feedbackloop.cli.main import main
from feedbackloop.cli.status import style_of
from feedbackloop.cli.view.loop import loop_lines
from feedbackloop.cli.view.run import run_lines
from feedbackloop.cli.view.text import Style, duration, length
from feedbackloop.domain import naming
from tests.unit.cli import given
from tests.unit.cli.conftest import Kube

NOW = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
PLAIN = Style(120, colour=False)


def test_a_run_shows_what_it_waits_for_its_steps_and_its_evidence() -> None:
    text = "\n".join(run_lines(given.run(), PLAIN, NOW))
    for part in (
        "RollingOut for 9 h",
        "champion aaaaaaaaaaaa, candidate bbbbbbbbbbbb",
        "Waits for   ApprovalPending: 1 of 2 people have approved",
        "✓ golden",
        "· polite (advisory)",
        "✓  1 setWeight 10",
        "✓  2 analysis of downvotes until they are decided",
        "▶  3 approval by 2 of ml-owners",
        "10 %",
        "stable 31/620, canary 29/611, rated 610 of 20, ratio 0.95 [0.61, 1.5]",
        "e-value 22.2 of 20",
        "5200 sessions, 3.2 days",
        "! SampleRatioOK SampleRatioMismatch: canary 430 of 1231 units",
        "✓ not Paused",
        "step 3: bob, 9 h ago",
        "NonInferior: downvotes: e-value 22.2",
    ):
        assert part in text, part


def test_a_run_that_was_just_made_shows_that() -> None:
    body = {"metadata": {"name": "r"}, "spec": {"loopName": "bot", "improvementName": "i"}}
    assert run_lines(body, PLAIN, NOW) == ["r  ImprovementRun, not seen yet"]


def test_an_aborted_rollout_shows_where_it_stopped() -> None:
    abort = {"at": given.SINCE, "reason": "HarmFound", "message": "worse"}
    status = {"outcome": "RolledBack", "finishedAt": given.SINCE, "message": "HarmFound: worse"}
    text = "\n".join(run_lines(given.run(rollout=given.rollout(abort=abort, stepIndex=1), **status), PLAIN, NOW))
    assert "✗  2 analysis" in text
    assert "Ended       HarmFound: worse" in text
    assert "Checks" not in text


def test_the_steps_that_are_followed_and_the_level_of_the_loops_life_are_shown() -> None:
    spec = given.spec()
    spec["rollout"]["steps"] = [{"setWeight": 10}, given.STEPS[1], {"pause": {"durationSeconds": 60}}]
    pinned = given.spec()
    pinned["rollout"]["lifetime"] = {"alpha": "0.2"}
    run = given.run()
    run["status"]["inputs"]["pinnedSpec"] = naming.canonical_json(pinned)
    text = "\n".join(run_lines(run, PLAIN, NOW, {**given.loop(), "spec": spec}))
    assert "3 pause 1 min" in text
    assert "e-value 22.2 of 53.1" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    style = Style(width, colour=True)
    for line in (*run_lines(given.run(), style, NOW), *loop_lines(given.loop(), style, NOW)):
        assert length(line) <= width, line


def test_without_colours_there_is_no_escape_and_without_utf8_no_other_sign() -> None:
    assert not [line for line in run_lines(given.run(), PLAIN, NOW) if "\x1b" in line]
    ascii_only = Style(100, colour=False, unicode=False)
    assert all(line.isascii() for line in run_lines(given.run(), ascii_only, NOW))
    assert any("\x1b[32m" in line for line in run_lines(given.run(), Style(120, colour=True), NOW))


def test_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    style = style_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert (style.colour, style.unicode, style.width) == (False, True, 140)


def test_a_loop_is_shown_with_its_run(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    kube.holds("feedbackloops", "bot", given.loop())
    kube.holds("improvementruns", given.RUN, given.run())
    assert main(["status", "bot"]) == 0
    out = capsys.readouterr().out
    assert "2 promotions in 4 decisions; the next at level 0.009" in out
    assert "Steps" in out
    assert main(["status", given.RUN]) == 0
    assert "Lifetime" not in capsys.readouterr().out


def test_a_loop_that_regressed_says_how_to_go_back() -> None:
    harm = given.condition("Regressed", "True", "LateHarm", "To go back: feedbackloop rollback bot --apply")
    text = "\n".join(loop_lines(given.loop(conditions=[harm]), PLAIN, NOW))
    assert "! Regressed LateHarm: To go back: feedbackloop rollback bot --apply" in text


def test_what_is_not_there_is_told(kube: Kube, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "nobody"]) == 2
    assert "no FeedbackLoop and no ImprovementRun nobody" in capsys.readouterr().err


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (61, "1 min 1 s"), (3 * 86_400 + 7_300, "3 d 2 h")])
def test_durations_are_said_in_two_units_at_most(seconds: int, said: str) -> None:
    assert duration(seconds) == said
