from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedbackloop.api.evaluation import Gate, GateType, Slice
from feedbackloop.api.improvementrun import GateResult
from feedbackloop.api.jobs import GateCounts
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain.gates import judge, required_items, underpowered

GOLDEN = Gate(name="golden", suite="golden", slice=Slice.UNCHANGED, type=GateType.NON_INFERIORITY, margin="0.05")
TARGET = Gate(name="target", suite="regressions", type=GateType.SUPERIORITY)
SAFE = Gate(name="safe", suite="probes", type=GateType.CEILING, max_failures="0.02")
FIXED = Gate(name="fixed", suite="regressions", type=GateType.NO_NEW_FAILURES)


def verdict(gate: Gate, n: int, gains: int, losses: int, both: int = 0) -> GateResult:
    counts = GateCounts(name=gate.name, suite=gate.suite, n=n, both=both, only_champion=losses, only_candidate=gains)
    return judge(gate, counts)


@pytest.mark.parametrize(
    ("gate", "n", "gains", "losses", "expected"),
    [
        (GOLDEN, 59, 0, 0, Verdict.SUCCESSFUL),
        (GOLDEN, 58, 0, 0, Verdict.INCONCLUSIVE),
        (GOLDEN, 180, 1, 2, Verdict.SUCCESSFUL),
        (GOLDEN, 180, 0, 9, Verdict.INCONCLUSIVE),
        (GOLDEN, 180, 0, 120, Verdict.FAILED),
        (GOLDEN, 0, 0, 0, Verdict.ERROR),
        (TARGET, 60, 48, 0, Verdict.SUCCESSFUL),
        (TARGET, 5, 5, 0, Verdict.SUCCESSFUL),
        (TARGET, 5, 4, 0, Verdict.INCONCLUSIVE),
        (TARGET, 60, 6, 4, Verdict.INCONCLUSIVE),
        (TARGET, 60, 3, 3, Verdict.FAILED),
        (TARGET, 60, 1, 2, Verdict.INCONCLUSIVE),
        (TARGET, 60, 0, 0, Verdict.INCONCLUSIVE),
        (FIXED, 10, 2, 0, Verdict.SUCCESSFUL),
        (FIXED, 10, 2, 1, Verdict.FAILED),
        (FIXED, 0, 0, 0, Verdict.ERROR),
        (SAFE, 0, 0, 0, Verdict.ERROR),
    ],
)
def test_verdicts(gate: Gate, n: int, gains: int, losses: int, expected: Verdict) -> None:
    result = verdict(gate, n, gains, losses)
    assert result.verdict is expected, result.message


@pytest.mark.parametrize(
    ("n", "failures", "expected"),
    [
        (149, 0, Verdict.SUCCESSFUL),
        (148, 0, Verdict.INCONCLUSIVE),
        (500, 4, Verdict.SUCCESSFUL),
        (500, 5, Verdict.INCONCLUSIVE),
        (500, 17, Verdict.FAILED),
        (20, 20, Verdict.FAILED),
    ],
)
def test_a_ceiling_is_held_by_the_candidate_alone(n: int, failures: int, expected: Verdict) -> None:
    result = verdict(SAFE, n, 0, failures, both=n - failures)
    assert result.verdict is expected, result.message
    assert float(result.estimate or "") == pytest.approx(failures / n, rel=1e-3)


def test_a_ceiling_says_how_many_items_it_needs() -> None:
    assert required_items(SAFE) == 149
    assert verdict(SAFE, 148, 0, 0, both=148).required_n == 149
    assert verdict(SAFE, 300, 0, 7, both=293).required_n is None


def test_an_inconclusive_gate_says_what_it_needs() -> None:
    result = verdict(GOLDEN, 58, 0, 0)
    assert result.required_n == 59
    assert "needs about 59 items" in result.message


def test_a_verdict_carries_its_numbers() -> None:
    result = verdict(TARGET, 60, 48, 0, both=6)
    assert (result.n, result.both, result.only_candidate, result.only_champion) == (60, 6, 48, 0)
    assert float(result.estimate or "") == 0.8
    assert 0.6 < float(result.lower or "") < 0.8 < float(result.upper or "") < 0.9
    assert float(result.p_value or "") == pytest.approx(2**-48, rel=1e-3)
    assert "+48 -0 of 60 items" in result.message


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 10, "both": 8, "only_champion": 2, "only_candidate": 1},
        {"both": -1},
        {"suite": "other"},
        {"name": "other"},
    ],
)
def test_impossible_counts_are_an_error(changes: dict[str, Any]) -> None:
    fine = {"name": "golden", "suite": "golden", "n": 90, "both": 80, "only_champion": 0, "only_candidate": 1}
    assert judge(GOLDEN, GateCounts(**fine)).verdict is Verdict.SUCCESSFUL
    assert judge(GOLDEN, GateCounts(**(fine | changes))).verdict is Verdict.ERROR


def test_required_items() -> None:
    assert [required_items(g) for g in (GOLDEN, TARGET, FIXED)] == [59, 5, 1]


def test_underpowered_gates_are_found_before_training() -> None:
    assert underpowered([GOLDEN, TARGET, FIXED], {"golden/unchanged": 59, "regressions": 5}) == ()
    short = underpowered([GOLDEN, TARGET, FIXED], {"golden": 240, "golden/unchanged": 40})
    assert [(s.gate, s.items, s.required) for s in short] == [
        ("golden", 40, 59),
        ("target", 0, 5),
        ("fixed", 0, 1),
    ]
    assert str(short[0]) == "gate golden: golden/unchanged has 40 items, at least 59 are needed"


@st.composite
def some_counts(draw: st.DrawFn) -> dict[str, int]:
    n = draw(st.integers(0, 120))
    return {"n": n, **{k: draw(st.integers(-2, n + 1)) for k in ("both", "only_champion", "only_candidate")}}


@settings(deadline=None, max_examples=150)
@given(gate=st.sampled_from([GOLDEN, TARGET, FIXED, SAFE]), counts=some_counts())
def test_judge_is_total_and_fails_closed(gate: Gate, counts: dict[str, int]) -> None:
    result = judge(gate, GateCounts(name=gate.name, suite=gate.suite, **counts))
    possible = counts["n"] > 0 and min(counts.values()) >= 0
    possible &= counts["both"] + counts["only_champion"] + counts["only_candidate"] <= counts["n"]
    assert (result.verdict is Verdict.ERROR) == (not possible)
    if result.verdict is Verdict.SUCCESSFUL:
        assert counts["n"] >= required_items(gate) or counts["only_candidate"] > 0
    assert GateResult.model_validate(result.to_wire()) == result


@settings(deadline=None, max_examples=100)
@given(gate=st.sampled_from([GOLDEN, TARGET, FIXED, SAFE]), n=st.integers(1, 100), data=st.data())
def test_one_more_loss_never_helps(gate: Gate, n: int, data: st.DataObject) -> None:
    gains = data.draw(st.integers(0, n - 1))
    losses = data.draw(st.integers(0, n - 1 - gains))
    if verdict(gate, n, gains, losses).verdict is not Verdict.SUCCESSFUL:
        assert verdict(gate, n, gains, losses + 1).verdict is not Verdict.SUCCESSFUL
