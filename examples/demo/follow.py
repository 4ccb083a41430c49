"""Follows the loop and its run by kubectl, and tells what changed, why, and with which numbers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from examples.demo.narrate import Narrator
from examples.demo.shell import Json, Kubectl

TOLD = (
    "Stalled",
    "Ready",
    "StorageReachable",
    "RegistryReachable",
    "GateUnderpowered",
    "TargetDegraded",
    "SampleRatioOK",
    "RatedShareOK",
)


@dataclass
class Sample:
    """One observation of the rollout, for the report's picture."""

    at: float
    weight: int
    harm: float | None
    non_inferiority: float | None
    stable: Json
    canary: Json


@dataclass
class Follower:
    """The last seen objects, and the history that the report draws."""

    kubectl: Kubectl
    narrator: Narrator
    loop_name: str
    loop: Json = field(default_factory=dict)
    run: Json = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    moments: dict[str, float] = field(default_factory=dict)
    """When each stage was first seen, in seconds."""
    _seen: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._watches = [
            self.kubectl.watch("feedbackloops.feedbackloop.dev", self.on_loop),
            self.kubectl.watch("improvementruns.feedbackloop.dev", self.on_run),
        ]

    def close(self) -> None:
        for watch in self._watches:
            watch.close()

    def on_loop(self, loop: Json) -> None:
        if loop["metadata"]["name"] != self.loop_name:
            return
        with self._lock:
            self.loop = loop
            status = loop.get("status", {})
            self._conditions("loop", status)
            self._counters(status.get("counters", {}))
            self._changed("loop", "champion", (status.get("champion") or {}).get("short"), "champion is now {}")

    def on_run(self, run: Json) -> None:
        if run["spec"]["loopName"] != self.loop_name:
            return
        with self._lock:
            self.run = run
            status = run.get("status", {})
            name = run["metadata"]["name"]
            self._stage(name, status)
            self._progress(status)
            self._decisions(status)
            self._rollout(status.get("rollout") or {})
            self._conditions("stage", status)
            self._changed("end", "outcome", status.get("outcome"), "outcome: {} — " + status.get("message", ""))

    def _changed(self, kind: str, key: str, value: Any, text: str) -> bool:
        if value in (None, "") or self._seen.get(key) == value:
            return False
        self._seen[key] = value
        self.narrator.say(kind, text.format(value))
        return True

    def _conditions(self, kind: str, status: Json) -> None:
        for condition in status.get("conditions", []):
            if condition["type"] in TOLD:
                key = f"{kind}/{condition['type']}"
                line = f"{condition['type']}={condition['status']} {condition['reason']}"
                if self._seen.get(key) != line:
                    self._seen[key] = line
                    self.narrator.say(kind, f"{line}: {condition.get('message', '')}".rstrip(": "))

    def _counters(self, counters: Json) -> None:
        accepted = counters.get("accepted", 0)
        if accepted - self._seen.get("accepted", 0) >= 200:
            self._seen["accepted"] = accepted
            self.narrator.say(
                "loop",
                f"{accepted} events stored, {counters.get('trainable', 0)} trainable,"
                f" {counters.get('badRows', 0)} bad rows",
            )

    def _stage(self, name: str, status: Json) -> None:
        stage = status.get("stage")
        if self._changed("stage", "stage", stage, f"{name}: {{}}"):
            self.moments.setdefault(str(stage), self.narrator.seconds)

    def _progress(self, status: Json) -> None:
        for stage in status.get("stages", []):
            progress = stage.get("progress") or {}
            if progress.get("total"):
                percent = 100 * progress["step"] // progress["total"]
                loss = f", loss {progress['loss']}" if progress.get("loss") else ""
                self._changed("stage", f"progress/{stage['name']}", percent, f"{stage['name']}: {{}} %{loss}")

    def _decisions(self, status: Json) -> None:
        told = self._seen.get("decisions", 0)
        decisions = status.get("decisions", [])
        for decision in decisions[told:]:
            self.narrator.say("rollout" if status.get("rollout") else "gate", f"{decision['what']}: {decision['why']}")
            self.moments.setdefault(decision["what"], self.narrator.seconds)
        self._seen["decisions"] = len(decisions)

    def _rollout(self, rollout: Json) -> None:
        if not rollout:
            return
        outcome: Json = next(iter(rollout.get("outcomes", [])), {})
        sample = Sample(
            at=self.narrator.seconds,
            weight=rollout.get("weight", 0),
            harm=_number(outcome.get("harmEValue")),
            non_inferiority=_number(outcome.get("nonInferiorityEValue")),
            stable=outcome.get("stable", {}),
            canary=outcome.get("canary", {}),
        )
        looks = len(rollout.get("looks", []))
        if looks != self._seen.get("looks") and outcome:
            self._seen["looks"] = looks
            self.narrator.say("rollout", f"look {looks}: {counts(sample)}")
        self.samples.append(sample)


def counts(sample: Sample) -> str:
    """The evidence in one line."""
    arms = (
        f"{arm} {c.get('events', 0)} down of {c.get('units', 0)} sessions"
        for arm, c in (("stable", sample.stable), ("canary", sample.canary))
    )
    return f"{', '.join(arms)}; e-value of non-inferiority {sample.non_inferiority:.3g}, of harm {sample.harm:.3g}"


def _number(text: str | None) -> float | None:
    return float(text) if text else None
