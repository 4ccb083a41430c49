"""A rollout policy over a recorded log, with the gateway's and the operator's own code."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from feedbackloop.api.collection import Signal
from feedbackloop.api.gateway import Arm
from feedbackloop.api.improvementrun import RunOutcome
from feedbackloop.cli.main import main
from feedbackloop.cli.simulation.crowd import Crowd
from feedbackloop.cli.simulation.drive import Simulation
from feedbackloop.cli.simulation.log import Entry, Line, LogError, read
from tests.bench.simulate import SIGNALS, events, policy

ROOT = Path(__file__).resolve().parents[3]
SHORT = {
    "steps": [{"setWeight": 50}, {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}}],
    "outcomes": [{"name": "downvotes", "signal": "helpful", "attributionWindowSeconds": 3600, "minRatedUnits": 50}],
    "guardrails": [],
    "bakeSeconds": 60,
    "maxDurationSeconds": 864_000,
}


def log(count: int = 4000, days: int = 8, **how: Any) -> list[Entry]:
    lines = [Line(**line) for line in events(seed=2, days=days, count=count, **how)]
    return sorted((Entry(round(float(line.t) * 1000), line) for line in lines), key=lambda e: e.at)


def simulated(entries: list[Entry], effect: float = 1.0, **changes: Any) -> Simulation:
    spec = policy(**(SHORT | changes))
    done = Simulation(spec, Crowd(entries, spec.outcomes, SIGNALS, effect=effect, seed=1), SIGNALS)
    done.run()
    return done


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    return log(count=1500, down=0.3)


@pytest.fixture(scope="module")
def worse(entries: list[Entry]) -> Simulation:
    return simulated(entries, 2.5)


def test_a_better_candidate_is_promoted(entries: list[Entry]) -> None:
    better = simulated(entries, 0.2)
    assert better.outcome is RunOutcome.PROMOTED
    assert 0 < better.days < 8


def test_a_worse_candidate_is_taken_back(worse: Simulation) -> None:
    assert worse.outcome is RunOutcome.ROLLED_BACK and "HarmFound" in worse.message
    assert 0 < worse.days < 8
    assert 0 < len(worse.gateway.exposed) < worse.sessions


def test_the_share_of_the_sessions_is_the_weights(worse: Simulation) -> None:
    (outcome,) = worse.status.outcomes
    assert 0.35 < outcome.canary.units / (outcome.canary.units + outcome.stable.units) < 0.65


def test_the_same_seed_gives_the_same_story(entries: list[Entry], worse: Simulation) -> None:
    assert simulated(entries, 2.5).records == worse.records


def test_the_clock_jumps_to_what_matters(worse: Simulation) -> None:
    at = [look.at for look in worse.status.looks]
    assert at == sorted(at) and len(at) > 3
    assert worse.decisions < 10 * len(at)


def test_the_assumed_effect_is_what_the_counts_show() -> None:
    crowd = Crowd(log(count=5000, down=0.2), policy(**SHORT).outcomes, SIGNALS, effect=2.0)
    assert crowd.effects[0].base == pytest.approx(0.2, abs=0.02)
    votes = [e.line.value for s in crowd.sessions for e in crowd.behaviour(s, Arm.CANARY) if e.line.signal]
    assert votes.count(False) / len(votes) == pytest.approx(2 * crowd.effects[0].base, abs=0.04)


def test_a_log_that_ends_early_is_no_decision() -> None:
    done = simulated(log(count=200, days=1), maxDurationSeconds=864_000)
    assert done.outcome is None


def test_both_arms_in_the_log_are_used_as_recorded() -> None:
    entries = log(count=1200, down=0.05)
    for i, entry in enumerate(entries):
        canary = int(entry.line.session[1:]) % 2 == 0
        entry.line.arm = "canary" if canary else "stable"
        if canary and entry.line.signal:
            entry.line.value = i % 2 == 0
    done = simulated(entries)
    assert done.crowd.both
    assert done.outcome is RunOutcome.ROLLED_BACK


def test_errors_of_the_log_reach_the_guardrails() -> None:
    entries = log(count=1000)
    for entry in entries:
        entry.line.arm = "canary" if int(entry.line.session[1:]) % 2 == 0 else "stable"
        entry.line.error = entry.line.arm == "canary" and not entry.line.signal
    errors = {"name": "errors", "metric": "ErrorRate", "maxRatio": "0.05", "minRequests": 20}
    done = simulated(entries, guardrails=[errors])
    assert done.outcome is RunOutcome.ROLLED_BACK and "GuardrailFailed" in done.message


EDITS = Signal.model_validate({"name": "edit", "kind": "Edit"})


@pytest.mark.parametrize(("effect", "rate"), [(0.5, 0.1), (1.0, 0.2), (2.0, 0.4)])
def test_events_of_which_nobody_is_asked(effect: float, rate: float) -> None:
    lines = [Line(t=n * 60.0, session=f"s{n}") for n in range(2000)]
    lines += [Line(t=n * 60.0 + 9, session=f"s{n}", signal="edit", value=1.0) for n in range(0, 2000, 5)]
    entries = sorted((Entry(round(float(line.t) * 1000), line) for line in lines), key=lambda e: e.at)
    outcome = {"name": "edits", "signal": "edit", "event": "Edited", "attributionWindowSeconds": 60, "minRatedUnits": 5}
    crowd = Crowd(entries, policy(**SHORT | {"outcomes": [outcome]}).outcomes, (EDITS,), effect=effect)
    edited = [any(e.line.signal for e in crowd.behaviour(s, Arm.CANARY)) for s in crowd.sessions]
    assert sum(edited) / len(edited) == pytest.approx(rate, abs=0.03)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"t": 1}', "session"),
        ('{"t": 1, "session": "a", "latncy": 3}', "latncy"),
        ('{"t": "2027-01-01T00:00:00", "session": "a"}', "time zone"),
        ('{"t": "yesterday", "session": "a"}', "yesterday"),
        ("[1]", "object"),
        ("nothing", "malformed"),
    ],
)
def test_a_line_that_does_not_fit_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"t": 0, "session": "z"}}\n{text}\n')
    with pytest.raises(LogError, match=f"a.jsonl, line 2: .*{why}"):
        read(tmp_path / "a.jsonl")


def test_a_folder_of_plain_and_packed_files_is_one_log(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"t": "1970-01-01T00:00:09Z", "session": "b"}\n\n')
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as out:
        out.write('{"t": 3.5, "session": "a", "signal": "helpful", "value": true}\n')
    assert [(e.at, e.line.session) for e in read(tmp_path)] == [(3500, "a"), (9000, "b")]
    with pytest.raises(LogError, match="no such file"):
        read(tmp_path / "other")


def written(directory: Path, **rollout: Any) -> tuple[Path, Path]:
    example = yaml.safe_load_all((ROOT / "examples/support-bot.yaml").read_text())
    loop = next(body for body in example if body["kind"] == "FeedbackLoop")
    loop["spec"]["rollout"] |= SHORT | rollout
    (directory / "loop.yaml").write_text(yaml.safe_dump(loop))
    (directory / "log.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in events(seed=2, days=4, count=1500))
    )
    return directory / "loop.yaml", directory / "log.jsonl"


def test_the_command_tells_what_would_have_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = [{"setWeight": 50}, {"approval": {}}, SHORT["steps"][1]]  # type: ignore[index]
    loop, events_ = written(tmp_path, steps=steps)
    picture = tmp_path / "p.svg"
    command = ["simulate", str(loop), "--from", str(events_), "--effect", "8", "--svg", str(picture)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "step 2: the approval is assumed at once" in out
    assert re.search(r"day +\d+\.\d\d  HarmFound +downvotes: ", out) and re.search(r"harm e-value \d", out)
    assert re.search(r"^outcome +RolledBack$", out, re.M)
    ElementTree.parse(picture)
    assert main([*command, "--output", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "RolledBack" and told["decisions"][-1]["what"] == "Draining"


def test_the_command_says_what_it_cannot_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loop, events_ = written(tmp_path)
    assert main(["simulate", str(loop), "--from", str(tmp_path / "no")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    other = tmp_path / "other.yaml"
    other.write_text("kind: ConfigMap\n")
    assert main(["simulate", str(other), "--from", str(events_)]) == 2
    assert "there is no FeedbackLoop" in capsys.readouterr().err
    loop.write_text(loop.read_text().replace("bakeSeconds: 60", "bakeSeconds: soon"))
    assert main(["simulate", str(loop), "--from", str(events_)]) == 2
    assert "rollout.bakeSeconds" in capsys.readouterr().err
