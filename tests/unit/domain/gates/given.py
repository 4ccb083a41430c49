"""Rows and evidence, for tests of gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from feedbackloop.api.evaluation import Gate, Suite
from feedbackloop.domain.gates import Evidence, ItemRow, Level

BOUNDS = {"NonInferiority": "margin", "Ceiling": "maxFailures", "Bootstrap": "maxLoss", "Limit": "maxValue"}


def gate(type_: str, bound: str = "", **more: Any) -> Gate:
    declared = {BOUNDS[type_]: bound} if type_ in BOUNDS else {}
    return Gate.model_validate({"name": "g", "suite": "golden", "type": type_, **declared, **more})


def suite(**refresh: Any) -> Suite:
    return Suite.model_validate(
        {"name": "golden", "source": {"objectName": "g.jsonl", "digest": "sha256:" + "a" * 64}, "refresh": refresh}
    )


def pairs(both: int = 0, losses: int = 0, gains: int = 0, neither: int = 0, per_intent: int = 0) -> list[ItemRow]:
    """Right and wrong answers; with `per_intent` so many neighbours share an intent."""
    kinds = [(True, True)] * both + [(True, False)] * losses + [(False, True)] * gains + [(False, False)] * neither
    intents = [f"i{at // per_intent}" if per_intent else "" for at in range(len(kinds))]
    return [ItemRow(f"q{at}", *kind, intent=intents[at]) for at, kind in enumerate(kinds)]


def numbers(values: Iterable[tuple[float, float]]) -> list[ItemRow]:
    return [ItemRow(f"q{at}", champion, candidate) for at, (champion, candidate) in enumerate(values)]


def evidence(of: Gate, rows: Iterable[ItemRow], **changes: Any) -> Evidence:
    inputs: dict[str, Any] = {
        "run_id": "evaluate-0123456789ab",
        "gate": of,
        "suite": suite(),
        "suite_digest": "sha256:" + "a" * 64,
        "models": {"champion": "sha256:" + "b" * 64, "candidate": "sha256:" + "c" * 64},
        "decoding": {"method": "greedy", "maxNewTokens": 48},
        "scorer": "contains_answer/1",
        "level": Level(float(of.alpha), 1),
        "seed": 7,
        "items": tuple(rows),
    }
    return Evidence(**(inputs | changes))
